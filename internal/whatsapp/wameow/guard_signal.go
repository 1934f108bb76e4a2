package wameow

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

// DoDecryptionTxn implements store.EventBuffer: one decryption with all its reads and writes, in one transaction, during which
// nothing else touches the session's Signal state. The error of the decryption itself is not the store's.
func (g *guard) DoDecryptionTxn(ctx context.Context, fn func(context.Context) error) error {
	var decryption error
	err := g.do(ctx, func(ctx context.Context, in innerStores) error {
		if err := g.ratchet.lock(ctx); err != nil {
			return err
		}
		defer g.ratchet.unlock()
		err := in.DoDecryptionTxn(withScope(ctx, &scope{holds: true}), func(ctx context.Context) error {
			decryption = safely(func() error { return fn(ctx) })
			return decryption
		})
		if decryption != nil {
			return nil // rolled back as it should be
		}
		return err
	})
	if decryption != nil {
		return decryption
	}
	return err
}

// GetManySessions implements store.SessionStore. It begins the part of a send that holds the Signal state.
func (g *guard) GetManySessions(ctx context.Context, addresses []string) (map[string][]byte, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (map[string][]byte, error) {
		s := scopeOf(ctx)
		switch {
		case s == nil:
			if err := g.ratchet.lockLoose(ctx); err != nil {
				return nil, err
			}
		case !s.holds:
			if err := g.ratchet.lock(ctx); err != nil {
				return nil, err
			}
			s.holds = true
		}
		return in.GetManySessions(ctx, addresses)
	})
}

// PutManySessions implements store.SessionStore. It ends what GetManySessions began. Of a send, the identities that it saw are
// written in the same transaction; one that encrypted for no device of its recipient is refused here, before its frame leaves.
func (g *guard) PutManySessions(ctx context.Context, sessions map[string][]byte) error {
	s := scopeOf(ctx)
	if s == nil {
		return g.do(ctx, func(ctx context.Context, in innerStores) error {
			defer g.ratchet.endLoose()
			return in.PutManySessions(ctx, sessions)
		})
	}
	if s.send == nil || !s.holds {
		return g.exclusively(ctx, func(ctx context.Context, in innerStores) error { return in.PutManySessions(ctx, sessions) })
	}
	defer s.giveBack(g.ratchet)
	if err := s.send.encryptedFor(slices.Collect(maps.Keys(sessions))); err != nil {
		return err
	}
	return g.do(ctx, func(ctx context.Context, in innerStores) error {
		return in.DoDecryptionTxn(ctx, func(ctx context.Context) error {
			for address, key := range s.send.identities {
				if err := in.PutIdentity(ctx, address, key); err != nil {
					return err
				}
			}
			return in.PutManySessions(ctx, sessions)
		})
	})
}

// giveBack ends the operation's hold of the Signal state, if it has it.
func (s *scope) giveBack(r *ratchet) {
	if s.holds {
		s.holds = false
		r.unlock()
	}
}

// GetSession implements store.SessionStore. Outside of a decryption or send it begins a loose operation.
func (g *guard) GetSession(ctx context.Context, address string) ([]byte, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) ([]byte, error) {
		if !holding(ctx) {
			if err := g.ratchet.lockLoose(ctx); err != nil {
				return nil, err
			}
		}
		return in.GetSession(ctx, address)
	})
}

// PutSession implements store.SessionStore. It ends the loose operation that GetSession began.
func (g *guard) PutSession(ctx context.Context, address string, session []byte) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error {
		if holding(ctx) {
			return putSession(ctx, in, address, session)
		}
		if !g.ratchet.isLoose.Load() {
			if err := g.ratchet.lockLoose(ctx); err != nil {
				return err
			}
		}
		defer g.ratchet.endLoose()
		return putSession(ctx, in, address, session)
	})
}

// putSession stores a session whose archived states are unspoilt.
func putSession(ctx context.Context, in innerStores, address string, session []byte) error {
	if hasArchive(session) {
		before, err := in.GetSession(ctx, address)
		if err != nil {
			return err
		}
		session = restoreArchived(before, session)
	}
	return in.PutSession(ctx, address, session)
}

// HasSession implements store.SessionStore.
func (g *guard) HasSession(ctx context.Context, address string) (bool, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (bool, error) { return in.HasSession(ctx, address) })
}

// DeleteAllSessions implements store.SessionStore.
func (g *guard) DeleteAllSessions(ctx context.Context, phone string) error {
	return g.exclusively(ctx, func(ctx context.Context, in innerStores) error { return in.DeleteAllSessions(ctx, phone) })
}

// DeleteSession implements store.SessionStore.
func (g *guard) DeleteSession(ctx context.Context, address string) error {
	return g.exclusively(ctx, func(ctx context.Context, in innerStores) error { return in.DeleteSession(ctx, address) })
}

// MigratePNToLID implements store.SessionStore.
func (g *guard) MigratePNToLID(ctx context.Context, pn, lid types.JID) error {
	return g.exclusively(ctx, func(ctx context.Context, in innerStores) error { return in.MigratePNToLID(ctx, pn, lid) })
}

// PutIdentity implements store.IdentityStore. A send keeps what it saw until it writes its sessions: one commit instead of one
// per device.
func (g *guard) PutIdentity(ctx context.Context, address string, key [32]byte) error {
	if op := sendOf(ctx); op != nil && holding(ctx) {
		op.identities[address] = key
		return nil
	}
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.PutIdentity(ctx, address, key) })
}

// IsTrustedIdentity implements store.IdentityStore.
func (g *guard) IsTrustedIdentity(ctx context.Context, address string, key [32]byte) (bool, error) {
	if op := sendOf(ctx); op != nil {
		if seen, ok := op.identities[address]; ok {
			return seen == key, nil
		}
	}
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (bool, error) {
		return in.IsTrustedIdentity(ctx, address, key)
	})
}

// DeleteIdentity implements store.IdentityStore.
func (g *guard) DeleteIdentity(ctx context.Context, address string) error {
	if op := sendOf(ctx); op != nil {
		delete(op.identities, address)
	}
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.DeleteIdentity(ctx, address) })
}

// DeleteAllIdentities implements store.IdentityStore.
func (g *guard) DeleteAllIdentities(ctx context.Context, phone string) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.DeleteAllIdentities(ctx, phone) })
}

// GetSenderKey implements store.SenderKeyStore. Sender keys need no ratchet lock: one's own moves under the library's lock of
// sends, everybody else's in the goroutine that handles stanzas.
func (g *guard) GetSenderKey(ctx context.Context, group, user string) ([]byte, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) ([]byte, error) { return in.GetSenderKey(ctx, group, user) })
}

// PutSenderKey implements store.SenderKeyStore. Once the group's text is encrypted, a send counts as having left.
func (g *guard) PutSenderKey(ctx context.Context, group, user string, session []byte) error {
	if op := sendOf(ctx); op != nil {
		if err := op.leaving(); err != nil {
			return err
		}
	}
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.PutSenderKey(ctx, group, user, session) })
}

// GetOrGenPreKeys implements store.PreKeyStore: all keys of a batch in one transaction.
func (g *guard) GetOrGenPreKeys(ctx context.Context, count uint32) ([]*keys.PreKey, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (batch []*keys.PreKey, err error) {
		g.preKeys.Lock()
		defer g.preKeys.Unlock()
		err = in.DoDecryptionTxn(ctx, func(ctx context.Context) (err error) {
			batch, err = in.GetOrGenPreKeys(ctx, count)
			return err
		})
		return batch, err
	})
}

// GenOnePreKey implements store.PreKeyStore.
func (g *guard) GenOnePreKey(ctx context.Context) (*keys.PreKey, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (*keys.PreKey, error) {
		g.preKeys.Lock()
		defer g.preKeys.Unlock()
		return in.GenOnePreKey(ctx)
	})
}

// GetPreKey implements store.PreKeyStore.
func (g *guard) GetPreKey(ctx context.Context, id uint32) (*keys.PreKey, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (*keys.PreKey, error) { return in.GetPreKey(ctx, id) })
}

// RemovePreKey implements store.PreKeyStore.
func (g *guard) RemovePreKey(ctx context.Context, id uint32) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.RemovePreKey(ctx, id) })
}

// MarkPreKeysAsUploaded implements store.PreKeyStore.
func (g *guard) MarkPreKeysAsUploaded(ctx context.Context, upTo uint32) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.MarkPreKeysAsUploaded(ctx, upTo) })
}

// UploadedPreKeyCount implements store.PreKeyStore.
func (g *guard) UploadedPreKeyCount(ctx context.Context) (int, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (int, error) { return in.UploadedPreKeyCount(ctx) })
}

// GetPrivacyToken implements store.PrivacyTokenStore. The library asks for it as the last thing before a direct message's
// frame leaves, which makes it the place to stop a send that was given up or reached nobody.
func (g *guard) GetPrivacyToken(ctx context.Context, user types.JID) (*store.PrivacyToken, error) {
	if op := sendOf(ctx); op != nil {
		if err := op.leaving(); err != nil {
			return nil, err
		}
	}
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (*store.PrivacyToken, error) {
		return in.GetPrivacyToken(ctx, user)
	})
}

// GetBufferedEvent implements store.EventBuffer.
func (g *guard) GetBufferedEvent(ctx context.Context, hash [32]byte) (*store.BufferedEvent, error) {
	return fetch(ctx, g, func(ctx context.Context, in innerStores) (*store.BufferedEvent, error) {
		return in.GetBufferedEvent(ctx, hash)
	})
}

// PutBufferedEvent implements store.EventBuffer.
func (g *guard) PutBufferedEvent(ctx context.Context, hash [32]byte, plaintext []byte, at time.Time) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.PutBufferedEvent(ctx, hash, plaintext, at) })
}

// ClearBufferedEventPlaintext implements store.EventBuffer.
func (g *guard) ClearBufferedEventPlaintext(ctx context.Context, hash [32]byte) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.ClearBufferedEventPlaintext(ctx, hash) })
}

// DeleteOldBufferedHashes implements store.EventBuffer.
func (g *guard) DeleteOldBufferedHashes(ctx context.Context) error {
	return g.do(ctx, func(ctx context.Context, in innerStores) error { return in.DeleteOldBufferedHashes(ctx) })
}
