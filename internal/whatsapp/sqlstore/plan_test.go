package sqlstore

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
	"turnero/internal/whatsapp"
)

// Look-ups by keys are planned for any number of keys, and go through an index by all that is known of each, even while PostgreSQL knows nothing of what
// the tables hold.
func TestLookUpsGoByAllThatIsKnownOfAKey(t *testing.T) {
	t.Parallel()
	db := sqltest.Fresh(t, "postgres")
	_, err := db.SQL().ExecContext(t.Context(), `INSERT INTO whatsapp_messages SELECT 'one tenant', 'm' || i, 's' || i % 50, 'c' || i % 50, 'w' || i, i, 'out', '', 'text', 'x', 'sent', '', 0, 0, 'api', '',
		CASE WHEN i % 300 = 0 THEN 1 ELSE 0 END, 0, 0, '', 0 FROM generate_series(1, 3000) AS i`)
	require.NoError(t, err)
	_, err = db.SQL().ExecContext(t.Context(), `INSERT INTO whatsapp_chats SELECT 'one tenant', 'c' || i, 's' || i % 50, 'a' || i, 'direct', '', 'bot', 0, 0, i, '', '', 0 FROM generate_series(1, 1000) AS i`)
	require.NoError(t, err)
	_, err = db.SQL().ExecContext(t.Context(), `INSERT INTO whatsapp_contacts (tenant_id, id, number, lid, number_fold, name, created_at) SELECT 'one tenant', 'k' || i, 'n' || i, 'l' || i, '', '', 0 FROM generate_series(1, 1000) AS i`)
	require.NoError(t, err)
	_, err = db.SQL().ExecContext(t.Context(), `INSERT INTO idempotency_keys SELECT 'one tenant', 'send', 'k' || i, '', '', 0 FROM generate_series(1, 1000) AS i`)
	require.NoError(t, err)
	explain := func(s sqlkit.Statement) string {
		var plan strings.Builder
		arguments := strings.TrimSuffix(strings.Repeat("'{}', ", len(s.Args)-1), ", ") + ", 1"
		require.NoError(t, db.Keyed().InTx(t.Context(), func(ctx context.Context, h sqlkit.Handle) error {
			return h.Send(ctx, sqlkit.Statement{Text: "PREPARE looked AS " + s.Text}, sqlkit.Statement{Text: "EXPLAIN EXECUTE looked(" + arguments + ")", Each: func(row sqlkit.Row) error {
				var line string
				err := row.Scan(&line)
				plan.WriteString(line + "\n")
				return err
			}}, sqlkit.Statement{Text: "DEALLOCATE looked"})
		}))
		return plan.String()
	}
	ref := whatsapp.Ref{Tenant: id.NewTenant(), Session: id.NewSession()}
	key := [][3]string{{"t", "s", "k"}}
	r := &round{h: db.Keyed(), isIdle: map[whatsapp.Ref]bool{ref: true}}
	for _, analyzed := range []bool{false, true} {
		for by, statements := range map[string][]sqlkit.Statement{
			"whatsapp_messages_once.*wa_id":      append(r.wantMessages(map[waKey]bool{{}: true}, true), r.wantMessages(map[waKey]bool{{}: true}, false)...),
			"whatsapp_messages_queue.*session":   append(r.wantQueues(), r.want(key, queueSelect+messageSelect, queuedEach+ofQueued, "", nil)...),
			"whatsapp_chats_address.*address":    r.want(key, chatSelect, joins[byAddress]+chatJoins, "", nil),
			"whatsapp_chats_pkey.*[^_]id = ":     r.want(key, chatSelect, joins[byID]+chatJoins, "", nil),
			"idempotency_keys_pkey.*key = ":      r.wantClaims([][3]string{{"t", "send", "k"}}),
			"whatsapp_contacts_number.*number =": r.wantNumbers(map[place]bool{{by: byNumber}: true}, nil),
		} {
			for _, s := range statements {
				plan := explain(s)
				require.Regexp(t, `(?s)Scan using `+strings.Replace(by, ".*", `[^\n]*\n\s*Index Cond: [^\n]*`, 1), plan, "analyzed: %v\n%s", analyzed, s.Text)
				require.NotContains(t, plan, "Join Filter", s.Text)
			}
		}
		_, err = db.SQL().ExecContext(t.Context(), "ANALYZE")
		require.NoError(t, err)
	}
}
