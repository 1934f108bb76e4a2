package notifications

import (
	"fmt"
	"strings"
	"time"
)

// phrases are the words of a reminder in one language.
type phrases struct {
	hello, named     string // without and with the customer's name
	today            string
	on               string // weekday, day, month
	body             string // service, staff, business, when, hour
	at               string // address
	answer           string
	weekdays, months []string
}

var catalogue = map[string]phrases{
	"es": {
		hello: "Hola 👋", named: "Hola %s 👋", today: "hoy", on: "el %s %d de %s",
		body: "te recordamos tu turno de *%s* con %s en %s: *%s a las %s*.", at: "📍 %s",
		answer:   "Si no podés venir, respondé *cancelar* y liberamos el horario.",
		weekdays: []string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
		months:   []string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
	},
	"pt": {
		hello: "Olá 👋", named: "Olá %s 👋", today: "hoje", on: "%s, %d de %s",
		body: "lembramos do seu horário de *%s* com %s em %s: *%s às %s*.", at: "📍 %s",
		answer:   "Se não puder vir, responda *cancelar* e liberamos o horário.",
		weekdays: []string{"domingo", "segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado"},
		months:   []string{"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"},
	},
	"en": {
		hello: "Hello 👋", named: "Hello %s 👋", today: "today", on: "on %s %d %s",
		body: "a reminder of your appointment: *%s* with %s at %s, *%s at %s*.", at: "📍 %s",
		answer:   "If you cannot come, answer *cancel* and we will free the time.",
		weekdays: []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		months:   []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	},
}

// reminderText writes a reminder in the tenant's language and the location's zone.
func reminderText(r *Reminder, settings Settings, now time.Time) string {
	p, ok := catalogue[settings.Language]
	if !ok {
		p = catalogue["es"]
	}
	loc, err := time.LoadLocation(r.Zone)
	if err != nil {
		loc = time.UTC
	}
	start := r.Start.In(loc)
	hello := p.hello
	if name := strings.TrimSpace(r.Name); name != "" {
		hello = fmt.Sprintf(p.named, name)
	}
	lines := []string{hello + ", " + fmt.Sprintf(p.body, r.Service, r.Staff, settings.Business, p.day(start, now.In(loc)), start.Format("15:04"))}
	if settings.Address != "" {
		lines = append(lines, fmt.Sprintf(p.at, settings.Address))
	}
	return strings.Join(append(lines, p.answer), "\n")
}

// day names the day of start. Only "today" is said in relation to now: a message that waits for its line is not sent after
// the start, so "today" stays true, while "tomorrow" may be wrong by the time it leaves.
func (p phrases) day(start, now time.Time) string {
	year, month, day := start.Date()
	if y, m, d := now.Date(); y == year && m == month && d == day {
		return p.today
	}
	return fmt.Sprintf(p.on, p.weekdays[start.Weekday()], day, p.months[month-1])
}
