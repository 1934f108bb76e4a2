package bot

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/events"
	"turnero/internal/id"
)

// Bounds of what the bot answers.
const (
	Debounce     = 700 * time.Millisecond // how long it waits for another message before it answers
	maxDebounce  = 3 * time.Second        // how long somebody who keeps writing waits
	MaxAge       = 2 * time.Hour          // an older message is for the staff only
	MaxReplies   = 20                     // per chat and hour; then the staff takes over
	replyWindow  = time.Hour
	textOnlyWait = time.Hour // between two hints that it reads only text
	maxPending   = 20        // of more messages at once the first are left to the staff
	maxText      = 1000      // characters of a message that are read
	maxReply     = 4096      // characters of a reply
	reminderLife = 26 * time.Hour
)

// How long is kept what only guards against repetition, and a conversation that nobody goes on with.
const (
	keepNotes         = 7 * 24 * time.Hour
	keepConversations = 30 * 24 * time.Hour
)

// Settings is what a tenant has settled about its bot.
type Settings struct {
	On       bool // answers at all; false as well while the tenant is suspended
	Business string
	Address  string // when the location has none of its own
	Language string // "es", "en" or "pt"
}

// TenantSettings gives a tenant's settings; another module owns them.
type TenantSettings interface {
	BotSettings(ctx context.Context, tenant id.Tenant) (Settings, error)
}

// Deps is what a Service is made of.
type Deps struct {
	Store        Store
	Appointments *appointments.Service
	Settings     TenantSettings
	Phones       appointments.Phones
	Now          func() time.Time
	Logger       *slog.Logger
}

// Service answers customers.
type Service struct{ Deps }

// New makes the Service.
func New(d Deps) *Service { return &Service{d} }

// EventNames are the events that HandleEvent wants, in the order of their chats.
func EventNames() []string {
	return []string{(&events.MessageReceived{}).EventName(), (&events.MessageSentByPerson{}).EventName(), (&events.ChatModeChanged{}).EventName(), (&events.AppointmentReminded{}).EventName()}
}

// HandleEvent notes a customer's message to be answered in a moment, and what else the bot must know of. Each event is
// consumed once, whatever the number of deliveries. An error means that nothing was noted.
func (s *Service) HandleEvent(ctx context.Context, event id.Event, ev events.Event) error {
	switch e := ev.(type) {
	case *events.MessageReceived:
		return s.receive(ctx, event, e)
	case *events.MessageSentByPerson:
		return s.fallSilent(ctx, event, e.Tenant, e.Chat)
	case *events.ChatModeChanged:
		if e.Mode == modePerson {
			return s.fallSilent(ctx, event, e.Tenant, e.Chat)
		}
	case *events.AppointmentReminded:
		return s.noteReminder(ctx, event, e)
	}
	return nil
}

// Words of whatsapp's events.
const (
	kindDirect = "direct"
	modePerson = "person"
	typeText   = "text"
)

// unread are the types of messages to which the bot says that it reads only text. To others, such as reactions, it says nothing.
var unread = []string{"image", "video", "audio", "voice", "document", "sticker", "location", "contact"}

// concerns reports whether the bot has anything to say to the message at all.
func concerns(e *events.MessageReceived, now time.Time) bool {
	return e.ChatKind == kindDirect && e.ChatMode != modePerson && now.Sub(e.SentAt) <= MaxAge && (e.Type == typeText || slices.Contains(unread, e.Type))
}

func (s *Service) receive(ctx context.Context, event id.Event, e *events.MessageReceived) error {
	now := s.Now()
	if !concerns(e, now) {
		return nil
	}
	settings, err := s.Settings.BotSettings(ctx, e.Tenant)
	if err != nil {
		return fmt.Errorf("read bot settings: %w", err)
	}
	if !settings.On {
		return nil
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		fresh, err := tx.Consume(ctx, e.Tenant, event, now)
		if err != nil || !fresh {
			return err
		}
		c, err := tx.LockConversation(ctx, e.Tenant, e.Chat)
		if err != nil || !c.wait(e, now) {
			return err
		}
		if err = tx.SaveConversation(ctx, e.Tenant, c); err != nil {
			return err
		}
		return tx.Appointments().EnqueueAt(ctx, &AnswerJob{Tenant: e.Tenant, Chat: e.Chat, Message: e.Message}, c.AnswerAt)
	})
}

// wait puts the message behind those that wait for their answer, and the answer off until the customer pauses. It reports
// false when the message waits already.
func (c *Conversation) wait(e *events.MessageReceived, now time.Time) bool {
	if slices.ContainsFunc(c.Pending, func(p Pending) bool { return p.Message == e.Message }) {
		return false
	}
	c.Pending = append(c.Pending, Pending{Message: e.Message, Session: e.Session, Text: clip(e.Text, maxText), IsText: e.Type == typeText,
		WhatsApp: e.ChatWA, Phone: e.Phone, Name: e.SenderName, SentAt: e.SentAt, At: now})
	if over := len(c.Pending) - maxPending; over > 0 {
		c.Pending = slices.Delete(c.Pending, 0, over)
	}
	c.AnswerAt = now.Add(Debounce)
	if latest := c.Pending[0].At.Add(maxDebounce); c.AnswerAt.After(latest) {
		c.AnswerAt = latest
	}
	c.Updated = now
	return true
}

// clip bounds a text, in characters.
func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

// fallSilent leaves a chat to the person who writes there: what waits for an answer gets none, and what the bot asked before
// that is not asked any more.
func (s *Service) fallSilent(ctx context.Context, event id.Event, tenant id.Tenant, chat id.Chat) error {
	now := s.Now()
	// Only messages that come after this event could begin a conversation meanwhile, and they are handled after it.
	isConversing, err := s.Store.IsConversing(ctx, tenant, chat)
	if err != nil {
		return err
	}
	if !isConversing {
		return s.Store.NoteConsumed(ctx, tenant, event, now)
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		fresh, err := tx.Consume(ctx, tenant, event, now)
		if err != nil || !fresh {
			return err
		}
		c, err := tx.LockConversation(ctx, tenant, chat)
		if err != nil {
			return err
		}
		c.State, c.Pending, c.Updated = nil, nil, now
		return tx.SaveConversation(ctx, tenant, c)
	})
}

// noteReminder notes which appointment the customer was reminded of. The reminder is the last thing that they read, so what the
// bot had asked before binds no more.
func (s *Service) noteReminder(ctx context.Context, event id.Event, e *events.AppointmentReminded) error {
	now := s.Now()
	return s.Store.InTx(ctx, func(tx Store) error {
		fresh, err := tx.Consume(ctx, e.Tenant, event, now)
		if err != nil || !fresh {
			return err
		}
		if err = tx.NoteReminder(ctx, e.Tenant, e.Appointment, e.At); err != nil || e.Chat.IsZero() {
			return err
		}
		c, err := tx.LockConversation(ctx, e.Tenant, e.Chat)
		if err != nil || ParseState(c.State).At.After(e.At) {
			return err
		}
		c.State, c.Updated = nil, now
		return tx.SaveConversation(ctx, e.Tenant, c)
	})
}

// Clean forgets what is too old to matter, and tells how many rows that were. It is to be called now and then, by one process or several.
func (s *Service) Clean(ctx context.Context) (int64, error) {
	now := s.Now()
	return s.Store.Forget(ctx, now.Add(-keepNotes), now.Add(-keepConversations))
}
