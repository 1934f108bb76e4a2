package when

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzParse holds for any text: no panic, no date that the calendar lacks, no stretch that runs backwards, no minute beyond the day,
// the same meaning twice.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/es.txt", "testdata/pt.txt", "testdata/en.txt"} {
		eachPhrase(&testing.T{}, name, func(_ int, _ Language, _ Reference, phrase, _ string) { f.Add(phrase, int64(0), uint8(0)) })
	}
	f.Add("en 1000 años 99999999999 31/31/9999 0/0/0000", int64(1<<40), uint8(3))
	f.Add("de 5 a 5, de 24 a 24", int64(1), uint8(2))
	f.Add("de 000-0, a las 99/99, la 7a semana de abril, el 9no lunes de abril", int64(0), uint8(0))
	f.Add("del 45 al 3 de abril", int64(86400*300), uint8(1))
	zones := []string{"America/Argentina/Buenos_Aires", "America/Santiago", "America/Havana", "Europe/Madrid", "Pacific/Apia"}
	f.Fuzz(func(t *testing.T, text string, seconds int64, pick uint8) {
		now := time.Date(2026, 3, 25, 10, 0, 0, 0, time.UTC).Add(time.Duration(seconds%(40*365*86400)) * time.Second).In(zone(t, zones[int(pick)%len(zones)]))
		ref := Reference{Now: now, Open: func(d Date) []Span {
			require.True(t, d.Exists())
			return [][]Span{nil, {{540, 1080}}, {{1200, 1560}}, {{480, 780}, {960, 1260}}}[(int(pick)+d.Day)%4]
		}}
		lang := []Language{Spanish, Portuguese, English}[int(pick)%3]
		m := Parse(lang, text, ref)
		for _, o := range append(append([]Option{}, m.Options...), m.Not...) {
			checkOption(t, o)
		}
		require.Equal(t, m, Parse(lang, text, ref))
		require.NotEmpty(t, m.String())
		checkKind(t, m, DateOf(now))
	})
}

func checkOption(t *testing.T, o Option) {
	require.True(t, o.From.IsZero() || o.From.Exists(), "%v", o.From)
	require.True(t, o.To.IsZero() || o.To.Exists(), "%v", o.To)
	require.False(t, o.From.IsZero() && !o.To.IsZero())
	require.False(t, !o.To.IsZero() && o.To.Before(o.From), "%v", o)
	h := o.Hours
	require.True(t, h.From >= 0 && h.From < dayMinutes, "%v", h)
	require.True(t, h.To >= 0 && h.To <= 2*dayMinutes, "%v", h)
	if h.Shape == At {
		require.Equal(t, h.From, h.To)
	}
	if h.Shape == Between {
		require.Greater(t, h.To, h.From)
	}
}

func checkKind(t *testing.T, m Meaning, today Date) {
	switch m.Kind {
	case Ask:
		require.Greater(t, len(m.Options), 1)
	case Exact, Approximate:
		date, single := m.Options[0].Date()
		minute, at := m.Options[0].Hours.Minute()
		require.True(t, single && at)
		require.False(t, date.Before(today))
		if len(m.Not) == 0 {
			require.True(t, m.Admits(date, minute))
		}
	case DayOnly:
		_, single := m.Options[0].Date()
		require.True(t, single)
	case TimeOnly:
		require.False(t, m.Options[0].HasDay())
	case Holiday:
		require.NotEmpty(t, m.Name)
	case None:
		require.Empty(t, m.Options)
	}
}
