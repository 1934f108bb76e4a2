package sqlstore_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/appointments"
	"turnero/internal/appointments/bot"
	"turnero/internal/appointments/sqlstore"
	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/bus"
	"turnero/internal/platform/jobs"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/sqlkit/sqltest"
)

// With the real log and the real workers: from the stored message to the queued reply it takes the debounce and less than a second.
func TestTheReplyIsQueuedWithinASecond(t *testing.T) {
	t.Parallel()
	db := sqltest.Fresh(t, "sqlite")
	logger, wake := slog.New(slog.DiscardHandler), bus.NewMemory()
	log, queue := outbox.New(db, wake, time.Now, logger), jobs.New(db, wake, time.Now, logger)
	store := sqlstore.New(db, log, queue)
	svc := appointments.New(appointments.Deps{Store: store, Businesses: firms{}, Phones: phones{}, Now: time.Now})
	b := &botBench{bench: &bench{t: t, db: db, store: store, svc: svc, clock: &clock{now: time.Now()}, tenant: id.NewTenant()}}
	b.bot = bot.New(bot.Deps{Store: sqlstore.NewBot(store), Appointments: svc, Settings: b, Phones: phones{}, Now: time.Now, Logger: logger})
	b.hairdresser()

	log.Consume("bot", bot.EventNames(), func(ctx context.Context, rec outbox.Record) error { return b.bot.HandleEvent(ctx, rec.ID, rec.Event) })
	queue.Register(bot.KindAnswer, func() events.Job { return &bot.AnswerJob{} }, func(ctx context.Context, job events.Job, _ jobs.Run) error {
		return b.bot.HandleAnswer(ctx, job.(*bot.AnswerJob))
	})
	queued := make(chan string, 10)
	queue.Register("whatsapp.send", func() events.Job { return &events.SendMessage{} }, func(_ context.Context, job events.Job, _ jobs.Run) error {
		queued <- job.(*events.SendMessage).Text
		return nil
	})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = log.Run(ctx) })
	running.Go(func() { _ = queue.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })

	ana := newSomeone("Ana")
	say := func(text string) string {
		b.clock.set(time.Now())
		began := time.Now()
		require.NoError(t, store.Emit(t.Context(), b.message(ana, text)))
		select {
		case reply := <-queued:
			require.GreaterOrEqual(t, time.Since(began), bot.Debounce)
			t.Logf("%s after the debounce", time.Since(began)-bot.Debounce)
			return reply
		case <-time.After(20 * time.Second):
			require.FailNow(t, "no reply")
			return ""
		}
	}
	require.Contains(t, say("hola"), "*1.*")
	require.Contains(t, say("1"), "¿Lo confirmo?")
	require.Contains(t, say("si"), "reservado")
	require.Equal(t, 1, b.rows("appointments"))
	require.Empty(t, queued, "one reply to each message")
}
