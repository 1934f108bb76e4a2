package whatsapp

import (
	"time"

	"turnero/internal/events"
	"turnero/internal/id"
)

// Mode tells who answers in a chat.
type Mode string

// The modes of a chat.
const (
	BotMode    Mode = "bot"
	PersonMode Mode = "person"
)

// botSilence is how long the bot stays silent after a person of the business wrote.
const botSilence = 12 * time.Hour

// Reasons of a change of mode.
const (
	modePersonWrote = "person_wrote"
	modeSilence     = "silence" // the person wrote nothing for botSilence
	modeReleased    = "released"
	modeHandedOff   = "handed_off"
	modeMerged      = "chats_merged"
)

// Contact is one person, known to a tenant by number, LID or both.
type Contact struct {
	Tenant    id.Tenant
	ID        id.Contact
	IDs       ContactIDs
	Name      string // the name that the person gave themselves
	CreatedAt time.Time
}

// Chat is one WhatsApp conversation of a session.
type Chat struct {
	Ref
	ID          id.Chat
	Address     Address // canonical: of a person the LID when it is known
	Kind        ChatKind
	Person      Contact // the other side of a direct chat, zero for every other kind
	Mode        Mode
	PersonUntil time.Time // end of person mode; zero = until it is released
	Unread      int
	LastPos     int64 // position of the newest message; see Message.Pos
	LastMessage id.Message
	MergedInto  id.Chat // not zero: this chat turned out to be that one, and its messages are there
	CreatedAt   time.Time
}

// ModeAt tells who answers in the chat at the instant.
func (c *Chat) ModeAt(now time.Time) Mode {
	if c.Mode == PersonMode && (c.PersonUntil.IsZero() || c.PersonUntil.After(now)) {
		return PersonMode
	}
	return BotMode
}

// settleMode ends a person mode that has run out, and returns the event that tells of it.
func (c *Chat) settleMode(now time.Time) []events.Event {
	if c.Mode == PersonMode && c.ModeAt(now) == BotMode {
		return c.setMode(BotMode, modeSilence, time.Time{}, now)
	}
	return nil
}

// personWrote gives the chat to the staff until botSilence after the instant at which a person wrote. A chat that was
// handed off stays so.
func (c *Chat) personWrote(at, now time.Time) []events.Event {
	told := c.settleMode(now)
	until := at.Add(botSilence)
	if !until.After(now) || c.Mode == PersonMode && (c.PersonUntil.IsZero() || !until.After(c.PersonUntil)) {
		return told
	}
	return append(told, c.setMode(PersonMode, modePersonWrote, until, now)...)
}

// handOff gives the chat to the staff until it is released.
func (c *Chat) handOff(reason string, now time.Time) []events.Event {
	return append(c.settleMode(now), c.setMode(PersonMode, reason, time.Time{}, now)...)
}

// release gives the chat back to the bot.
func (c *Chat) release(now time.Time) []events.Event {
	return c.setMode(BotMode, modeReleased, time.Time{}, now)
}

func (c *Chat) setMode(mode Mode, reason string, until, now time.Time) []events.Event {
	changed := c.Mode != mode
	c.Mode, c.PersonUntil = mode, until
	if !changed {
		return nil
	}
	return []events.Event{&events.ChatModeChanged{Tenant: c.Tenant, Session: c.Session, Chat: c.ID, Mode: string(mode), Reason: reason, At: now}}
}

// nextPos gives the position of a message stored now: later than every other of the chat.
func (c *Chat) nextPos(now time.Time) int64 { return max(now.UnixMicro(), c.LastPos+1) }

// newest records the chat's newest message.
func (c *Chat) newest(m *Message) { c.LastPos, c.LastMessage = m.Pos, m.ID }

// absorb takes over what another chat with the same person knew besides its messages. doubled of the other's unread messages were in both.
func (c *Chat) absorb(other *Chat, doubled int) {
	c.Unread += max(0, other.Unread-doubled)
	c.LastPos = max(c.LastPos, other.LastPos)
	if other.Mode != PersonMode {
		return
	}
	isLonger := c.Mode == BotMode || other.PersonUntil.IsZero() || !c.PersonUntil.IsZero() && other.PersonUntil.After(c.PersonUntil)
	if isLonger {
		c.Mode, c.PersonUntil = PersonMode, other.PersonUntil
	}
}
