package wameow_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	"turnero/internal/events"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wameow"
)

// brittle is a device store that breaks on request.
type brittle struct {
	wameow.DeviceStore
	breaks atomic.Pointer[func(call string) error]
	broken atomic.Int64 // calls that failed
}

func (b *brittle) Load(ctx context.Context, term whatsapp.Term) (*store.Device, error) {
	d, err := b.DeviceStore.Load(ctx, term)
	if err != nil {
		return nil, err
	}
	if err = b.check("Load"); err != nil {
		return nil, err
	}
	if d.ID != nil {
		b.cover(d)
	}
	return d, nil
}

func (b *brittle) check(call string) error {
	if fn := b.breaks.Load(); fn != nil {
		return (*fn)(call)
	}
	return nil
}

// breakOn lets the named calls fail as often as given.
func (b *brittle) breakOn(times int, calls ...string) {
	left := int64(times)
	fn := func(call string) error {
		if !slices.Contains(calls, call) || atomic.AddInt64(&left, -1) < 0 {
			return nil
		}
		b.broken.Add(1)
		return fmt.Errorf("%s: %w", call, errNotNow)
	}
	b.breaks.Store(&fn)
}

func (b *brittle) cover(d *store.Device) {
	s := &brittleStores{b: b, SessionStore: d.Sessions, IdentityStore: d.Identities, EventBuffer: d.EventBuffer, PreKeyStore: d.PreKeys, LIDStore: d.LIDs}
	d.Sessions, d.Identities, d.EventBuffer, d.PreKeys, d.LIDs = s, s, s, s, s
}

type brittleStores struct {
	b *brittle
	store.SessionStore
	store.IdentityStore
	store.EventBuffer
	store.PreKeyStore
	store.LIDStore
}

func (s *brittleStores) GetSession(ctx context.Context, address string) ([]byte, error) {
	if err := s.b.check("GetSession"); err != nil {
		return nil, err
	}
	return s.SessionStore.GetSession(ctx, address)
}

func (s *brittleStores) PutSession(ctx context.Context, address string, session []byte) error {
	if err := s.b.check("PutSession"); err != nil {
		return err
	}
	return s.SessionStore.PutSession(ctx, address, session)
}

func (s *brittleStores) GetManySessions(ctx context.Context, addresses []string) (map[string][]byte, error) {
	if err := s.b.check("GetManySessions"); err != nil {
		return nil, err
	}
	return s.SessionStore.GetManySessions(ctx, addresses)
}

func (s *brittleStores) PutManySessions(ctx context.Context, sessions map[string][]byte) error {
	if err := s.b.check("PutManySessions"); err != nil {
		return err
	}
	return s.SessionStore.PutManySessions(ctx, sessions)
}

func (s *brittleStores) PutIdentity(ctx context.Context, address string, key [32]byte) error {
	if err := s.b.check("PutIdentity"); err != nil {
		return err
	}
	return s.IdentityStore.PutIdentity(ctx, address, key)
}

func (s *brittleStores) IsTrustedIdentity(ctx context.Context, address string, key [32]byte) (bool, error) {
	if err := s.b.check("IsTrustedIdentity"); err != nil {
		return false, err
	}
	return s.IdentityStore.IsTrustedIdentity(ctx, address, key)
}

func (s *brittleStores) GetBufferedEvent(ctx context.Context, hash [32]byte) (*store.BufferedEvent, error) {
	if err := s.b.check("GetBufferedEvent"); err != nil {
		return nil, err
	}
	return s.EventBuffer.GetBufferedEvent(ctx, hash)
}

func (s *brittleStores) ClearBufferedEventPlaintext(ctx context.Context, hash [32]byte) error {
	if err := s.b.check("ClearBufferedEventPlaintext"); err != nil {
		return err
	}
	return s.EventBuffer.ClearBufferedEventPlaintext(ctx, hash)
}

func (s *brittleStores) DoDecryptionTxn(ctx context.Context, fn func(context.Context) error) error {
	return s.EventBuffer.DoDecryptionTxn(ctx, func(ctx context.Context) error {
		if err := fn(ctx); err != nil {
			return err
		}
		if err := s.b.check("panic"); err != nil {
			panic(err)
		}
		return s.b.check("commit")
	})
}

func (s *brittleStores) RemovePreKey(ctx context.Context, id uint32) error {
	if err := s.b.check("RemovePreKey"); err != nil {
		return err
	}
	return s.PreKeyStore.RemovePreKey(ctx, id)
}

func (s *brittleStores) GetLIDForPN(ctx context.Context, pn types.JID) (types.JID, error) {
	if err := s.b.check("GetLIDForPN"); err != nil {
		return types.JID{}, err
	}
	return s.LIDStore.GetLIDForPN(ctx, pn)
}

// brittleBench is a bench whose devices can break. The device that it was linked with is loaded anew, so that it is covered.
func brittleBench(t *testing.T) (*bench, *brittle) {
	t.Helper()
	devices := &brittle{DeviceStore: fileDevices(t, filepath.Join(t.TempDir(), "whatsapp.db"))}
	return newBench(t, devices), devices
}

func TestStoreErrorsDuringDecryptionLoseNothing(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"GetSession", "PutSession", "PutIdentity", "IsTrustedIdentity", "GetBufferedEvent", "RemovePreKey", "commit", "panic",
		"GetLIDForPN", "ClearBufferedEventPlaintext"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			b, devices := brittleBench(t)
			retries := b.net.Stats().RetriesIn
			devices.breakOn(3, call)
			b.write("uno")
			b.write("dos")
			b.sink.awaitTexts(t, "uno", "dos")
			require.Positive(t, devices.broken.Load())
			eventually(t, "all is acknowledged", func() bool { return b.net.Stats().Waiting == 0 })
			devices.breaks.Store(nil)
			_, err := b.sendAgain(whatsapp.Outgoing{WAID: events.WhatsAppMessageID(), To: whatsapp.NumberAddress(b.customer), Text: "tres"})
			require.NoError(t, err)
			require.Equal(t, retries, b.net.Stats().RetriesIn, "nobody was asked to send it again")
			b.clean()
		})
	}
}

func TestStoreErrorsDuringEncryptionSendNothing(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"GetManySessions", "PutManySessions", "PutIdentity", "IsTrustedIdentity", "commit", "panic", "GetLIDForPN"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			b, devices := brittleBench(t)
			_, _, err := b.send("antes")
			require.NoError(t, err)
			b.write("hola")
			b.sink.awaitTexts(t, "hola")
			eventually(t, "all is acknowledged", func() bool { return b.net.Stats().Waiting == 0 })
			before, n := b.net.Stats().MessagesIn, b.sink.stateCount()
			devices.breakOn(1, call)
			_, _, err = b.send("perdido")
			require.ErrorIs(t, err, whatsapp.ErrNotConnected)
			require.Equal(t, before, b.net.Stats().MessagesIn)
			b.sink.awaitConnectedAgain(t, n)
			_, _, err = b.send("después")
			require.NoError(t, err)
			require.Equal(t, []string{"antes", "después"}, b.shown(b.customer, b.business))
			b.clean()
		})
	}
}

func TestKeysThatCannotBeLoadedAreTriedAgain(t *testing.T) {
	t.Parallel()
	b, devices := brittleBench(t)
	b.line.Close()
	devices.breakOn(3, "Load")
	b.sink = newSink()
	b.line = open(t, b.engine, b.ref, b.sink)
	m := b.sink.awaitState(t, whatsapp.LinkConnected)
	require.Empty(t, m.Reason)
	b.sink.mu.Lock()
	defer b.sink.mu.Unlock()
	require.True(t, slices.ContainsFunc(b.sink.states, func(c whatsapp.LinkChange) bool { return c.Reason == "store_error" }))
}
