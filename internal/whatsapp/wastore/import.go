package wastore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"

	"turnero/internal/id"
	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

// old are the tables of whatsmeow's own store, each with its columns in the order of ours. $1 is the device's address. Both databases that the
// library knows understand them.
var old = map[tableID]string{
	tPreKey:     `SELECT key_id, CASE WHEN uploaded THEN 1 ELSE 0 END, key FROM whatsmeow_pre_keys WHERE jid = $1`,
	tSession:    `SELECT their_id, session FROM whatsmeow_sessions WHERE our_jid = $1`,
	tIdentity:   `SELECT their_id, identity FROM whatsmeow_identity_keys WHERE our_jid = $1`,
	tSenderKey:  `SELECT chat_id, sender_id, sender_key FROM whatsmeow_sender_keys WHERE our_jid = $1`,
	tAppVersion: `SELECT name, version, hash FROM whatsmeow_app_state_version WHERE jid = $1`,
	tAppMAC:     `SELECT name, index_mac, version, value_mac FROM whatsmeow_app_state_mutation_macs WHERE jid = $1`,
	tContact: `SELECT their_jid, COALESCE(first_name, ''), COALESCE(full_name, ''), COALESCE(push_name, ''), COALESCE(business_name, ''), COALESCE(redacted_phone, '')
		FROM whatsmeow_contacts WHERE our_jid = $1`,
	tChat:   `SELECT chat_jid, muted_until, CASE WHEN pinned THEN 1 ELSE 0 END, CASE WHEN archived THEN 1 ELSE 0 END FROM whatsmeow_chat_settings WHERE our_jid = $1`,
	tSecret: `SELECT chat_jid, sender_jid, message_id, key FROM whatsmeow_message_secrets WHERE our_jid = $1`,
	tToken:  `SELECT their_jid, timestamp, COALESCE(sender_timestamp, 0), token FROM whatsmeow_privacy_tokens WHERE our_jid = $1`,
	tSalt:   `SELECT salt FROM whatsmeow_nct_salt WHERE our_jid = $1`,
	tBuffer: `SELECT ciphertext_hash, server_timestamp, insert_timestamp, plaintext FROM whatsmeow_event_buffer WHERE our_jid = $1`,
	tRetry:  `SELECT chat_jid, message_id, format, timestamp, plaintext FROM whatsmeow_retry_buffer WHERE our_jid = $1`,
}

// importMark is the row that says that links were imported already.
const importMark = "imported"

// Import takes over the links that were made with whatsmeow's own store (SQLite or PostgreSQL) in from, where the table wameow_link says
// whose they are. Each is taken over whole or not at all; sessions that are linked already, or no longer exist, are passed over. It does something
// once per installation, and nothing may be connected meanwhile. The old tables stay as they are.
func (s *Store) Import(ctx context.Context, from *sql.DB, dialect sqlkit.Dialect) (links int, err error) {
	if isDone, err := s.isImported(ctx); err != nil || isDone {
		return 0, err
	}
	if err = s.checkOrigin(ctx, from); err != nil {
		return 0, err
	}
	refs, err := oldLinks(ctx, from)
	if err != nil {
		return 0, fmt.Errorf("read old links: %w", err)
	}
	library := sqlstore.NewWithDB(from, string(dialect), noLog)
	for jid, ref := range refs {
		term, ok, err := s.termOf(ctx, ref)
		if err != nil {
			return links, err
		}
		if !ok {
			continue
		}
		isNew, err := s.takeOver(ctx, from, library, jid, term)
		if err != nil {
			return links, fmt.Errorf("import the link of session %s: %w", ref.Session, err)
		}
		if isNew {
			links++
		}
	}
	_, err = s.db.Handle().Write().NewRaw("INSERT INTO whatsapp_network (name, network) VALUES (?, ?)", importMark, s.network).Exec(ctx)
	return links, err
}

func (s *Store) isImported(ctx context.Context) (bool, error) {
	var n int
	err := s.db.Handle().Read().NewRaw("SELECT COUNT(*) FROM whatsapp_network WHERE name = ?", importMark).Scan(ctx, &n)
	return n > 0, err
}

// checkOrigin refuses links that were made on another network.
func (s *Store) checkOrigin(ctx context.Context, from *sql.DB) error {
	var made string
	if err := from.QueryRowContext(ctx, `SELECT value FROM wameow_store WHERE name = 'network'`).Scan(&made); err != nil {
		return fmt.Errorf("read the mark of the old links: %w", err)
	}
	if made != s.network {
		return wrongNetwork(made, s.network)
	}
	return nil
}

func oldLinks(ctx context.Context, from *sql.DB) (map[types.JID]whatsapp.Ref, error) {
	rows, err := from.QueryContext(ctx, `SELECT tenant_id, session_id, jid FROM wameow_link`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // what matters is rows.Err
	out := map[types.JID]whatsapp.Ref{}
	for rows.Next() {
		var tenant, session string
		var jid types.JID
		if err = rows.Scan(&tenant, &session, &jid); err != nil {
			return nil, err
		}
		var ref whatsapp.Ref
		if ref.Tenant, err = id.ParseTenant(tenant); err != nil {
			return nil, err
		}
		if ref.Session, err = id.ParseSession(session); err != nil {
			return nil, err
		}
		out[jid] = ref
	}
	return out, rows.Err()
}

// termOf gives the present fence of a session; ok is false when there is no such session.
func (s *Store) termOf(ctx context.Context, ref whatsapp.Ref) (term whatsapp.Term, ok bool, err error) {
	term.Ref = ref
	err = s.db.Handle().Read().NewRaw("SELECT fence FROM whatsapp_sessions WHERE tenant_id = ? AND id = ?", ref.Tenant, ref.Session).Scan(ctx, &term.Fence)
	if sqlkit.IsNoRows(err) {
		return term, false, nil
	}
	return term, err == nil, err
}

// takeOver imports one link.
func (s *Store) takeOver(ctx context.Context, from *sql.DB, library *sqlstore.Container, jid types.JID, term whatsapp.Term) (isNew bool, err error) {
	own, err := s.session(ctx, term)
	if err != nil {
		return false, err
	}
	if have, err := own.find(ctx, key{table: tDevice}); err != nil || have != nil {
		return false, err
	}
	device, err := library.GetDevice(ctx, jid)
	if err != nil || device == nil {
		return false, err
	}
	state, err := stateOf(device)
	if err != nil {
		return false, err
	}
	w := newWrites()
	w.put(key{table: tDevice}, state)
	users := map[string]bool{}
	for table, query := range old {
		if err = copyTable(ctx, from, w, users, table, query, jid); err != nil {
			return false, fmt.Errorf("%s: %w", tables[table].name, err)
		}
	}
	if err = copyAppKeys(ctx, from, w, jid); err != nil {
		return false, err
	}
	if err = own.copyPairs(ctx, from, w, users); err != nil {
		return false, err
	}
	return true, own.commit(ctx, w, durable)
}

// copyTable adds a table's rows of one device to w, and whom they speak of to users.
func copyTable(ctx context.Context, from *sql.DB, w *writes, users map[string]bool, table tableID, query string, jid types.JID) error {
	rows, err := from.QueryContext(ctx, query, jid.String())
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // what matters is rows.Err
	for rows.Next() {
		f, err := scan(table, rows, func(_ key, data []byte) ([]byte, error) { return data, nil })
		if err != nil {
			return err
		}
		for i, part := range []*string{&f.key.a, &f.key.b, &f.key.c} {
			if i < len(tables[table].keys) && tables[table].keys[i].Kind == groupcommit.Text {
				if i < 2 {
					users[userOf(*part)] = true
				}
				*part = textKey(*part)
			}
		}
		for i, s := range f.row.texts {
			f.row.texts[i] = clean(s)
		}
		w.put(f.key, f.row)
	}
	return rows.Err()
}

// userOf gives the user of an address, "549…@s.whatsapp.net", or of a Signal address, "549…:0" or "123_1:0".
func userOf(address string) string {
	if i := strings.IndexAny(address, "@:_."); i >= 0 {
		return address[:i]
	}
	return address
}

func copyAppKeys(ctx context.Context, from *sql.DB, w *writes, jid types.JID) error {
	rows, err := from.QueryContext(ctx, `SELECT key_id, timestamp, key_data, fingerprint FROM whatsmeow_app_state_sync_keys WHERE jid = $1`, jid.String())
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // what matters is rows.Err
	for rows.Next() {
		var keyID, data, fingerprint []byte
		var made int64
		if err = rows.Scan(&keyID, &made, &data, &fingerprint); err != nil {
			return err
		}
		w.put(appKeyRow(keyID), newAppKey(data, fingerprint, made))
	}
	return rows.Err()
}

// copyPairs adds the pairs of addresses of those whom the session knows. The old table has those of all tenants.
func (s *session) copyPairs(ctx context.Context, from *sql.DB, w *writes, users map[string]bool) error {
	rows, err := from.QueryContext(ctx, `SELECT lid, pn FROM whatsmeow_lid_map`)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // what matters is rows.Err
	now := s.store.now().UnixMicro()
	for rows.Next() {
		var lid, pn string
		if err = rows.Scan(&lid, &pn); err != nil {
			return err
		}
		if (users[lid] || users[pn]) && textKey(lid) == lid && textKey(pn) == pn {
			w.put(lidRow(lid), &row{texts: []string{pn}, ints: []int64{now}})
		}
	}
	return rows.Err()
}
