package outbox

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestATailGivesWhatTheLogHasOrNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// A log with holes, as trimming leaves them around events that were parked.
		var log []entry
		for seq := range int64(rapid.IntRange(1, 3*tailEntries).Draw(t, "length")) {
			if rapid.IntRange(0, 9).Draw(t, "kept") > 0 {
				log = append(log, entry{row: row{Seq: new(seq + 1), Payload: strings.Repeat("x", int(seq%100))}})
			}
		}
		whole, kept := span{0, log}, tail{}
		for range rapid.IntRange(1, 40).Draw(t, "reads") {
			from := rapid.Int64Range(0, whole.to()+10).Draw(t, "from")
			if rapid.Bool().Draw(t, "goes on") {
				from = kept.to()
			}
			read := whole.after(from)
			kept.add(span{from, read[:min(len(read), rapid.IntRange(0, 2*readBatch).Draw(t, "limit"))]})

			require.LessOrEqual(t, len(kept.entries), tailEntries)
			bytes := 0
			for _, e := range kept.entries {
				bytes += len(e.Payload)
			}
			require.Equal(t, bytes, kept.bytes)
			at := rapid.Int64Range(0, whole.to()+10).Draw(t, "at")
			got := kept.after(at)
			if at < kept.from || at >= kept.to() {
				require.Empty(t, got)
				continue
			}
			require.Equal(t, whole.after(at)[:len(got)], got)
			require.Equal(t, kept.to(), *got[len(got)-1].Seq)
		}
	})
}

func TestATailOfLargeEventsIsShort(t *testing.T) {
	t.Parallel()
	var kept tail
	for seq := range int64(100) {
		kept.add(span{seq, []entry{{row: row{Seq: new(seq + 1), Payload: strings.Repeat("x", tailBytes/10+1)}}}})
		require.LessOrEqual(t, kept.bytes, tailBytes)
	}
	require.Len(t, kept.after(kept.from), 9)
	require.EqualValues(t, 100, kept.to())
	kept.add(span{100, []entry{{row: row{Seq: new(int64(101)), Payload: strings.Repeat("x", tailBytes+1)}}}})
	require.Empty(t, kept.after(100))
	require.Zero(t, kept.bytes)
	kept.add(span{101, []entry{{row: row{Seq: new(int64(102))}}}})
	require.Len(t, kept.after(101), 1, "what follows is kept again")
}
