package wameow

import (
	"bytes"
	"encoding/json"
)

// sessionRecord is a Signal session as the library stores it: states as they are encoded.
type sessionRecord struct {
	SessionState   json.RawMessage
	PreviousStates []json.RawMessage // archived
}

// noArchive ends a record without archived states, as nearly all are.
var noArchive = []byte(`"PreviousStates":[]}`)

// hasArchive reports whether a record has archived states.
func hasArchive(record []byte) bool { return !bytes.HasSuffix(record, noArchive) }

// restoreArchived gives a session record to be stored, with its archived states as they were before.
//
// Two sides that begin at the same moment have two states for one session. The library tries a message on the current state
// first and steps that state's ratchet before it knows that the message was made by another; when an archived state then fits,
// the spoilt one is archived instead of it, and the next message that needs it cannot be read. Decrypting changes one state,
// the one that is current afterwards, so whatever is archived must equal the state with the same base key in the record before.
// The library may also leave an archived state doubled; each is kept once. What cannot be read is left for the library to complain about.
func restoreArchived(before, now []byte) []byte {
	var was, is sessionRecord
	if json.Unmarshal(now, &is) != nil || len(is.PreviousStates) == 0 || len(before) == 0 || json.Unmarshal(before, &was) != nil {
		return now
	}
	known := map[string]json.RawMessage{}
	for _, state := range append([]json.RawMessage{was.SessionState}, was.PreviousStates...) {
		if key := baseKey(state); key != "" {
			known[key] = state
		}
	}
	kept := map[string]bool{baseKey(is.SessionState): true}
	out := sessionRecord{SessionState: is.SessionState, PreviousStates: []json.RawMessage{}}
	for _, state := range is.PreviousStates {
		key := baseKey(state)
		if key != "" && kept[key] {
			continue
		}
		kept[key] = true
		if unspoilt, ok := known[key]; ok {
			state = unspoilt
		}
		out.PreviousStates = append(out.PreviousStates, state)
	}
	restored, err := json.Marshal(out)
	if err != nil {
		return now
	}
	return restored
}

// baseKey gives the key that names a state, "" when it has none.
func baseKey(state json.RawMessage) string {
	var s struct{ SenderBaseKey []byte }
	if json.Unmarshal(state, &s) != nil {
		return ""
	}
	return string(s.SenderBaseKey)
}
