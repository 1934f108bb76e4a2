package bot_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"turnero/internal/appointments/bot"
	"turnero/internal/id"
)

// said is what customers say, in bits that the property test strings together.
var said = []string{"hola", "buenas tardes", "quiero un turno", "turno", "corte", "color", "corte y barba", "mañana", "el viernes", "el viernes que viene", "a las 10", "a las 8", "17hs",
	"a la tarde", "a la noche", "el 31 de abril", "ayer", "el domingo", "1", "2", "3", "4", "9", "la primera", "el 27", "si", "sí", "dale", "ok", "confirmo", "no", "nop", "más horarios",
	"más tarde", "más temprano", "otro día", "cualquiera", "mis turnos", "cancelar", "cancelar mi turno", "no puedo ir", "reprogramar", "cambiar el turno del viernes al lunes", "menú", "gracias", "chau",
	"persona", "baja", "dónde queda", "asdf", "😂", "👍", "", "\n", "{start}", "%s", "con Laura", "con martín", "lo antes posible", "tipo 5", "entre las 2 y las 4", "otro", "otro para mi hijo", "para mí y para mi hija", "las dos", "el último", "la del medio", "dos turnos", "los dos", "cambié de idea", "horarios", "hacen alisado", "dejá", "otro horario", "mañana a las 10", "apt_01j9z3k5w8e0r9v6c2m4x7b1qd"}

func message(t *rapid.T) string {
	if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
		return rapid.String().Draw(t, "noise")
	}
	bits := rapid.SliceOfN(rapid.SampledFrom(said), 1, 3).Draw(t, "bits")
	return strings.Join(bits, rapid.SampledFrom([]string{" ", ", ", "\n"}).Draw(t, "glue"))
}

// asksToConfirm finds the question whose yes acts, and what it is about.
func asksToConfirm(lines []bot.Line) (bot.Key, time.Time) {
	for _, l := range lines {
		switch l.Key {
		case bot.KeyConfirmBook, bot.KeyConfirmMove, bot.KeyConfirmCancel:
			start, _ := l.Vars["start"].(time.Time)
			return l.Key, start
		}
	}
	return "", time.Time{}
}

// agreeing are the words of which one must be there before anything is done.
var agreeing = []string{"si", "sí", "dale", "ok", "confirmo", "1", "primera", "👍", "cancelar"}

func TestWhateverCustomersWrite(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(t)
		laura := d.addStaff("Laura", 9, 18)
		corte := d.addService("Corte", 60)
		if rapid.Bool().Draw(t, "bigger") {
			d.addStaff("Martín", 8, 21)
			d.addService("Color", 90)
			d.addService("Corte y barba", 60)
		}
		for day := range rapid.IntRange(0, 2).Draw(t, "own") {
			d.book(customer, corte, laura, d.now.AddDate(0, 0, day+1))
		}
		others := []id.Appointment{d.book("Beto", corte, laura, d.now.AddDate(0, 0, 2).Add(2*time.Hour)), d.book("Beto", corte, laura, d.now.AddDate(0, 0, 1).Add(3*time.Hour))}
		if w := d.world(customer); len(w.Appointments) > 0 && rapid.Bool().Draw(t, "reminded") {
			d.reminded = w.Appointments[0].ID
		}
		var state bot.State
		var shown []bot.Line
		for range rapid.IntRange(1, 12).Draw(t, "messages") {
			d.now = d.now.Add(time.Duration(rapid.SampledFrom([]int{1, 1, 1, 30, 130}).Draw(t, "pause")) * time.Minute)
			state, shown = oneMessage(t, d, state, shown, message(t))
		}
		for _, e := range d.booked {
			if slices.Contains(others, e.id) {
				require.Equal(t, "booked", e.status, "somebody else's appointment")
			}
		}
	})
}

// oneMessage takes the steps of one message and looks at all that must hold of them.
func oneMessage(t *rapid.T, d *desk, state bot.State, shown []bot.Line, text string) (bot.State, []bot.Line) {
	w := d.world(customer)
	fresh := state.At.IsZero() || d.now.Sub(state.At) > bot.IdleAfter
	turn := bot.Step(state, bot.Input{Text: text}, w)
	if a := turn.Action; a.AwaitsOutcome() {
		require.Empty(t, turn.Lines)
		key, start := asksToConfirm(shown)
		if a.Kind != bot.DoConfirm {
			want := map[bot.ActionKind]bot.Key{bot.DoBook: bot.KeyConfirmBook, bot.DoMove: bot.KeyConfirmMove, bot.DoCancel: bot.KeyConfirmCancel}[a.Kind]
			require.Equal(t, want, key, "%s without having asked, on %q", a.Kind, text)
			require.False(t, fresh, "%s on a question that binds no more", a.Kind)
			lower := strings.ToLower(text)
			require.True(t, slices.ContainsFunc(agreeing, func(s string) bool { return strings.Contains(lower, s) }), "%s on %q", a.Kind, text)
		}
		if a.Kind == bot.DoBook || a.Kind == bot.DoMove {
			require.True(t, start.Equal(a.Start), "another time than was asked")
		}
		if a.Kind != bot.DoBook {
			require.True(t, slices.ContainsFunc(w.Appointments, func(b bot.Booking) bool { return b.ID == a.Appointment }), "%s of an appointment that is not theirs", a.Kind)
		}
		outcome := d.carryOut(customer, *a)
		require.NotEqual(t, bot.Gone, outcome.Result)
		turn = bot.Step(turn.State, bot.Input{Outcome: &outcome}, w)
		require.False(t, turn.Action.AwaitsOutcome())
	}
	require.NotEmpty(t, turn.Lines, "no answer to %q", text)
	out := bot.Render(turn.Lines, "es", d.now, d.zone)
	require.NotEmpty(t, out)
	require.LessOrEqual(t, utf8.RuneCountInString(out), 4096)
	require.NotContains(t, out, "{")
	offersHold(t, d, turn)

	raw, err := turn.State.Encode()
	require.NoError(t, err)
	again, err := bot.ParseState(raw).Encode()
	require.NoError(t, err)
	require.JSONEq(t, string(raw), string(again))
	return bot.ParseState(raw), turn.Lines
}

// offersHold looks that every menu has as many entries as are shown, and that every time in it can be booked.
func offersHold(t *rapid.T, d *desk, turn bot.Turn) {
	entries := 0
	for _, l := range turn.Lines {
		if strings.HasPrefix(string(l.Key), "entry_") {
			entries++
		}
	}
	if entries == 0 {
		return
	}
	require.Len(t, turn.State.Menu, entries)
	for _, o := range turn.State.Menu {
		if o.Kind != bot.OptSlot {
			continue
		}
		service, moving := turn.State.Service, id.Appointment{}
		if turn.State.Task == bot.Reschedule {
			moving = turn.State.Target
		}
		_, ok := d.free(service, o.Staff, o.Start, moving)
		require.True(t, ok, "%s was offered", o.Start)
	}
}

// Step is a function: the same arguments give the same turn, and leave the state that they were given as it was.
func TestAStepIsAFunctionOfItsArguments(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(t)
		d.addStaff("Laura", 9, 18)
		d.addService("Corte", 60)
		d.addService("Color", 60)
		var state bot.State
		for range 4 {
			text := message(t)
			before, err := state.Encode()
			require.NoError(t, err)
			one := bot.Step(state, bot.Input{Text: text}, d.world(customer))
			after, err := state.Encode()
			require.NoError(t, err)
			require.Equal(t, string(before), string(after))
			require.Equal(t, one, bot.Step(state, bot.Input{Text: text}, d.world(customer)))
			state = one.State
		}
	})
}
