package when

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wednesday is the morning of Wednesday 25 March 2026 in Buenos Aires, with the usual hours.
func wednesday(t *testing.T) Reference {
	return Reference{Now: time.Date(2026, 3, 25, 10, 0, 0, 0, zone(t, "America/Argentina/Buenos_Aires"))}
}

func TestNoOpeningHoursMeansTheUsualOnes(t *testing.T) {
	t.Parallel()
	require.Equal(t, "2026-03-26T17:30", inSpanish("mañana a las 5 y media", wednesday(t)).String())
	require.Equal(t, "T10:00", inSpanish("a las 10", wednesday(t)).String())
}

func TestDayUnderDiscussionDatesHoursAlone(t *testing.T) {
	t.Parallel()
	ref := wednesday(t)
	ref.Day = Date{2026, 3, 28}
	ref.Open = func(d Date) []Span {
		if d.Weekday() == time.Saturday {
			return []Span{{20 * 60, 24 * 60}}
		}
		return usualHours
	}
	require.Equal(t, "2026-03-28T21:00", inSpanish("a las 9", ref).String())
	require.Equal(t, "2026-03-28 evening", inSpanish("a la noche", ref).String())
	require.Equal(t, "2026-03-27T09:00", inSpanish("el viernes a las 9", ref).String(), "another day is another day")
	require.Equal(t, "any morning", inSpanish("cualquier día a la mañana", ref).String())
	require.Equal(t, "none", inSpanish("gracias", ref).String())
}

func TestOpeningHoursAreAskedForOncePerDate(t *testing.T) {
	t.Parallel()
	asked := map[Date]int{}
	ref := wednesday(t)
	ref.Open = func(d Date) []Span {
		asked[d]++
		return usualHours
	}
	inSpanish("mañana a las 5 o a las 6, o el viernes entre las 2 y las 4", ref)
	require.NotEmpty(t, asked)
	for date, n := range asked {
		require.Equal(t, 1, n, "%s", date)
	}
}

func TestKindsSumUpWhatWasSaid(t *testing.T) {
	t.Parallel()
	for text, kind := range map[string]Kind{
		"hola": None, "mañana a las 10": Exact, "mañana tipo 10": Approximate, "a las 10": TimeOnly, "tipo 10": TimeOnly, "mañana": DayOnly, "mañana a la tarde": Part, "a la tarde": Part,
		"mañana después de las 4": Window, "entre las 2 y las 4": Window, "mañana a primera hora": First, "el último turno": Last, "la semana que viene": Range, "a partir del lunes": Range,
		"la semana que viene a la tarde": Range, "los martes": Wish, "menos el lunes": Wish, "cualquiera": Wish, "cuanto antes": Soonest, "cuanto antes a la tarde": Soonest,
		"lunes o martes": Ask, "el viernes que viene": Ask, "ayer": Past, "hoy a las 9": Past, "viernes santo": Holiday, "31 de abril": Invalid, "mañana a las 25": Invalid, "jueves 27": Conflict,
	} {
		require.Equal(t, kind, inSpanish(text, wednesday(t)).Kind, text)
	}
}

func TestAdmits(t *testing.T) {
	t.Parallel()
	thursday, friday, monday := Date{2026, 3, 26}, Date{2026, 3, 27}, Date{2026, 3, 30}
	cases := []struct {
		text   string
		date   Date
		minute int
		admits bool
	}{
		{"mañana a las 10", thursday, 600, true},
		{"mañana a las 10", thursday, 630, false},
		{"mañana a las 10", friday, 600, false},
		{"mañana tipo 10", thursday, 660, true},
		{"mañana tipo 10", thursday, 661, false},
		{"a la tarde", friday, 900, true},
		{"a la tarde", friday, 600, false},
		{"a la mañana", friday, 719, true},
		{"a la mañana", friday, 720, false},
		{"mañana después de las 4", thursday, 960, true},
		{"mañana después de las 4", thursday, 959, false},
		{"mañana antes de las 11", thursday, 660, true},
		{"mañana antes de las 11", thursday, 661, false},
		{"el viernes entre las 2 y las 4", friday, 840, true},
		{"el viernes entre las 2 y las 4", friday, 961, false},
		{"de 22 a 2", friday, 60, true},
		{"de 22 a 2", friday, 1380, true},
		{"de 22 a 2", friday, 720, false},
		{"cualquiera menos el lunes", monday, 600, false},
		{"cualquiera menos el lunes", friday, 600, true},
		{"el lunes a la mañana no puedo", monday, 600, false},
		{"el lunes a la mañana no puedo", monday, 900, true},
		{"mañana pero no a la mañana", thursday, 600, false},
		{"mañana pero no a la mañana", thursday, 900, true},
		{"lunes o viernes a la tarde", monday, 900, true},
		{"lunes o viernes a la tarde", thursday, 900, false},
		{"a partir del lunes", Date{2027, 1, 1}, 0, true},
		{"a partir del lunes", friday, 0, false},
		{"cuanto antes", friday, 600, true},
		{"cuanto antes a la tarde", friday, 600, false},
		{"gracias", friday, 600, false},
		{"viernes santo", friday, 600, false},
		{"ayer", Date{2026, 3, 24}, 600, false},
		{"jueves 27", friday, 600, false},
	}
	for _, c := range cases {
		require.Equal(t, c.admits, inSpanish(c.text, wednesday(t)).Admits(c.date, c.minute), "%s on %s at %s", c.text, c.date, clockText(c.minute))
	}
}

func TestConflictOffersBothReadings(t *testing.T) {
	t.Parallel()
	m := inSpanish("lunes 31/3", wednesday(t))
	require.Equal(t, []Option{{From: Date{2026, 3, 31}, To: Date{2026, 3, 31}}, {From: Date{2026, 3, 30}, To: Date{2026, 3, 30}}}, m.Options)
	m = inSpanish("mañana viernes", wednesday(t))
	require.Equal(t, []Option{{From: Date{2026, 3, 26}, To: Date{2026, 3, 26}}, {From: Date{2026, 3, 27}, To: Date{2026, 3, 27}}}, m.Options)
}

func TestPastTellsWhatIsOver(t *testing.T) {
	t.Parallel()
	m := inSpanish("hoy a las 9", wednesday(t))
	date, single := m.Options[0].Date()
	minute, at := m.Options[0].Hours.Minute()
	require.True(t, single && at)
	require.Equal(t, Date{2026, 3, 25}, date)
	require.Equal(t, 540, minute)
}

func TestHolidaysKeepTheirName(t *testing.T) {
	t.Parallel()
	require.Equal(t, "viernes santo", inSpanish("¿abren el Viernes Santo?", wednesday(t)).Name)
	require.Equal(t, "2026-03-30", inSpanish("si es feriado, el lunes", wednesday(t)).String(), "a date said beside it counts")
}

func TestTimesPastMidnightBelongToTheNextDate(t *testing.T) {
	t.Parallel()
	ref := wednesday(t)
	ref.Open = func(d Date) []Span {
		if d.Weekday() == time.Friday {
			return []Span{{22 * 60, 26 * 60}}
		}
		return nil
	}
	require.Equal(t, "2026-03-28T01:00", inSpanish("el viernes a la 1", ref).String(), "the shift of Friday is the only one open at one")
	require.Equal(t, "2026-03-28T01:30", inSpanish("el sábado a la 1 y media", ref).String())
	require.Equal(t, "2026-03-28T00:00", inSpanish("el viernes a medianoche", ref).String())
}

// TestLinesAreReadAsOne reads what somebody sends in pieces.
func TestLinesAreReadAsOne(t *testing.T) {
	t.Parallel()
	require.Equal(t, "2026-03-26T10:00", inSpanish("hola\nquiero un turno\nmañana\na las 10", wednesday(t)).String())
	require.Equal(t, "2026-03-30|2026-03-31", inSpanish("lunes\no martes", wednesday(t)).String())
}

func TestLongTextsAreReadInTime(t *testing.T) {
	t.Parallel()
	long := ""
	for range 2000 {
		long += "el lunes o martes 5 de abril a las 10 y media "
	}
	require.NotEqual(t, None, inSpanish(long, wednesday(t)).Kind)
}

func TestVocabulariesSayNothingTwice(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]*lexicon{"es": spanish, "pt": portuguese, "en": english} {
		require.Empty(t, l.twice, name)
	}
}

func TestUnknownLanguageIsReadAsSpanish(t *testing.T) {
	t.Parallel()
	require.Equal(t, "2026-03-26", Parse("fr", "mañana", wednesday(t)).String())
}
