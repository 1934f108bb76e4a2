package when

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var (
	weekdayNames = [...]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"}
	monthNames   = [...]string{"", "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"}
	hourNames    = [...]string{"", "una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"}
	dayNames     = [...]string{"", "primero", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce", "trece", "catorce", "quince", "dieciséis", "diecisiete",
		"dieciocho", "diecinueve", "veinte", "veintiuno", "veintidós", "veintitrés", "veinticuatro", "veinticinco", "veintiséis", "veintisiete", "veintiocho", "veintinueve", "treinta", "treinta y uno"}
)

// dateForms write a date so that nobody can take it for another. withYear tells whether the year is part of it.
var dateForms = []struct {
	withYear bool
	write    func(Date) string
}{
	{true, func(d Date) string { return fmt.Sprintf("%02d/%02d/%04d", d.Day, d.Month, d.Year) }},
	{true, func(d Date) string { return fmt.Sprintf("%d-%d-%04d", d.Day, d.Month, d.Year) }},
	{true, func(d Date) string { return d.String() }},
	{true, func(d Date) string { return fmt.Sprintf("el %d de %s de %d", d.Day, monthNames[d.Month], d.Year) }},
	{true, func(d Date) string {
		return fmt.Sprintf("%s %d/%d/%02d", weekdayNames[d.Weekday()], d.Day, d.Month, d.Year%100)
	}},
	{false, func(d Date) string { return fmt.Sprintf("%d/%d", d.Day, d.Month) }},
	{false, func(d Date) string { return fmt.Sprintf("el %02d/%02d", d.Day, d.Month) }},
	{false, func(d Date) string { return fmt.Sprintf("%d de %s", d.Day, monthNames[d.Month]) }},
	{false, func(d Date) string { return fmt.Sprintf("el %s de %s", dayNames[d.Day], monthNames[d.Month]) }},
	{false, func(d Date) string {
		return fmt.Sprintf("%s %d de %s", weekdayNames[d.Weekday()], d.Day, monthNames[d.Month])
	}},
	{false, func(d Date) string {
		return fmt.Sprintf("el %s %d/%d", weekdayNames[d.Weekday()], d.Day, d.Month)
	}},
	{false, func(d Date) string { return fmt.Sprintf("%d %s", d.Day, monthNames[d.Month][:3]) }},
}

// timeForms write a minute of the day so that nobody can take it for another.
var timeForms = []func(int) string{
	func(m int) string { return fmt.Sprintf("a las %02d:%02d", m/60, m%60) },
	func(m int) string { return fmt.Sprintf("%02d:%02d hs", m/60, m%60) },
	func(m int) string { return fmt.Sprintf("%02d.%02dhs", m/60, m%60) },
	func(m int) string { return fmt.Sprintf("a las %02d%02d", m/60, m%60) },
	func(m int) string {
		return fmt.Sprintf("%d:%02d %s", (m/60+11)%12+1, m%60, []string{"am", "pm"}[m/720])
	},
	inWords,
}

// inWords writes a quarter of an hour as it is said: "a las cinco menos cuarto de la tarde".
func inWords(m int) string {
	quarter, hour := m%60/15, m/60
	if quarter == 3 {
		hour++
	}
	article, name := "las", hourNames[(hour+11)%12+1]
	if name == "una" {
		article = "la"
	}
	part := "de la madrugada"
	switch h := hour % 24; {
	case h >= 20:
		part = "de la noche"
	case h >= 12:
		part = "de la tarde"
	case h >= 6:
		part = "de la mañana"
	}
	return "a " + article + " " + name + []string{"", " y cuarto", " y media", " menos cuarto"}[quarter] + " " + part
}

func allDay(Date) []Span { return []Span{{0, dayMinutes}} }

// TestEveryDateAndQuarterOfTheYearIsReadBack writes dates and times as people do and reads them.
func TestEveryDateAndQuarterOfTheYearIsReadBack(t *testing.T) {
	t.Parallel()
	loc := zone(t, "America/Argentina/Buenos_Aires")
	for _, today := range []Date{{2026, 3, 25}, {2027, 12, 31}} {
		ref := Reference{Now: today.utc().Add(3*time.Hour + time.Minute).In(loc), Open: allDay}
		for n := 1; n < 365-justPast; n++ {
			date := today.AddDays(n)
			for i, f := range dateForms {
				require.Equal(t, date.String(), inSpanish(f.write(date), ref).String(), "form %d of %s on %s", i, date, today)
			}
			minute := n % 96 * 15
			f, g := dateForms[n%len(dateForms)], timeForms[n%len(timeForms)]
			text := f.write(date) + " " + g(minute)
			require.Equal(t, date.String()+"T"+clockText(minute), inSpanish(text, ref).String(), text)
		}
	}
}

func TestEveryQuarterOfTheDayIsReadBack(t *testing.T) {
	t.Parallel()
	ref := Reference{Now: time.Date(2026, 3, 25, 0, 0, 0, 0, zone(t, "America/Santiago")), Open: allDay}
	for minute := 0; minute < dayMinutes; minute += 15 {
		for i, write := range timeForms {
			require.Equal(t, "T"+clockText(minute), inSpanish(write(minute), ref).String(), "form %d: %s", i, write(minute))
		}
	}
}

// TestDatesThatDoNotExistAreInvalid tries every day number in every month.
func TestDatesThatDoNotExistAreInvalid(t *testing.T) {
	t.Parallel()
	loc := zone(t, "America/Argentina/Buenos_Aires")
	for year := 2026; year <= 2028; year++ {
		ref := Reference{Now: time.Date(year, 1, 1, 10, 0, 0, 0, loc)}
		for month := time.January; month <= time.December; month++ {
			for day := 1; day <= 40; day++ {
				date := Date{year, month, day}
				for _, text := range []string{fmt.Sprintf("%d/%d", day, month), fmt.Sprintf("el %d de %s", day, monthNames[month]), fmt.Sprintf("%d/%d/%d", day, month, year),
					fmt.Sprintf("para el %d de %s a las 10", day, monthNames[month])} {
					m := inSpanish(text, ref)
					if !date.Exists() {
						require.Equal(t, Invalid, m.Kind, "%s in %d", text, year)
						continue
					}
					if m.Kind == Past {
						continue // of the December before
					}
					got, single := m.Options[0].Date()
					require.True(t, single, text)
					require.Equal(t, date, got, text)
				}
			}
		}
	}
}

// TestWeekdayWithAnotherDateIsAConflict pairs every weekday with dates of the coming weeks.
func TestWeekdayWithAnotherDateIsAConflict(t *testing.T) {
	t.Parallel()
	ref := Reference{Now: time.Date(2026, 3, 25, 10, 0, 0, 0, zone(t, "America/Argentina/Buenos_Aires"))}
	for n := range 60 {
		date := DateOf(ref.Now).AddDays(n)
		for day := time.Sunday; day <= time.Saturday; day++ {
			text := fmt.Sprintf("%s %d de %s", weekdayNames[day], date.Day, monthNames[date.Month])
			m := inSpanish(text, ref)
			if day == date.Weekday() {
				require.Equal(t, date.String(), m.String(), text)
				continue
			}
			require.Equal(t, Conflict, m.Kind, text)
			require.Len(t, m.Options, 2, text)
			require.Equal(t, date, m.Options[0].From, text)
			require.Equal(t, day, m.Options[1].From.Weekday(), text)
			require.False(t, m.Options[1].From.Before(DateOf(ref.Now)), text)
		}
	}
}

// TestWrappingChangesNothing says the same in capitals, without accents, politely, and with a letter too few.
func TestWrappingChangesNothing(t *testing.T) {
	t.Parallel()
	ref := Reference{Now: time.Date(2026, 3, 25, 10, 0, 0, 0, zone(t, "America/Argentina/Buenos_Aires"))}
	rapid.Check(t, func(t *rapid.T) {
		date := DateOf(ref.Now).AddDays(rapid.IntRange(1, 300).Draw(t, "days"))
		minute := rapid.IntRange(0, 95).Draw(t, "quarter") * 15
		f := rapid.SampledFrom(dateForms).Draw(t, "date form")
		text := f.write(date) + rapid.SampledFrom([]string{" ", ", ", " - ", "\n"}).Draw(t, "between") + rapid.SampledFrom(timeForms).Draw(t, "time form")(minute)
		want := inSpanish(text, ref).String()
		before := rapid.SampledFrom([]string{"", "hola! ", "Buenas tardes, quería un turno para ", "me duele hace 3 días, ", "¿tenés lugar ", "soy Julio, "}).Draw(t, "before")
		after := rapid.SampledFrom([]string{"", "?", " por favor", ". Gracias!", " si puede ser", " 🙏"}).Draw(t, "after")
		said := before + text + after
		switch rapid.IntRange(0, 2).Draw(t, "case") {
		case 1:
			said = strings.ToUpper(said)
		case 2:
			said = fold(said)
		}
		require.Equal(t, want, inSpanish(said, ref).String(), said)
	})
}

func TestLettersMayBeMissingOrSwapped(t *testing.T) {
	t.Parallel()
	ref := Reference{Now: time.Date(2026, 3, 25, 10, 0, 0, 0, zone(t, "America/Argentina/Buenos_Aires"))}
	for _, word := range []string{"mañana", "lunes", "jueves", "viernes", "domingo", "miercoles", "sabado"} {
		want := inSpanish("el "+word+" a las 10", ref).String()
		letters := []rune(word)
		for i := 1; i < len(letters); i++ {
			missing := string(letters[:i]) + string(letters[i+1:])
			if missing == "vienes" {
				continue // is a word of its own
			}
			require.Equal(t, want, inSpanish("el "+missing+" a las 10", ref).String(), missing)
			if i+1 < len(letters) {
				swapped := string(letters[:i]) + string(letters[i+1]) + string(letters[i]) + string(letters[i+2:])
				require.Equal(t, want, inSpanish("el "+swapped+" a las 10", ref).String(), swapped)
			}
		}
	}
}
