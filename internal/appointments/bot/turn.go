package bot

import (
	"time"

	"turnero/internal/id"
)

// Input is what a step answers: something the customer wrote, or the outcome of the action that the step before asked for.
type Input struct {
	Text    string // what the customer wrote; messages that came together are separated by a line feed
	Outcome *Outcome
}

// Turn is what a step decides: the state to remember, what to say, and what to do.
type Turn struct {
	State State
	Lines []Line
	// Action is what is to be done. When it awaits an outcome there are no Lines, and the step is to be taken again with
	// State and the outcome as its Input.
	Action *Action
}

// ActionKind is what a step wants done.
type ActionKind string

// The kinds of actions. All but HandOff await an outcome.
const (
	DoBook    ActionKind = "book"
	DoMove    ActionKind = "move"
	DoCancel  ActionKind = "cancel"
	DoConfirm ActionKind = "confirm"
	HandOff   ActionKind = "hand_off" // give the chat to the staff
)

// Action is one thing to do for the customer.
type Action struct {
	Kind        ActionKind
	Service     id.Service     // of DoBook
	Staff       id.Staff       // of DoBook and DoMove; zero = anybody who is free, or who has it now
	Start       time.Time      // of DoBook and DoMove
	Appointment id.Appointment // of all but DoBook and HandOff
	Reason      string         // of HandOff
}

// AwaitsOutcome reports whether the step must be taken again once the action is done or refused.
func (a *Action) AwaitsOutcome() bool { return a != nil && a.Kind != HandOff }

// Outcome is what became of an action.
type Outcome struct {
	Action  Action
	Result  Result
	Booking Booking // as it stands after it, when Done
}

// Result tells how an action ended.
type Result string

// The results.
const (
	Done    Result = "done"
	NotFree Result = "not_free" // the time cannot be booked: taken meanwhile, too soon, closed
	Refused Result = "refused"  // the appointment cannot be changed any more
	Gone    Result = "gone"     // there is no such appointment or service
)

// Line is one thing to say: a message of the catalogue with the facts that it mentions (string, int, time.Time, when.Date or appointments.Money).
type Line struct {
	Key  Key
	Vars Vars
}

// Vars are the facts of a Line by their names in the message.
type Vars map[string]any

// turn is a step being taken.
type turn struct {
	w      *World
	lex    *lexicon
	s      State
	r      reading
	lines  []Line
	action *Action

	missesBefore int        // the count with which the step began
	doubtful     []Offering // the services that the words may mean, when there are several
}

// Step decides what the bot does next. It is a pure function of its arguments: it reads no clock and changes nothing.
func Step(s State, in Input, w *World) Turn {
	t := &turn{w: w, lex: lexiconOf(w.Language)}
	if in.Outcome != nil {
		t.s = s
		t.conclude(*in.Outcome)
	} else {
		t.s = s.fresh(w.Now)
		t.r = read(in.Text, w, t.lex, t.aboutDay())
		t.hear()
	}
	t.s.Version, t.s.At = stateVersion, w.Now
	return Turn{State: t.s, Lines: t.lines, Action: t.action}
}

// say adds a line to the reply.
func (t *turn) say(key Key, vars ...Vars) {
	l := Line{Key: key}
	if len(vars) > 0 {
		l.Vars = vars[0]
	}
	t.lines = append(t.lines, l)
}

// ask ends the reply with a question and the numbered entries of its menu. What was asked before binds no more.
func (t *turn) ask(q Question, key Key, vars Vars, menu ...Option) {
	t.s.Asked, t.s.Menu = q, menu
	t.say(key, vars)
	for i, o := range menu {
		t.lines = append(t.lines, t.entry(o, i+1))
	}
}

// do asks for an action.
func (t *turn) do(a Action) { t.action = &a }

// handOff gives the chat to the staff. The conversation is over for the bot.
func (t *turn) handOff(reason string, key Key) {
	t.s = t.s.settled()
	t.say(key, Vars{"business": t.w.Business})
	t.do(Action{Kind: HandOff, Reason: reason})
}

// isNew reports whether the conversation begins with this message.
func (t *turn) isNew() bool { return t.s.At.IsZero() }
