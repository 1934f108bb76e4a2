package sqlstore_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/appointments/bot"
	"turnero/internal/appointments/sqlstore"
	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

// botBench is a bench with the bot answering. The jobs are run by the test, in the order of their run time, so that time
// passes only when the test says so.
type botBench struct {
	*bench
	bot     *bot.Service
	session id.Session
	off     bool
	err     error // of the settings
}

func newBotBench(t *testing.T, db *sqlkit.DB) *botBench {
	b := &botBench{bench: newBench(t, db), session: id.NewSession()}
	b.bot = b.botOn(sqlstore.NewBot(b.store))
	return b
}

// botOn makes the bot of a process of its own.
func (b *botBench) botOn(store bot.Store) *bot.Service {
	return bot.New(bot.Deps{Store: store, Appointments: b.svc, Settings: b, Phones: phones{}, Now: b.clock.Now, Logger: slog.New(slog.DiscardHandler)})
}

func (b *botBench) BotSettings(context.Context, id.Tenant) (bot.Settings, error) {
	return bot.Settings{On: !b.off, Business: "Peluquería", Language: "es"}, b.err
}

// someone is a customer with a phone.
type someone struct {
	chat            id.Chat
	wa, phone, name string
}

func newSomeone(name string) someone {
	chat := id.NewChat()
	return someone{chat: chat, wa: chat.String() + "@lid", name: name}
}

func (b *botBench) message(who someone, text string) *events.MessageReceived {
	now := b.clock.Now()
	return &events.MessageReceived{Tenant: b.tenant, Session: b.session, Chat: who.chat, Message: id.NewMessage(), WAID: "3EB0", ChatWA: who.wa, ChatKind: "direct", ChatMode: "bot",
		Phone: who.phone, SenderName: who.name, Type: "text", Text: text, SentAt: now, ReceivedAt: now}
}

func (b *botBench) deliver(ev events.Event) {
	b.t.Helper()
	require.NoError(b.t, b.bot.HandleEvent(b.t.Context(), id.NewEvent(), ev))
}

// due is a planned answer.
type due struct {
	ID      string
	Payload string
	RunAt   int64
}

func (b *botBench) planned() []due {
	b.t.Helper()
	var rows []due
	err := b.db.Handle().Read().NewSelect().TableExpr("jobs").Column("id", "payload", "run_at").Where("tenant_id = ?", b.tenant.String()).
		Where("kind = ?", bot.KindAnswer).Order("run_at", "pos").Scan(b.t.Context(), &rows)
	require.NoError(b.t, err)
	return rows
}

// handle runs one planned answer, without ending it: as a worker that dies right after it.
func (b *botBench) handle(d due) error {
	job := &bot.AnswerJob{}
	require.NoError(b.t, json.Unmarshal([]byte(d.Payload), job))
	return b.bot.HandleAnswer(b.t.Context(), job)
}

func (b *botBench) end(d due) {
	b.t.Helper()
	_, err := b.db.Handle().Write().NewDelete().TableExpr("jobs").Where("id = ?", d.ID).Exec(b.t.Context())
	require.NoError(b.t, err)
}

// pass lets time pass up to the instant and runs what falls due on the way.
func (b *botBench) pass(d time.Duration) {
	b.t.Helper()
	until := b.clock.Now().Add(d)
	for {
		rows := b.planned()
		if len(rows) == 0 || sqlkit.Time(rows[0].RunAt).After(until) {
			break
		}
		if at := sqlkit.Time(rows[0].RunAt); at.After(b.clock.Now()) {
			b.clock.set(at)
		}
		require.NoError(b.t, b.handle(rows[0]))
		b.end(rows[0])
	}
	b.clock.set(until)
}

// write has somebody write, and gives the reply.
func (b *botBench) write(who someone, text string) string {
	b.t.Helper()
	before := len(b.sent(who))
	b.deliver(b.message(who, text))
	b.pass(time.Second)
	sent := b.sent(who)
	require.LessOrEqual(b.t, len(sent), before+1, "one reply at most")
	if len(sent) == before {
		return ""
	}
	return sent[before].Text
}

// sent lists the replies queued to somebody.
func (b *botBench) sent(who someone) []*events.SendMessage {
	b.t.Helper()
	var out []*events.SendMessage
	for _, raw := range b.commands("whatsapp.send") {
		m := &events.SendMessage{}
		require.NoError(b.t, json.Unmarshal([]byte(raw), m))
		if m.Chat == who.chat {
			out = append(out, m)
		}
	}
	return out
}

func (b *botBench) commands(kind string) []string {
	b.t.Helper()
	var raw []string
	err := b.db.Handle().Read().NewSelect().TableExpr("jobs").Column("payload").Where("tenant_id = ?", b.tenant.String()).Where("kind = ?", kind).Order("pos").Scan(b.t.Context(), &raw)
	require.NoError(b.t, err)
	return raw
}

// hairdresser sets one service and one person up.
func (b *botBench) hairdresser() {
	b.person("Laura", b.offering(60, 60))
}

// onlyService gives the ID of the one service.
func (b *botBench) onlyService() id.Service {
	b.t.Helper()
	all, err := b.svc.Offerings(b.t.Context(), b.tenant)
	require.NoError(b.t, err)
	require.Len(b.t, all, 1)
	return all[0].ID
}
