package outbox

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
)

// aReader makes a reader without a database, that stands at a number with all parts of one consumer. It gives what is begun.
func aReader(at int64) (r *reader, begun *[]*item) {
	l := New(nil, bus.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
	l.Consume("c", []string{(&events.ChatModeChanged{}).EventName()}, nil)
	r, begun = newReader(l), new([]*item)
	for part := range parts {
		t := newTenure(l.consumers[0], part, "us", at)
		t.begin = func(it *item) { *begun = append(*begun, it) }
		r.tenures = append(r.tenures, t)
	}
	r.tail.from, r.ahead = at, at
	return r, begun
}

func rowsAfter(seq int64, n int) []row {
	out := make([]row, n)
	for i := range out {
		seq++
		out[i] = row{Seq: new(seq), EventID: id.NewEvent(), Name: (&events.ChatModeChanged{}).EventName(), Payload: "{}"}
	}
	return out
}

func TestWhatAProcessNumbersItDoesNotRead(t *testing.T) {
	t.Parallel()
	r, begun := aReader(100)
	r.isStale = true // the wake-up comes first
	batch := rowsAfter(100, 30)
	batch[7].Name, batch[7].Payload = "tenant.created", "something long that nobody here wants"
	r.offer(batch)
	r.accept(<-r.offers)
	require.True(t, r.isBehind())
	r.read(context.Background()) // there is no database to ask
	require.False(t, r.isBehind())
	require.Len(t, *begun, 29)
	for _, tenure := range r.tenures {
		require.EqualValues(t, 130, tenure.read)
	}
	require.Empty(t, r.tail.entries[7].Payload)
}

func TestWhatIsMissedOfTheNumberedIsRead(t *testing.T) {
	t.Parallel()
	r, begun := aReader(100)
	r.isStale = true
	r.accept(rowsAfter(101, 5))
	require.True(t, r.isStale, "there is one before them")
	require.Empty(t, r.tail.entries)

	for n := range cap(r.offers) + 3 {
		r.offer(rowsAfter(int64(100+n), 1))
	}
	for len(r.offers) > 0 {
		r.accept(<-r.offers)
	}
	require.True(t, r.isStale, "some found no room")
	require.EqualValues(t, 100+cap(r.offers), r.tail.to())

	r.tenures = nil
	r.accept(rowsAfter(r.tail.to(), 1))
	require.EqualValues(t, 100+cap(r.offers), r.tail.to(), "nothing is kept for nobody")
	require.Empty(t, *begun)
}
