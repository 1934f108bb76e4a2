package outbox

import (
	"encoding/json"
	"fmt"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"
)

// grouped is the outbox as a group commit writes it. Its rows are named by the event's ID; the database adds their position.
var grouped = &groupcommit.Table{
	Name: "outbox",
	Keys: []groupcommit.Column{{Name: "event_id", Kind: groupcommit.Text}},
	Values: []groupcommit.Column{
		{Name: "tenant_id", Kind: groupcommit.Text},
		{Name: "name", Kind: groupcommit.Text},
		{Name: "order_key", Kind: groupcommit.Text},
		{Name: "payload", Kind: groupcommit.Text},
		{Name: "created_at", Kind: groupcommit.Int},
	},
	KeepFirst: true,
}

// Row is Append for whoever writes through a group commit: the row to put beside the change that it reports. It does nothing
// by itself. After the commit, Wake has the event told at once (from groupcommit.Member.Done, say); without, it is told a
// moment later. The rows of one process are told in the order in which they were made, in one group as well as in successive
// ones: make those of one order key one after another.
func (l *Log) Row(ev events.Event) (groupcommit.Row, error) {
	payload, err := json.Marshal(ev)
	if err != nil {
		return groupcommit.Row{}, fmt.Errorf("encode event %s: %w", ev.EventName(), err)
	}
	// A group writes its rows in the order of their keys, and IDs that one process makes rise.
	return groupcommit.Row{Table: grouped, Values: []any{id.NewEvent().String(), ev.EventTenant().String(), ev.EventName(), ev.OrderKey(),
		string(payload), sqlkit.Micros(l.now())}}, nil
}

// Wake says that events were committed which Append did not write. It never blocks.
func (l *Log) Wake() { l.bus.Wake(bus.TopicOutbox) }
