package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"turnero/internal/id"
	"turnero/internal/platform/outbox"
)

const (
	entryEvents = 64       // most in one entry of the stream
	entryBytes  = 64 << 10 // of payloads, after which an entry is closed
)

// wire is an event as it travels.
type wire struct {
	Seq      int64           `json:"s"`
	ID       id.Event        `json:"i"`
	Tenant   string          `json:"t,omitempty"`
	Name     string          `json:"n"`
	OrderKey string          `json:"k,omitempty"`
	At       int64           `json:"a"` // microseconds since 1970
	Payload  json.RawMessage `json:"p"`
}

// entries cuts a batch into what one entry of the stream holds each.
func entries(recs []outbox.Record) [][]outbox.Record {
	var out [][]outbox.Record
	from, size := 0, 0
	for i := range recs {
		size += len(recs[i].Payload)
		if i+1 == len(recs) || i+1-from == entryEvents || size >= entryBytes {
			out = append(out, recs[from:i+1])
			from, size = i+1, 0
		}
	}
	return out
}

// encode gives the fields of an entry: its last number, by which readers skip what they have, and the events.
func encode(recs []outbox.Record) ([]any, error) {
	events := make([]wire, len(recs))
	for i, r := range recs {
		events[i] = wire{r.Seq, r.ID, r.Tenant, r.Name, r.OrderKey, r.At.UnixMicro(), r.Payload}
	}
	var raw bytes.Buffer
	as := json.NewEncoder(&raw)
	as.SetEscapeHTML(false) // payloads arrive as they are
	if err := as.Encode(events); err != nil {
		return nil, err
	}
	return []any{"to", recs[len(recs)-1].Seq, "events", raw.Bytes()}, nil
}

// decode reads an entry, unless it brings nothing beyond the number.
func decode(fields map[string]any, beyond int64) ([]outbox.Record, error) {
	text, _ := fields["to"].(string)
	to, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("an entry ends with no number: %w", err)
	}
	if to <= beyond {
		return nil, nil
	}
	raw, _ := fields["events"].(string)
	var events []wire
	if err := json.Unmarshal([]byte(raw), &events); err != nil {
		return nil, fmt.Errorf("read an entry: %w", err)
	}
	recs := make([]outbox.Record, len(events))
	for i, e := range events {
		recs[i] = outbox.Record{Seq: e.Seq, ID: e.ID, Tenant: e.Tenant, Name: e.Name, OrderKey: e.OrderKey, Payload: e.Payload, At: time.UnixMicro(e.At).UTC()}
	}
	return recs, nil
}
