package wameow

import (
	"go.mau.fi/libsignal/serialize"
	"go.mau.fi/libsignal/state/record"
	"google.golang.org/protobuf/encoding/protowire"
)

// previousSessions is the number of the field of a RecordStructure that holds archived states.
var previousSessions = (&serialize.RecordStructure{}).ProtoReflect().Descriptor().Fields().ByName("previousSessions").Number()

// hasArchive reports whether a record has archived states, as few do.
func hasArchive(record []byte) bool {
	for len(record) > 0 {
		field, _, n := protowire.ConsumeField(record)
		if n < 0 || field == previousSessions {
			return true
		}
		record = record[n:]
	}
	return false
}

// restoreArchived gives a session record to be stored, with its archived states as they were before.
//
// Two sides that begin at the same moment have two states for one session. The library tries a message on the current state
// first and steps that state's ratchet before it knows that the message was made by another; when an archived state then fits,
// the spoilt one is archived instead of it, and the next message that needs it cannot be read. Decrypting changes one state,
// the one that is current afterwards, so whatever is archived must equal the state with the same base key in the record before.
// The library may also leave an archived state doubled; each is kept once. What cannot be read is left for the library to complain about.
func restoreArchived(before, now []byte) []byte {
	is, err := sessionRecords{}.Deserialize(now)
	if err != nil || len(is.PreviousStates) == 0 || len(before) == 0 {
		return now
	}
	was, err := sessionRecords{}.Deserialize(before)
	if err != nil {
		return now
	}
	known := map[string]*record.StateStructure{}
	for _, state := range append([]*record.StateStructure{was.SessionState}, was.PreviousStates...) {
		if key := baseKey(state); key != "" {
			known[key] = state
		}
	}
	kept := map[string]bool{baseKey(is.SessionState): true}
	archived := is.PreviousStates
	is.PreviousStates = nil
	for _, state := range archived {
		key := baseKey(state)
		if key != "" && kept[key] {
			continue
		}
		kept[key] = true
		if unspoilt, ok := known[key]; ok {
			state = unspoilt
		}
		is.PreviousStates = append(is.PreviousStates, state)
	}
	return sessionRecords{}.Serialize(is)
}

// baseKey gives the key that names a state, "" when it has none.
func baseKey(state *record.StateStructure) string {
	if state == nil {
		return ""
	}
	return string(state.SenderBaseKey)
}
