package wameow

import (
	"reflect"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

// When the library changes so that its table is not found any more, each session takes a quarter more.
func TestAClientKeepsNoRoomForMessagesItHasNotSent(t *testing.T) {
	client := whatsmeow.NewClient(&store.Device{}, nil)
	before, ok := reflect.TypeFor[whatsmeow.Client]().FieldByName(recentTable)
	require.True(t, ok)
	require.Equal(t, reflect.Map, before.Type.Kind())
	slim(client)
	to := types.NewJID("5491122334455", types.DefaultUserServer)
	internals := client.DangerousInternals() //nolint:staticcheck // what is looked at is nowhere else
	require.NoError(t, internals.AddRecentMessage(t.Context(), to, "A", textMessage("hola"), nil))
	recent := internals.GetRecentMessage(to, "A")
	require.False(t, recent.IsEmpty())
	(&connection{client: client}).forget(to, "A")
	recent = internals.GetRecentMessage(to, "A")
	require.True(t, recent.IsEmpty(), "it is asked for where it is stored")

	const clients = 100
	weigh := func(isSlim bool) (bytes uint64) {
		var before, after runtime.MemStats
		kept := make([]*whatsmeow.Client, clients)
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range kept {
			kept[i] = whatsmeow.NewClient(&store.Device{}, nil)
			if isSlim {
				slim(kept[i])
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(kept)
		return (after.HeapAlloc - before.HeapAlloc) / clients
	}
	whole, less := weigh(false), weigh(true)
	require.Greater(t, whole, less+30<<10, "bytes of a client")
}
