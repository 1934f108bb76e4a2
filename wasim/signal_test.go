package wasim

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/libsignal/state/record"
)

func TestArchivedStatesStayAsTheyWere(t *testing.T) {
	t.Parallel()
	state := func(key string, chain uint32) *record.StateStructure {
		return &record.StateStructure{SenderBaseKey: []byte(key), PreviousCounter: chain}
	}
	session := func(current *record.StateStructure, archived ...*record.StateStructure) *record.SessionStructure {
		return &record.SessionStructure{SessionState: current, PreviousStates: archived}
	}
	a, b, c := state("a", 1), state("b", 2), state("c", 3)
	advanced, promoted, fresh := state("a", 9), state("c", 7), state("d", 1)
	for _, now := range []struct{ after, want *record.SessionStructure }{
		{session(advanced, b, c), session(advanced, b, c)},
		{session(promoted, state("a", 8), state("b", 8), promoted), session(promoted, a, b)},
		{session(fresh, a, b, c), session(fresh, a, b, c)},
	} {
		restoreArchived(session(a, b, c), now.after)
		require.Equal(t, now.want, now.after)
	}
}
