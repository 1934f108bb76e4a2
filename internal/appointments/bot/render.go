package bot

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"turnero/internal/appointments"
	"turnero/internal/appointments/when"
)

// message is the text of a catalogue's entry, ready to be filled in: {name} is a fact, {name|form} a fact in one of its
// forms, and [a stretch in brackets] is left out when a fact in it is missing.
type message []piece

type piece struct {
	text     string
	fact     string
	form     string
	optional message
}

// UnmarshalText implements encoding.TextUnmarshaler, and so JSON.
func (m *message) UnmarshalText(text []byte) error {
	pieces, rest, err := parseMessage(string(text), false)
	if err == nil && rest != "" {
		err = fmt.Errorf("%q: nothing opens this", rest)
	}
	*m = pieces
	return err
}

func parseMessage(text string, inside bool) (message, string, error) {
	var out message
	for text != "" {
		i := strings.IndexAny(text, "{[]")
		if i < 0 {
			i = len(text)
		}
		if i > 0 {
			out, text = append(out, piece{text: text[:i]}), text[i:]
			continue
		}
		switch text[0] {
		case '{':
			name, rest, ok := strings.Cut(text[1:], "}")
			if !ok {
				return nil, "", fmt.Errorf("%q is not closed", text)
			}
			fact, form, _ := strings.Cut(name, "|")
			out, text = append(out, piece{fact: fact, form: form}), rest
		case '[':
			optional, rest, err := parseMessage(text[1:], true)
			if err != nil {
				return nil, "", err
			}
			out, text = append(out, piece{optional: optional}), rest
		case ']':
			if !inside {
				return out, text, nil
			}
			return out, text[1:], nil
		}
	}
	if inside {
		return nil, "", fmt.Errorf("a bracket is not closed")
	}
	return out, "", nil
}

// Render writes lines as one message in the language, with times as clocks in zone show them. Now decides what is "today".
func Render(lines []Line, language string, now time.Time, zone *time.Location) string {
	r := &renderer{c: catalogueOf(language), now: now, zone: zone}
	var b strings.Builder
	for i, l := range lines {
		switch {
		case i == 0:
		case l.Key.isEntry() || l.Key == lines[i-1].Key:
			b.WriteByte('\n')
		default:
			b.WriteString("\n\n")
		}
		text, _ := r.fill(r.c.Messages[l.Key], l.Vars)
		b.WriteString(text)
	}
	return b.String()
}

type renderer struct {
	c    *catalogue
	now  time.Time
	zone *time.Location
}

// fill gives the text of a message with its facts, and whether all of them were there.
func (r *renderer) fill(m message, vars Vars) (string, bool) {
	var b strings.Builder
	complete := true
	for _, p := range m {
		switch {
		case p.optional != nil:
			if text, ok := r.fill(p.optional, vars); ok {
				b.WriteString(text)
			}
		case p.fact != "":
			text := r.fact(vars[p.fact], p.form)
			complete = complete && text != ""
			b.WriteString(text)
		default:
			b.WriteString(p.text)
		}
	}
	return b.String(), complete
}

// fact writes one fact in the form that the message asks for.
func (r *renderer) fact(v any, form string) string {
	switch v := v.(type) {
	case string:
		return oneLine(v)
	case int:
		switch form {
		case "hour":
			return fmt.Sprintf("%02d:%02d", v/60%24, v%60)
		case "half":
			text, _ := r.fill(r.c.Messages[halfOf(v)], nil)
			return text
		}
		return strconv.Itoa(v)
	case time.Time:
		if form == "hour" {
			return v.In(r.zone).Format("15:04")
		}
		return r.day(when.DateOf(v.In(r.zone)), form)
	case when.Date:
		return r.day(v, form)
	case appointments.Money:
		return r.money(v)
	}
	return ""
}

// oneLine keeps what customers and businesses typed from breaking the shape of a message.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func halfOf(minute int) Key {
	switch hour := minute / 60 % 24; {
	case hour < 6:
		return keyHalfDawn
	case hour < 13:
		return keyHalfMorning
	case hour < 20:
		return keyHalfAfternoon
	}
	return keyHalfNight
}

// day names a date: "day" inside of a sentence, "Day" at the begin of one, "date" at the begin of a line of a list.
func (r *renderer) day(d when.Date, form string) string {
	if d.IsZero() {
		return ""
	}
	if form == "plain" {
		return fmt.Sprintf("%d/%d", d.Day, d.Month)
	}
	forms := r.c.Day
	if form == "date" {
		forms = r.c.Date
	}
	pattern := forms.Other
	switch days := d.DaysSince(when.DateOf(r.now.In(r.zone))); {
	case days == 0:
		pattern = forms.Today
	case days == 1:
		pattern = forms.Tomorrow
	case days > 300 || days < -300:
		pattern = forms.Far
	}
	weekday := r.c.Weekdays[d.Weekday()]
	text := strings.NewReplacer("{weekday}", weekday, "{Weekday}", capital(weekday), "{d}", strconv.Itoa(d.Day),
		"{m}", strconv.Itoa(int(d.Month)), "{y}", strconv.Itoa(d.Year)).Replace(pattern)
	if form == "Day" {
		return capital(text)
	}
	return text
}

func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// symbols are the signs of the currencies that have one where they are used.
var symbols = map[string]string{"ARS": "$", "MXN": "$", "CLP": "$", "COP": "$", "UYU": "$", "USD": "US$", "EUR": "€", "BRL": "R$", "PEN": "S/"}

// wholeOnly are the currencies whose minor unit is the unit itself (ISO 4217).
var wholeOnly = map[string]bool{"CLP": true, "PYG": true, "JPY": true, "KRW": true, "ISK": true, "VND": true, "XAF": true, "XOF": true, "UGX": true}

// money writes a price without needless decimals; "" for the zero value, which tells no price.
func (r *renderer) money(m appointments.Money) string {
	if m == (appointments.Money{}) {
		return ""
	}
	whole, cents := m.Amount/100, m.Amount%100
	if wholeOnly[m.Currency] {
		whole, cents = m.Amount, 0
	}
	digits := strconv.FormatInt(whole, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + r.c.Thousands + digits[i:]
	}
	if cents != 0 {
		digits += fmt.Sprintf("%s%02d", r.c.Decimal, cents)
	}
	symbol := symbols[m.Currency]
	if symbol == "" {
		symbol = m.Currency
	}
	return symbol + " " + digits
}
