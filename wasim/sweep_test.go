package wasim

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types"
)

func TestClientWhoseCodesNobodyScansIsSentAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newWireNetwork(t)
		c := connectRaw(t, n, "WA\x06\x03", registrationPayload())
		c.read()
		time.Sleep(firstRefTime + (refCount-1)*nextRefTime)
		synctest.Wait()
		require.EqualValues(t, 1, n.Stats().Connections, "the last code is still shown")
		time.Sleep(refGrace + 2*sweepInterval)
		synctest.Wait()
		require.Zero(t, n.Stats().Connections)
		time.Sleep(refMemory + 2*sweepInterval)
		n.pairings.mu.Lock()
		defer n.pairings.mu.Unlock()
		require.Empty(t, n.pairings.refs, "old codes are forgotten")
	})
}

func TestSilentConnectionIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newWireNetwork(t)
		ping := node{Tag: "iq", Attrs: attrs{"id": "1", "xmlns": "w:p", "type": "get", "to": types.ServerJID}}
		c := connectRaw(t, n, "WA\x06\x03", registrationPayload())
		c.read()
		n.pairings.mu.Lock()
		clear(n.pairings.refs) // its codes are not what this is about
		n.pairings.mu.Unlock()
		for range 3 {
			time.Sleep(idleLimit - sweepInterval)
			c.stanza(ping)
			c.read()
		}
		require.EqualValues(t, 1, n.Stats().Connections)
		time.Sleep(idleLimit + 2*sweepInterval)
		synctest.Wait()
		require.Zero(t, n.Stats().Connections)
	})
}
