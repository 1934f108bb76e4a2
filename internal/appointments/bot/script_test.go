package bot_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the scripts are set in Buenos Aires, whatever the machine knows

	"github.com/stretchr/testify/require"

	"turnero/internal/appointments"
	"turnero/internal/appointments/bot"
	"turnero/internal/id"
)

// The scripts in testdata are conversations, a line each:
//
//	desk one|two|three           a business with so many services; "two" and "three" have two people on the staff
//	open 8 21                    its hours
//	now 2026-03-25 10:00         the clock of the business
//	booked Ana Corte 2026-03-26 10:00
//	taken 2026-03-26 10:00       nobody is free for two hours from then
//	reminded 1                   of Ana's first appointment
//	> text                       Ana writes; \n parts messages that are answered together
//	< key key                    what the bot says, without the entries of menus
//	~ text                       stands in what it says
//	!~ text                      does not
//	= book Corte 2026-03-26 10:00 | move 2026-03-27 10:00 | cancel 2026-03-26 10:00 | confirm … | hand_off reason
//
// What is done without a line "=" that says so fails the script.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		for i, part := range strings.Split("\n"+string(raw), "\n# ")[1:] {
			name, body, _ := strings.Cut(part, "\n")
			t.Run(fmt.Sprintf("%s/%d %s", strings.TrimSuffix(filepath.Base(file), ".txt"), i+1, name), func(t *testing.T) {
				t.Parallel()
				newPlay(t).run(body)
			})
		}
	}
}

const customer = "Ana"

// play is one script being run.
type play struct {
	t     *testing.T
	desk  *desk
	state bot.State
	turn  []bot.Line
	text  string
	done  string // what was done and not yet told by the script
}

func newPlay(t *testing.T) *play { return &play{t: t, desk: newDesk(t)} }

func (p *play) run(body string) {
	lines := bufio.NewScanner(strings.NewReader(body))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		p.line(word, rest)
	}
	require.Empty(p.t, p.done, "done without a word in the script")
}

func (p *play) line(word, rest string) {
	switch word {
	case "desk":
		p.setUp(rest)
	case "open":
		p.open(rest)
	case "now":
		p.desk.now = p.at(rest)
	case "wait":
		d, err := time.ParseDuration(rest)
		require.NoError(p.t, err)
		p.desk.now = p.desk.now.Add(d)
	case "booked":
		who, rest, _ := strings.Cut(rest, " ")
		service, start := p.appointment(rest)
		p.desk.book(who, service, p.desk.staff[0].ID, start)
	case "taken":
		for _, m := range p.desk.staff {
			p.desk.book("somebody", p.desk.services[0].ID, m.ID, p.at(rest))
		}
	case "reminded":
		w := p.desk.world(customer)
		p.desk.reminded = w.Appointments[int(rest[0]-'1')].ID
	case ">":
		require.Empty(p.t, p.done, "done without a word in the script")
		p.write(strings.ReplaceAll(rest, `\n`, "\n"))
	case "<":
		require.Equal(p.t, rest, p.keys(), p.text)
	case "~":
		require.Contains(p.t, p.text, rest)
	case "!~":
		require.NotContains(p.t, p.text, rest)
	case "=":
		require.Equal(p.t, rest, p.done)
		p.done = ""
	default:
		require.FailNow(p.t, "unknown line", word)
	}
}

func (p *play) setUp(size string) {
	p.desk.addStaff("Laura", 9, 18)
	p.desk.addService("Corte", 60)
	if size != "one" {
		p.desk.addStaff("Martín", 9, 18)
		p.desk.addService("Color", 90)
	}
	if size == "three" {
		p.desk.addService("Corte y barba", 90)
	}
}

func (p *play) open(hours string) {
	var from, to int
	_, err := fmt.Sscanf(hours, "%d %d", &from, &to)
	require.NoError(p.t, err)
	for i := range p.desk.staff {
		for j := range p.desk.staff[i].Hours {
			p.desk.staff[i].Hours[j].From, p.desk.staff[i].Hours[j].To = appointments.Clock(from*60), appointments.Clock(to*60)
		}
	}
}

func (p *play) at(text string) time.Time {
	at, err := time.ParseInLocation("2006-01-02 15:04", text, p.desk.zone)
	require.NoError(p.t, err)
	return at
}

func (p *play) appointment(text string) (service id.Service, start time.Time) {
	name, at, _ := strings.Cut(text, " 20")
	for _, o := range p.desk.services {
		if o.Name == name {
			return o.ID, p.at("20" + at)
		}
	}
	require.FailNow(p.t, "no such service", text)
	return service, start
}

// write takes the steps that a message leads to. The state goes through its stored form, as between two processes.
func (p *play) write(text string) {
	w := p.desk.world(customer)
	turn := bot.Step(p.state, bot.Input{Text: text}, w)
	if turn.Action != nil {
		p.done = p.tell(*turn.Action)
	}
	if turn.Action.AwaitsOutcome() {
		require.Empty(p.t, turn.Lines)
		outcome := p.desk.carryOut(customer, *turn.Action)
		if outcome.Result != bot.Done {
			p.done = ""
		}
		turn = bot.Step(turn.State, bot.Input{Outcome: &outcome}, w)
		require.False(p.t, turn.Action.AwaitsOutcome())
	}
	raw, err := turn.State.Encode()
	require.NoError(p.t, err)
	p.state, p.turn = bot.ParseState(raw), turn.Lines
	p.text = bot.Render(turn.Lines, "es", p.desk.now, p.desk.zone)
	require.NotEmpty(p.t, p.text)
	require.NotContains(p.t, p.text, "{")
}

func (p *play) tell(a bot.Action) string {
	switch a.Kind {
	case bot.HandOff:
		return "hand_off " + a.Reason
	case bot.DoBook:
		return "book " + p.desk.offering(a.Service).Name + " " + a.Start.In(p.desk.zone).Format("2006-01-02 15:04")
	case bot.DoMove:
		return "move " + a.Start.In(p.desk.zone).Format("2006-01-02 15:04")
	}
	for _, e := range p.desk.booked {
		if e.id == a.Appointment {
			return string(a.Kind) + " " + e.start.In(p.desk.zone).Format("2006-01-02 15:04")
		}
	}
	return string(a.Kind) + " nothing"
}

// keys are the messages of the reply without the entries of menus.
func (p *play) keys() string {
	var out []string
	for _, l := range p.turn {
		if !strings.HasPrefix(string(l.Key), "entry_") && l.Key != bot.KeyMineEntry {
			out = append(out, string(l.Key))
		}
	}
	return strings.Join(out, " ")
}
