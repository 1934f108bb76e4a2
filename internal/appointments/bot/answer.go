package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"turnero/internal/appointments"
	"turnero/internal/events"
	"turnero/internal/id"
)

// KindAnswer is the kind of AnswerJob.
const KindAnswer = "bot.answer"

// AnswerJob is the command to answer what is pending in a chat. Each pending message has one; that of the last answers all.
type AnswerJob struct {
	Tenant  id.Tenant  `json:"tenant"`
	Chat    id.Chat    `json:"chat"`
	Message id.Message `json:"message"`
}

// JobKind implements events.Job.
func (j *AnswerJob) JobKind() string { return KindAnswer }

// JobTenant implements events.Job.
func (j *AnswerJob) JobTenant() id.Tenant { return j.Tenant }

// OrderKey implements events.Job. It is not the chat alone: the replies that are sent there have that key, and must not wait for an answer planned later.
func (j *AnswerJob) OrderKey() string { return "bot:" + j.Chat.String() }

// UniqueKey implements events.Job.
func (j *AnswerJob) UniqueKey() string { return j.Message.String() }

// HandleAnswer answers what is pending in the chat, unless a later message has put the answer off. Once that is committed,
// handling the job again changes nothing. An error means that nothing was changed.
func (s *Service) HandleAnswer(ctx context.Context, job *AnswerJob) error {
	settings, err := s.Settings.BotSettings(ctx, job.Tenant)
	if err != nil {
		return fmt.Errorf("read bot settings: %w", err)
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		now := s.Now()
		c, err := tx.LockConversation(ctx, job.Tenant, job.Chat)
		if err != nil || len(c.Pending) == 0 {
			return err
		}
		if c.Pending[len(c.Pending)-1].Message != job.Message && now.Before(c.AnswerAt) {
			return nil // a later message has a job of its own
		}
		a := &answer{Service: s, tx: tx, tenant: job.Tenant, settings: settings, c: &c, now: now}
		if err = a.run(ctx); err != nil {
			return err
		}
		c.Updated = now
		return tx.SaveConversation(ctx, job.Tenant, c)
	})
}

// answer is the answer to the pending messages of one chat, being made.
type answer struct {
	*Service
	tx       Store
	tenant   id.Tenant
	settings Settings
	c        *Conversation
	now      time.Time
	last     Pending // the message that is answered
}

func (a *answer) run(ctx context.Context) error {
	pending := slices.DeleteFunc(a.c.Pending, func(p Pending) bool { return a.now.Sub(p.SentAt) > MaxAge })
	a.c.Pending = nil
	if len(pending) == 0 || !a.settings.On {
		return nil
	}
	a.last = pending[len(pending)-1]
	a.c.Replies = slices.DeleteFunc(a.c.Replies, func(at time.Time) bool { return a.now.Sub(at) >= replyWindow })
	if len(a.c.Replies) >= MaxReplies {
		return a.giveUp(ctx)
	}
	text := combined(pending)
	if text == "" {
		return a.sayTextOnly(ctx)
	}
	return a.converse(ctx, text)
}

// combined puts the texts together as one input, in order. Of more than one reads at once the last ones count.
func combined(pending []Pending) string {
	var texts []string
	length := 0
	for _, p := range slices.Backward(pending) {
		if !p.IsText || strings.TrimSpace(p.Text) == "" {
			continue
		}
		if length += utf8.RuneCountInString(p.Text); length > maxText && len(texts) > 0 {
			break
		}
		texts = append(texts, p.Text)
	}
	slices.Reverse(texts)
	return strings.Join(texts, "\n")
}

// giveUp leaves the chat to the staff, once, after as many replies as one conversation can need: the other side may be a bot too.
func (a *answer) giveUp(ctx context.Context) error {
	if !a.c.Limited.IsZero() {
		return nil
	}
	a.c.Limited = a.now
	return a.handOff(ctx, ReasonTooMany)
}

func (a *answer) handOff(ctx context.Context, reason string) error {
	return a.tx.Appointments().Enqueue(ctx, &events.HandOffChat{Tenant: a.tenant, Chat: a.c.Chat, Reason: reason})
}

func (a *answer) sayTextOnly(ctx context.Context) error {
	if !a.c.TextOnly.IsZero() && a.now.Sub(a.c.TextOnly) < textOnlyWait {
		return nil
	}
	a.c.TextOnly = a.now
	return a.reply(ctx, Render([]Line{{Key: KeyTextOnly}}, a.settings.Language, a.now, time.UTC), true, true)
}

// converse takes the steps that the customer's words lead to, and replies.
func (a *answer) converse(ctx context.Context, text string) error {
	person := a.person()
	view := &view{ctx: ctx, svc: a.Appointments.Within(a.tx.Appointments()), tenant: a.tenant}
	w, err := view.look(a, person)
	if err != nil {
		return err
	}
	state := ParseState(a.c.State)
	turn, ok := a.step(ctx, state, Input{Text: text}, w)
	if err = view.err; err != nil {
		return err
	}
	if !ok {
		a.c.State = nil
		return a.handOff(ctx, ReasonBotFailed)
	}
	acted := false
	if turn.Action.AwaitsOutcome() {
		outcome, err := a.act(ctx, view, person, *turn.Action)
		if err != nil {
			return err
		}
		acted = outcome.Result == Done
		turn = Step(turn.State, Input{Outcome: &outcome}, w)
		if view.err != nil {
			return view.err
		}
	}
	if a.c.State, err = turn.State.Encode(); err != nil {
		return err
	}
	handsOff := turn.Action != nil && turn.Action.Kind == HandOff
	// The farewell of a chat that is handed over is sent though a person has it by then.
	if err = a.reply(ctx, Render(turn.Lines, w.Language, a.now, w.Zone), !handsOff, !acted); err != nil || !handsOff {
		return err
	}
	return a.handOff(ctx, turn.Action.Reason)
}

// step takes one step. A step that panics would do so again for the same words: it is logged, and the chat is for the staff.
func (a *answer) step(ctx context.Context, state State, in Input, w *World) (turn Turn, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			a.Logger.ErrorContext(ctx, "bot step panicked", "chat", a.c.Chat.String(), "panic", fmt.Sprint(p))
			turn, ok = Turn{}, false
		}
	}()
	return Step(state, in, w), true
}

// reply queues the bot's message, with its IDs fixed. One that only asks or offers is not worth sending hours later.
func (a *answer) reply(ctx context.Context, text string, onlyIfBot, perishable bool) error {
	if text == "" {
		return nil
	}
	a.c.Replies = append(a.c.Replies, a.now)
	a.c.Limited = time.Time{}
	m := &events.SendMessage{Tenant: a.tenant, Session: a.last.Session, Chat: a.c.Chat, Message: id.FromMessage("bot|" + a.tenant.String() + "|" + a.last.Message.String()),
		WAID: events.WhatsAppMessageID(), Text: clip(text, maxReply), Origin: appointments.OriginBot, OnlyIfBot: onlyIfBot, ReplyTo: a.last.Message}
	if perishable {
		m.NotAfter = a.now.Add(IdleAfter)
	}
	return a.tx.Appointments().Enqueue(ctx, m)
}
