package wastore

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"
)

// tableID names one of the tables.
type tableID uint8

// The tables. The last two are not stored: the pairs of addresses by their other side, and which numbers were migrated.
const (
	tDevice tableID = iota
	tPreKey
	tSession
	tIdentity
	tSenderKey
	tAppKey
	tAppVersion
	tAppMAC
	tContact
	tChat
	tSecret
	tToken
	tSalt
	tBuffer
	tRetry
	tLID
	tPN
	tMigrated
	tableCount
)

// table says how rows are laid out: key columns, then texts, then whole numbers, then, in most, bytes.
type table struct {
	name      string
	keys      []groupcommit.Column
	texts     []string
	ints      []string
	hasData   bool
	isSealed  bool // data are encrypted
	isShared  bool // by all sessions of a tenant
	isVirtual bool // never written
	isCached  bool // rows are kept in memory
	absences  bool // and so is that there is none: nobody else writes them
	write     *groupcommit.Table
	columns   string // all of them, for SELECT
}

func text(name string) groupcommit.Column {
	return groupcommit.Column{Name: name, Kind: groupcommit.Text}
}

func number(name string) groupcommit.Column {
	return groupcommit.Column{Name: name, Kind: groupcommit.Int}
}

func blob(name string) groupcommit.Column {
	return groupcommit.Column{Name: name, Kind: groupcommit.Bytes}
}

var tables = [tableCount]*table{
	tDevice:     {name: "whatsapp_devices", texts: []string{"jid", "lid"}, hasData: true, isSealed: true},
	tPreKey:     {name: "whatsapp_pre_keys", keys: []groupcommit.Column{number("key_id")}, ints: []string{"is_uploaded"}, hasData: true, isSealed: true},
	tSession:    {name: "whatsapp_signal_sessions", keys: []groupcommit.Column{text("address")}, hasData: true, isSealed: true, isCached: true, absences: true},
	tIdentity:   {name: "whatsapp_identities", keys: []groupcommit.Column{text("address")}, hasData: true, isSealed: true, isCached: true, absences: true},
	tSenderKey:  {name: "whatsapp_sender_keys", keys: []groupcommit.Column{text("chat"), text("sender")}, hasData: true, isSealed: true, isCached: true, absences: true},
	tAppKey:     {name: "whatsapp_app_state_keys", keys: []groupcommit.Column{blob("key_id")}, ints: []string{"made_at"}, hasData: true, isSealed: true},
	tAppVersion: {name: "whatsapp_app_state_versions", keys: []groupcommit.Column{text("name")}, ints: []string{"version"}, hasData: true},
	tAppMAC:     {name: "whatsapp_app_state_macs", keys: []groupcommit.Column{text("name"), blob("index_mac"), number("version")}, hasData: true},
	tContact: {name: "whatsapp_device_contacts", keys: []groupcommit.Column{text("jid")},
		texts: []string{"first_name", "full_name", "push_name", "business_name", "redacted_phone"}, isCached: true, absences: true},
	tChat:   {name: "whatsapp_chat_settings", keys: []groupcommit.Column{text("jid")}, ints: []string{"muted_until", "is_pinned", "is_archived"}},
	tSecret: {name: "whatsapp_message_secrets", keys: []groupcommit.Column{text("chat"), text("sender"), text("wa_id")}, hasData: true, isSealed: true},
	tToken: {name: "whatsapp_privacy_tokens", keys: []groupcommit.Column{text("jid")}, ints: []string{"made_at", "sent_at"}, hasData: true, isSealed: true,
		isCached: true, absences: true},
	tSalt:     {name: "whatsapp_nct_salts", hasData: true, isSealed: true, isCached: true, absences: true},
	tBuffer:   {name: "whatsapp_event_buffer", keys: []groupcommit.Column{blob("hash")}, ints: []string{"server_at", "inserted_at"}, hasData: true, isSealed: true, isCached: true},
	tRetry:    {name: "whatsapp_retry_buffer", keys: []groupcommit.Column{text("chat"), text("wa_id")}, texts: []string{"format"}, ints: []string{"inserted_at"}, hasData: true, isSealed: true},
	tLID:      {name: "whatsapp_lid_map", keys: []groupcommit.Column{text("lid")}, texts: []string{"pn"}, ints: []string{"updated_at"}, isShared: true, isCached: true},
	tPN:       {name: "whatsapp_lid_map", keys: []groupcommit.Column{text("pn")}, texts: []string{"lid"}, ints: []string{"updated_at"}, isShared: true, isCached: true, isVirtual: true},
	tMigrated: {keys: []groupcommit.Column{text("number")}, isCached: true, isVirtual: true},
}

func init() {
	for i, t := range tables {
		var columns []string
		for _, c := range t.keys {
			columns = append(columns, c.Name)
		}
		columns = append(append(columns, t.texts...), t.ints...)
		if t.hasData {
			columns = append(columns, "data")
		}
		t.columns = strings.Join(columns, ", ")
		t.write = &groupcommit.Table{Name: t.name, Keys: append(t.scope(), t.keys...), KeepFirst: tableID(i) == tSecret}
		for _, name := range t.texts {
			t.write.Values = append(t.write.Values, text(name))
		}
		for _, name := range t.ints {
			t.write.Values = append(t.write.Values, number(name))
		}
		if t.hasData {
			t.write.Values = append(t.write.Values, blob("data"))
		}
	}
}

// scope gives the columns that say whose a row is.
func (t *table) scope() []groupcommit.Column {
	if t.isShared {
		return []groupcommit.Column{text("tenant_id")}
	}
	return []groupcommit.Column{text("tenant_id"), text("session_id")}
}

// key names a row of a session. Bytes are kept as a string, numbers in num.
type key struct {
	table   tableID
	a, b, c string
	num     int64
}

// row is what stands under a key. Nil stands for none.
type row struct {
	texts []string
	ints  []int64
	data  []byte
}

// mostKey is how long a key may be to be stored as it is, in bytes.
const mostKey = 160

// textKey makes a text fit for a key column of every database. What is too long, or is no clean text, is stored as its hash; nothing else begins
// with that sign. MySQL compares texts without the spaces at their end.
func textKey(s string) string {
	if len(s) <= mostKey && sqlkit.Text(s, mostKey) == s && !strings.HasPrefix(s, "#") && !strings.HasSuffix(s, " ") {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "#" + hex.EncodeToString(sum[:])
}

// bytesKey is textKey for columns of bytes.
func bytesKey(b []byte) string {
	if len(b) <= mostKey {
		return string(b)
	}
	sum := sha256.Sum256(b)
	return string(sum[:])
}

func textRow(t tableID, parts ...string) key {
	k := key{table: t}
	for i, part := range parts {
		part = textKey(part)
		switch i {
		case 0:
			k.a = part
		case 1:
			k.b = part
		case 2:
			k.c = part
		}
	}
	return k
}

// part gives the value of the key's i-th column, as the database takes it.
func (k key) part(i int) any {
	c := tables[k.table].keys[i]
	if c.Kind == groupcommit.Int {
		return k.num
	}
	s := k.a
	switch i {
	case 1:
		s = k.b
	case 2:
		s = k.c
	}
	if c.Kind == groupcommit.Bytes {
		return []byte(s)
	}
	return s
}

// size is about what a row takes in memory.
func (r *row) size(k key) int {
	n := 120 + len(k.a) + len(k.b) + len(k.c)
	if r == nil {
		return n
	}
	n += len(r.data) + 8*len(r.ints)
	for _, s := range r.texts {
		n += 16 + len(s)
	}
	return n
}
