package wastore

import (
	"context"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

// secretRow names a message's secret.
func secretRow(chat, sender types.JID, waID types.MessageID) key {
	return textRow(tSecret, chat.ToNonAD().String(), sender.ToNonAD().String(), waID)
}

// PutMessageSecret implements store.MsgSecretStore. The first secret of a message stays.
func (s *session) PutMessageSecret(ctx context.Context, chat, sender types.JID, waID types.MessageID, secret []byte) error {
	return s.put(ctx, lazy, secretRow(chat, sender, waID), &row{data: secret})
}

// PutMessageSecrets implements store.MsgSecretStore.
func (s *session) PutMessageSecrets(ctx context.Context, inserts []store.MessageSecretInsert) error {
	return s.change(ctx, lazy, func(w *writes) {
		for _, in := range inserts {
			w.put(secretRow(in.Chat, in.Sender, in.ID), &row{data: in.Secret})
		}
	})
}

// GetMessageSecret implements store.MsgSecretStore: of the message as it is named, or with the other address of its chat or sender. sender is the one under
// which it was stored; nil and an empty address when there is none.
func (s *session) GetMessageSecret(ctx context.Context, chat, sender types.JID, waID types.MessageID) ([]byte, types.JID, error) {
	if err := s.drain(ctx); err != nil { // which of two secrets stays is decided when they are stored
		return nil, types.EmptyJID, err
	}
	chats, err := s.both(ctx, chat)
	if err != nil {
		return nil, types.EmptyJID, err
	}
	senders, err := s.both(ctx, sender)
	if err != nil {
		return nil, types.EmptyJID, err
	}
	for _, c := range chats {
		for _, from := range senders {
			r, err := s.find(ctx, secretRow(c, from, waID))
			if err != nil {
				return nil, types.EmptyJID, err
			}
			if r != nil {
				return r.data, from, nil
			}
		}
	}
	return nil, types.EmptyJID, nil
}

// both gives an address without its device and, when it is known, the other one of the same person.
func (s *session) both(ctx context.Context, jid types.JID) ([]types.JID, error) {
	jid = jid.ToNonAD()
	var other types.JID
	var err error
	switch jid.Server {
	case types.DefaultUserServer:
		other, err = s.GetLIDForPN(ctx, jid)
	case types.HiddenUserServer:
		other, err = s.GetPNForLID(ctx, jid)
	}
	if err != nil || other.IsEmpty() {
		return []types.JID{jid}, err
	}
	return []types.JID{jid, other}, nil
}

// The numbers of a token, in the order of the table's columns: seconds since the Unix epoch, 0 for none.
const (
	tokenMade = iota
	tokenSent
)

func tokenRow(user types.JID) key { return textRow(tToken, user.ToNonAD().String()) }

// PutPrivacyTokens implements store.PrivacyTokenStore. An older token than the one that is there does not count.
func (s *session) PutPrivacyTokens(ctx context.Context, tokens ...store.PrivacyToken) error {
	keys := make([]key, len(tokens))
	for i, t := range tokens {
		keys[i] = tokenRow(t.User)
	}
	have, err := s.findMany(ctx, tToken, keys)
	if err != nil {
		return err
	}
	return s.change(ctx, lazy, func(w *writes) {
		for i, t := range tokens {
			next := &row{ints: []int64{t.Timestamp.Unix(), 0}, data: t.Token}
			if !t.SenderTimestamp.IsZero() {
				next.ints[tokenSent] = t.SenderTimestamp.Unix()
			}
			if old := have[keys[i]]; old != nil {
				if old.ints[tokenMade] > next.ints[tokenMade] {
					continue
				}
				if next.ints[tokenSent] == 0 {
					next.ints[tokenSent] = old.ints[tokenSent]
				}
			}
			have[keys[i]] = next
			w.put(keys[i], next)
		}
	})
}

// GetPrivacyToken implements store.PrivacyTokenStore: the newest of both addresses of a user, nil when there is none.
func (s *session) GetPrivacyToken(ctx context.Context, user types.JID) (*store.PrivacyToken, error) {
	users, err := s.both(ctx, user)
	if err != nil {
		return nil, err
	}
	var newest *row
	for _, u := range users {
		r, err := s.find(ctx, tokenRow(u))
		if err != nil {
			return nil, err
		}
		if r != nil && (newest == nil || r.ints[tokenMade] > newest.ints[tokenMade]) {
			newest = r
		}
	}
	if newest == nil {
		return nil, nil
	}
	out := &store.PrivacyToken{User: user.ToNonAD(), Token: newest.data, Timestamp: time.Unix(newest.ints[tokenMade], 0)}
	if at := newest.ints[tokenSent]; at != 0 {
		out.SenderTimestamp = time.Unix(at, 0)
	}
	return out, nil
}

// DeleteExpiredPrivacyTokens implements store.PrivacyTokenStore: tokens made before the cutoff, to the second.
func (s *session) DeleteExpiredPrivacyTokens(ctx context.Context, cutoff time.Time) (int64, error) {
	old, err := s.search(ctx, tToken, func(_ key, r *row) bool { return r.ints[tokenMade] < cutoff.Unix() }, "made_at < ?", cutoff.Unix())
	if err != nil || len(old) == 0 {
		return 0, err
	}
	return int64(len(old)), s.change(ctx, durable, func(w *writes) {
		for _, f := range old {
			w.put(f.key, nil)
		}
	})
}

// PutNCTSalt implements store.NCTSaltStore.
func (s *session) PutNCTSalt(ctx context.Context, salt []byte) error {
	return s.put(ctx, durable, key{table: tSalt}, &row{data: salt})
}

// GetNCTSalt implements store.NCTSaltStore; nil when there is none.
func (s *session) GetNCTSalt(ctx context.Context) ([]byte, error) {
	return s.data(ctx, key{table: tSalt})
}

// DeleteNCTSalt implements store.NCTSaltStore.
func (s *session) DeleteNCTSalt(ctx context.Context) error {
	return s.put(ctx, durable, key{table: tSalt}, nil)
}
