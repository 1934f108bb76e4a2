package sqlstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/appointments"
	"turnero/internal/appointments/bot"
	"turnero/internal/appointments/sqlstore"
	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit/sqltest"
)

// fuse fails one call of a store: the one that is reached when it has counted down.
type fuse struct {
	left  int
	blown bool
}

var errCut = errors.New("the power is cut")

func (f *fuse) pass() error {
	f.left--
	if f.left == 0 {
		f.blown = true
		return errCut
	}
	return nil
}

// frail is a bot.Store whose calls go through the fuse, the commit included.
type frail struct {
	bot.Store
	f *fuse
}

func (s frail) InTx(ctx context.Context, fn func(bot.Store) error) error {
	return s.Store.InTx(ctx, func(tx bot.Store) error {
		if err := s.f.pass(); err != nil {
			return err
		}
		if err := fn(frail{tx, s.f}); err != nil {
			return err
		}
		return s.f.pass()
	})
}

func (s frail) Appointments() appointments.Store { return frailSetup{s.Store.Appointments(), s.f} }

func (s frail) Consume(ctx context.Context, tenant id.Tenant, event id.Event, at time.Time) (bool, error) {
	fresh, err := s.Store.Consume(ctx, tenant, event, at)
	return fresh, errors.Join(err, s.f.pass())
}

func (s frail) LockConversation(ctx context.Context, tenant id.Tenant, chat id.Chat) (bot.Conversation, error) {
	c, err := s.Store.LockConversation(ctx, tenant, chat)
	return c, errors.Join(err, s.f.pass())
}

func (s frail) SaveConversation(ctx context.Context, tenant id.Tenant, c bot.Conversation) error {
	return errors.Join(s.Store.SaveConversation(ctx, tenant, c), s.f.pass())
}

func (s frail) LastReminder(ctx context.Context, tenant id.Tenant, of []id.Appointment, since time.Time) (id.Appointment, error) {
	a, err := s.Store.LastReminder(ctx, tenant, of, since)
	return a, errors.Join(err, s.f.pass())
}

// frailSetup is the appointments' Store in the same transaction, through the same fuse.
type frailSetup struct {
	appointments.Store
	f *fuse
}

func (s frailSetup) InTx(ctx context.Context, fn func(appointments.Store) error) error {
	return s.Store.InTx(ctx, func(tx appointments.Store) error { return fn(frailSetup{tx, s.f}) })
}

func (s frailSetup) Emit(ctx context.Context, ev events.Event) error {
	return errors.Join(s.Store.Emit(ctx, ev), s.f.pass())
}

func (s frailSetup) Enqueue(ctx context.Context, job events.Job) error {
	return errors.Join(s.Store.Enqueue(ctx, job), s.f.pass())
}

func (s frailSetup) EnqueueAt(ctx context.Context, job events.Job, at time.Time) error {
	return errors.Join(s.Store.EnqueueAt(ctx, job, at), s.f.pass())
}

func (s frailSetup) ListOfferings(ctx context.Context, tenant id.Tenant) ([]appointments.Offering, error) {
	all, err := s.Store.ListOfferings(ctx, tenant)
	return all, errors.Join(err, s.f.pass())
}

func (s frailSetup) LoadPlan(ctx context.Context, tenant id.Tenant, q appointments.PlanQuery) (appointments.Plan, error) {
	p, err := s.Store.LoadPlan(ctx, tenant, q)
	return p, errors.Join(err, s.f.pass())
}

func (s frailSetup) LockStaff(ctx context.Context, tenant id.Tenant, staff []id.Staff) error {
	return errors.Join(s.Store.LockStaff(ctx, tenant, staff), s.f.pass())
}

func (s frailSetup) CreateCustomer(ctx context.Context, tenant id.Tenant, c appointments.Customer, fold string) (bool, error) {
	fresh, err := s.Store.CreateCustomer(ctx, tenant, c, fold)
	return fresh, errors.Join(err, s.f.pass())
}

func (s frailSetup) CreateAppointment(ctx context.Context, tenant id.Tenant, a appointments.Appointment) error {
	return errors.Join(s.Store.CreateAppointment(ctx, tenant, a), s.f.pass())
}

// again tries until it succeeds, as deliveries and workers do.
func again(t *testing.T, try func() error) {
	t.Helper()
	err := try()
	if errors.Is(err, errCut) {
		err = try()
	}
	require.NoError(t, err)
}

// Whatever call the power is cut at, what is delivered again afterwards leads to one appointment, one event and one reply.
func TestACutAtAnyPointLosesNothingAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	f := &fuse{}
	for cut := 1; ; cut++ {
		b.tenant = id.NewTenant()
		b.hairdresser()
		b.bot = b.botOn(sqlstore.NewBot(b.store))
		ana := newSomeone("Ana")
		require.Contains(t, b.write(ana, "turno mañana a las 10"), "¿Lo confirmo?")

		*f = fuse{left: cut}
		b.bot = b.botOn(frail{sqlstore.NewBot(b.store), f})
		m, event := b.message(ana, "si"), id.NewEvent()
		again(t, func() error { return b.bot.HandleEvent(t.Context(), event, m) })
		again(t, func() error { return b.bot.HandleEvent(t.Context(), event, m) }) // delivered once more
		b.clock.set(b.clock.Now().Add(bot.Debounce))
		rows := b.planned()
		require.Len(t, rows, 1)
		again(t, func() error { return b.handle(rows[0]) })
		again(t, func() error { return b.handle(rows[0]) }) // its worker died before the job was gone
		b.end(rows[0])

		require.Equal(t, 1, b.rows("appointments"), "cut %d", cut)
		require.Equal(t, 1, b.rows("customers"), "cut %d", cut)
		require.Len(t, b.events("appointment.booked"), 1, "cut %d", cut)
		sent := b.sent(ana)
		require.Len(t, sent, 2, "cut %d", cut)
		require.Contains(t, sent[1].Text, "reservado", "cut %d", cut)
		if !f.blown {
			require.Greater(t, cut, 12, "the fuse stood in many places")
			return
		}
	}
}

// brittle is an appointments' Store that panics when it is asked for free times.
type brittle struct{ bot.Store }

type brittleSetup struct{ appointments.Store }

func (s brittle) InTx(ctx context.Context, fn func(bot.Store) error) error {
	return s.Store.InTx(ctx, func(tx bot.Store) error { return fn(brittle{tx}) })
}

func (s brittle) Appointments() appointments.Store { return brittleSetup{s.Store.Appointments()} }

func (brittleSetup) LoadPlan(context.Context, id.Tenant, appointments.PlanQuery) (appointments.Plan, error) {
	panic("broken")
}

func TestAPanicLeavesTheChatToTheStaffAndTheBotAlive(t *testing.T) {
	t.Parallel()
	b := newBotBench(t, sqltest.Fresh(t, "sqlite"))
	b.hairdresser()
	ana := newSomeone("Ana")
	b.bot = b.botOn(brittle{sqlstore.NewBot(b.store)})
	require.Empty(t, b.write(ana, "turno mañana a las 10"))
	require.Len(t, b.commands("whatsapp.handoff"), 1)
	require.Contains(t, b.commands("whatsapp.handoff")[0], bot.ReasonBotFailed)
	require.NotEmpty(t, b.write(ana, "mis turnos"), "the words that it failed on are not read again")
}
