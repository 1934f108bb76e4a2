package bot

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/appointments"
	"turnero/internal/appointments/when"
)

// declaredKeys reads the keys from the source, so that none can be declared without a text.
func declaredKeys(t *testing.T) map[Key]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "catalogue.go", nil, 0)
	require.NoError(t, err)
	keys := map[Key]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 || !strings.HasPrefix(strings.ToLower(spec.Names[0].Name), "key") {
			return true
		}
		if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
			text, err := strconv.Unquote(lit.Value)
			require.NoError(t, err)
			keys[Key(text)] = true
		}
		return true
	})
	require.Greater(t, len(keys), 60)
	return keys
}

func TestEveryMessageHasItsTextAndEveryTextItsMessage(t *testing.T) {
	t.Parallel()
	keys := declaredKeys(t)
	for language, c := range catalogues {
		for key := range keys {
			require.Contains(t, c.Messages, key, language)
		}
		for key := range c.Messages {
			require.Contains(t, keys, key, language)
		}
		for _, name := range c.Weekdays {
			require.NotEmpty(t, name, language)
		}
	}
	require.Contains(t, catalogues, fallback)
	require.Same(t, catalogues[fallback], catalogueOf("en"), "a language without a catalogue falls back")
	require.Same(t, catalogues[fallback], catalogueOf(""))
}

func TestMessagesWithAMistakeAreRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"a {name", "a [b", "a ] b", "[{name]}"} {
		var m message
		require.Error(t, m.UnmarshalText([]byte(bad)), bad)
	}
}

func TestFactsAreWrittenAsPeopleSayThem(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/Argentina/Buenos_Aires")
	require.NoError(t, err)
	now := time.Date(2026, 3, 25, 23, 30, 0, 0, zone)
	r := &renderer{c: catalogueOf("es"), now: now, zone: zone}
	cases := []struct {
		fact any
		form string
		want string
	}{
		{now.UTC(), "day", "hoy miércoles 25/3"},
		{now.Add(time.Hour), "day", "mañana jueves 26/3"},
		{now.Add(48 * time.Hour), "day", "el viernes 27/3"},
		{now.Add(48 * time.Hour), "Day", "El viernes 27/3"},
		{now.Add(48 * time.Hour), "date", "Viernes 27/3"},
		{now.AddDate(1, 0, 0), "date", "Jueves 25/3/2027"},
		{now, "hour", "23:30"},
		{when.Date{Year: 2026, Month: 4, Day: 3}, "day", "el viernes 3/4"},
		{when.Date{Year: 2026, Month: 4, Day: 3}, "plain", "3/4"},
		{when.Date{}, "day", ""},
		{8 * 60, "hour", "08:00"},
		{8 * 60, "half", "de la mañana"},
		{20 * 60, "half", "de la noche"},
		{17*60 + 30, "half", "de la tarde"},
		{2 * 60, "half", "de la madrugada"},
		{45, "", "45"},
		{"  Ana\n María ", "", "Ana María"},
		{appointments.Money{Amount: 800000, Currency: "ARS"}, "", "$ 8.000"},
		{appointments.Money{Amount: 123456789, Currency: "USD"}, "", "US$ 1.234.567,89"},
		{appointments.Money{Amount: 9500, Currency: "CLP"}, "", "$ 9.500"},
		{appointments.Money{Amount: 100, Currency: "CHF"}, "", "CHF 1"},
		{appointments.Money{}, "", ""},
		{nil, "", ""},
	}
	for _, c := range cases {
		require.Equal(t, c.want, r.fact(c.fact, c.form))
	}
}

func TestAStretchInBracketsNeedsItsFacts(t *testing.T) {
	t.Parallel()
	var m message
	require.NoError(t, m.UnmarshalText([]byte("¡Hola[ {name}]!")))
	r := &renderer{c: catalogueOf("es"), zone: time.UTC}
	text, _ := r.fill(m, Vars{"name": "Ana"})
	require.Equal(t, "¡Hola Ana!", text)
	text, _ = r.fill(m, nil)
	require.Equal(t, "¡Hola!", text)
}

func TestWordsAreComparedAsPeopleMeanThem(t *testing.T) {
	t.Parallel()
	require.Equal(t, words{"manana", "si", "ok", "dale"}, wordsOf("MAÑANA!! Siiii, okkk daleee"))
	require.Equal(t, words{"1"}, wordsOf("1️⃣"))
	require.Equal(t, words{"si"}, wordsOf("👍🏽"))
	require.True(t, wordsOf("quiero un tunro").has("turno~"))
	require.True(t, wordsOf("turo").has("tur*"))
	require.False(t, wordsOf("trueno y luz").has("turno~"))
	require.True(t, wordsOf("cancelr").has("cancelar~"))
	require.False(t, wordsOf("no puedo").has("no puedo ir"))
	require.True(t, wordsOf("sí, dale").only(spanish.yes, spanish.fillers))
	require.False(t, wordsOf("sí, pero más tarde").only(spanish.yes, spanish.fillers))
	require.False(t, wordsOf("gracias").only(spanish.yes, spanish.fillers), "a filler alone says nothing")
	require.False(t, isNear("turno", "tarde", 5))
	require.False(t, isNear("corte", "norma", 5))
	require.True(t, isNear("corte", "cotre", 5))
}

func TestTheNumberOfAnEntry(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"2": 2, "2.": 2, "la 2": 2, "el segundo": 2, "opción 2 por favor": 2, "dos": 2, "no, la 3": 3, "1\n2": 2, "99999999999999999999": 0} {
		r := reading{}
		for line := range strings.Lines(text) {
			r.lines = append(r.lines, wordsOf(line))
		}
		got, ok := r.number(&spanish)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"a las 2", "2 personas", "10:30", "mañana", "17hs", "quiero 2 turnos", "el 2 de abril"} {
		r := reading{lines: []words{wordsOf(text)}}
		_, ok := r.number(&spanish)
		require.False(t, ok, text)
	}
}

func TestServicesAreFoundByWhatPeopleCallThem(t *testing.T) {
	t.Parallel()
	services := []Offering{{Name: "Corte"}, {Name: "Corte y barba"}, {Name: "Coloración"}, {Name: "Depilación media pierna"}, {Name: "Uñas"}}
	for text, want := range map[string][]string{
		"corte": {"Corte"}, "quiero cortarme el pelo": {"Corte"}, "corte y barba": {"Corte y barba"}, "la barba": {"Corte y barba"}, "color": {"Coloración"},
		"a las 5 y media": nil, "pierna": {"Depilación media pierna"}, "las unas": {"Uñas"}, "hola": nil, "cotre": {"Corte"},
	} {
		var got []string
		for _, s := range matchServices(wordsOf(text), services, &spanish) {
			got = append(got, s.Name)
		}
		require.Equal(t, want, got, text)
	}
}
