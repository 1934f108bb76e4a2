// Package events holds what modules tell each other: every integration event (something has happened) and every command
// (one module asks another to do something), as plain structs with their JSON form.
//
// An event is written to the outbox in the transaction of the change that it reports; a command is written to the jobs in
// the transaction that decides it. Both carry their tenant and an order key: what has the same key is handled in order.
// Fields are only ever added; a reader ignores those it does not know.
package events

import (
	"encoding/json"
	"fmt"

	"turnero/internal/id"
)

// Event is something that has happened, worth telling to other modules and to the tenant's own systems.
type Event interface {
	EventName() string      // stable, dotted: "appointment.booked"
	EventTenant() id.Tenant // zero only for the platform's own
	OrderKey() string       // events with the same key reach a consumer in the order of their commits
}

// Job is a command that one module asks of another (or of itself, later).
type Job interface {
	JobKind() string      // stable, dotted: "whatsapp.send"
	JobTenant() id.Tenant // zero only for the platform's own
	OrderKey() string     // "" = no order; jobs with the same key run one after another, in the order of their run time
	UniqueKey() string    // "" = always new; else a second job of the same kind, tenant and key is not enqueued while the first is unfinished
}

// makers knows every event by name, to read it back from the log.
var makers = map[string]func() Event{}

func register[E any, P interface {
	*E
	Event
}]() {
	var zero P = new(E)
	makers[zero.EventName()] = func() Event { return P(new(E)) }
}

// Decode reads an event from its name and JSON form. Unknown names are an error.
func Decode(name string, payload []byte) (Event, error) {
	make, ok := makers[name]
	if !ok {
		return nil, fmt.Errorf("unknown event %q", name)
	}
	ev := make()
	if err := json.Unmarshal(payload, ev); err != nil {
		return nil, fmt.Errorf("decode event %s: %w", name, err)
	}
	return ev, nil
}

// Names lists the names of all events.
func Names() []string {
	out := make([]string, 0, len(makers))
	for name := range makers {
		out = append(out, name)
	}
	return out
}
