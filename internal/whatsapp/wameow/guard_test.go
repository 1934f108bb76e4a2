package wameow_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"

	"turnero/internal/events"
	"turnero/internal/whatsapp"
	"turnero/internal/whatsapp/wameow"
	"turnero/wasim"
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
	s := &brittleStores{b: b, SessionStore: d.Sessions, IdentityStore: d.Identities, EventBuffer: d.EventBuffer, PreKeyStore: d.PreKeys, LIDStore: d.LIDs,
		SenderKeyStore: d.SenderKeys, ContactStore: d.Contacts, DeviceContainer: d.Container}
	d.Sessions, d.Identities, d.EventBuffer, d.PreKeys, d.LIDs, d.SenderKeys, d.Contacts, d.Container = s, s, s, s, s, s, s, s
}

type brittleStores struct {
	b *brittle
	store.SessionStore
	store.IdentityStore
	store.EventBuffer
	store.PreKeyStore
	store.LIDStore
	store.SenderKeyStore
	store.ContactStore
	store.DeviceContainer
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

func (s *brittleStores) GetPreKey(ctx context.Context, id uint32) (*keys.PreKey, error) {
	if err := s.b.check("GetPreKey"); err != nil {
		return nil, err
	}
	return s.PreKeyStore.GetPreKey(ctx, id)
}

func (s *brittleStores) UploadedPreKeyCount(ctx context.Context) (int, error) {
	if err := s.b.check("UploadedPreKeyCount"); err != nil {
		return 0, err
	}
	return s.PreKeyStore.UploadedPreKeyCount(ctx)
}

func (s *brittleStores) PutBufferedEvent(ctx context.Context, hash [32]byte, plaintext []byte, at time.Time) error {
	if err := s.b.check("PutBufferedEvent"); err != nil {
		return err
	}
	return s.EventBuffer.PutBufferedEvent(ctx, hash, plaintext, at)
}

func (s *brittleStores) GetSenderKey(ctx context.Context, group, user string) ([]byte, error) {
	if err := s.b.check("GetSenderKey"); err != nil {
		return nil, err
	}
	return s.SenderKeyStore.GetSenderKey(ctx, group, user)
}

func (s *brittleStores) PutSenderKey(ctx context.Context, group, user string, key []byte) error {
	if err := s.b.check("PutSenderKey"); err != nil {
		return err
	}
	return s.SenderKeyStore.PutSenderKey(ctx, group, user, key)
}

func (s *brittleStores) PutPushName(ctx context.Context, user types.JID, name string) (bool, string, error) {
	if err := s.b.check("PutPushName"); err != nil {
		return false, "", err
	}
	return s.ContactStore.PutPushName(ctx, user, name)
}

func (s *brittleStores) PutDevice(ctx context.Context, d *store.Device) error {
	if err := s.b.check("PutDevice"); err != nil {
		return err
	}
	return s.DeviceContainer.PutDevice(ctx, d)
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
		"GetLIDForPN", "ClearBufferedEventPlaintext", "GetPreKey", "PutBufferedEvent", "PutPushName"} {
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

// In groups everybody has one key for all others, which comes encrypted for each device.
func TestStoreErrorsInGroupsLoseNothing(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"GetSession", "PutSession", "GetSenderKey", "PutSenderKey", "PutBufferedEvent", "GetBufferedEvent", "GetPreKey", "commit", "panic"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			b, devices := brittleBench(t)
			group, err := b.net.AddGroup("Vecinos", []string{b.customer, b.business})
			require.NoError(t, err)
			retries := b.net.Stats().RetriesIn
			devices.breakOn(3, call)
			for _, text := range []string{"uno", "dos"} {
				_, err = b.net.Send(t.Context(), b.customer, group.ID, text)
				require.NoError(t, err)
			}
			b.sink.awaitTexts(t, "uno", "dos")
			require.Positive(t, devices.broken.Load())
			eventually(t, "all is acknowledged", func() bool { return b.net.Stats().Waiting == 0 })
			require.Equal(t, retries, b.net.Stats().RetriesIn, "nobody was asked to send it again")
			b.clean()
		})
	}
}

func TestStoreErrorsDuringEncryptionForAGroupSendNothing(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"GetSenderKey", "PutSenderKey", "GetManySessions", "PutManySessions", "commit", "panic"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			b, devices := brittleBench(t)
			group, err := b.net.AddGroup("Vecinos", []string{b.customer, b.business})
			require.NoError(t, err)
			to, err := whatsapp.ParseAddress(group.ID)
			require.NoError(t, err)
			m := whatsapp.Outgoing{WAID: events.WhatsAppMessageID(), To: to, Text: "al fin"}
			before := b.net.Stats().MessagesIn
			devices.breakOn(1, call)
			_, err = b.line.Send(t.Context(), m)
			require.Error(t, err)
			require.Positive(t, devices.broken.Load())
			require.True(t, errors.Is(err, whatsapp.ErrNotConnected) || errors.Is(err, whatsapp.ErrUnknownOutcome), "it is tried again: %v", err)
			require.Equal(t, before, b.net.Stats().MessagesIn)
			_, err = b.sendAgain(m)
			require.NoError(t, err)
			eventually(t, "it is shown once", func() bool { return slices.Equal([]string{"al fin"}, b.shown(b.customer, b.business)) })
			b.clean()
		})
	}
}

func TestStoreErrorsWhileConnectingAreHealed(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"UploadedPreKeyCount", "PutDevice"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			b, devices := brittleBench(t)
			n := b.sink.stateCount()
			devices.breakOn(2, call)
			b.fault(wasim.Fault{Kind: "cut"})
			b.write("sigo aquí")
			b.sink.awaitConnectedAgain(t, n)
			b.sink.awaitTexts(t, "sigo aquí")
			eventually(t, "all is acknowledged", func() bool { return b.net.Stats().Waiting == 0 })
			if call != "PutDevice" { // a device that has not changed is not stored
				require.Positive(t, devices.broken.Load())
			}
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
