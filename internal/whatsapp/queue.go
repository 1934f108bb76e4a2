package whatsapp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// MaxWait is the longest that a request may wait for the outcome of a message.
const MaxWait = 30 * time.Second

// SendCommand asks to send one text.
type SendCommand struct {
	Session id.Session    // zero = the tenant's default
	Chat    string        // our ID, a WhatsApp ID or a phone number
	Text    string        // at most MaxTextLength characters, not blank
	Key     string        // Idempotency-Key, "" for none
	Wait    time.Duration // how long to wait for the outcome; 0 = not at all, at most MaxWait
}

// errAlreadyQueued ends a transaction that found its message stored.
var errAlreadyQueued = errors.New("whatsapp: the message is queued already")

// errNotLinked is the fault of writing through a session without a link.
func errNotLinked() error {
	return fault.New(fault.Unavailable, FailedNotLinked, "this WhatsApp line is not linked to a phone; link it first")
}

// Queue accepts a text of a user or a system: when it returns, the message is stored as queued with its WhatsApp ID, or, with
// a wait, perhaps further. The same key with the same chat and text gives the message made then, as it is now. Faults: Invalid, NotFound (a chat that does
// not exist or that an employee may not see), Unavailable "session_not_linked". A line that is only offline takes messages.
func (s *Service) Queue(ctx context.Context, p id.Principal, cmd SendCommand) (Message, error) {
	ref, err := s.parseChat(ctx, p.Tenant, "chatId", cmd.Chat)
	if err != nil {
		return Message{}, err
	}
	if err = checkText("text", cmd.Text); err != nil {
		return Message{}, err
	}
	draft := Message{ID: id.NewMessage(), WAID: events.WhatsAppMessageID(), Type: TypeText, Text: cmd.Text, Origin: OriginAPI, Actor: p.Actor()}
	out, isOffered, ok, err := s.requestTogether(ctx, p, cmd, ref, draft)
	if err == nil && !ok {
		err = s.store.InTx(ctx, func(tx Store) error {
			out, err = s.queueFor(ctx, tx, p, cmd, ref, draft)
			return err
		})
	}
	if err != nil {
		return Message{}, err
	}
	if !isOffered {
		s.sessions.wake(out.Ref)
	}
	if cmd.Wait > 0 && out.isWaiting() {
		return s.await(ctx, out, min(cmd.Wait, MaxWait)), nil
	}
	return out, nil
}

// requestTogether is queueTogether for a request; it leaves to a transaction of its own what takes more than one look, which is who may see
// the chat, and what was asked before with the same key.
func (s *Service) requestTogether(ctx context.Context, p id.Principal, cmd SendCommand, ref chatRef, draft Message) (_ Message, isOffered, ok bool, _ error) {
	if p.Role == id.Employee {
		return Message{}, false, false, nil
	}
	post := Post{Term: Term{Ref: sessionOf(p.Tenant, cmd.Session)}, Operation: sendOperation, Key: cmd.Key}
	return s.queueTogether(ctx, post, cmd.Session, ref, draft, func(place *Place, _ *Message) error {
		switch {
		case !place.Chat.isWritable():
			return errNotWritable()
		case !place.IsLinked:
			return errNotLinked()
		}
		return nil
	})
}

// queueTogether queues a draft in a chat that is there, of the session if one is asked for, together with what others store at this moment. allow refuses it, or
// changes it first. ok is false where the chat is not known. isOffered tells that its sender has the message already.
func (s *Service) queueTogether(ctx context.Context, post Post, asked id.Session, ref chatRef, draft Message, allow func(place *Place, m *Message) error) (_ Message, isOffered, ok bool, _ error) {
	now := s.now()
	var queued struct { // what is stored, which a caller that has given up must not look at
		Message
		first     Queued // if nothing else waits
		isOffered bool
	}
	post.Chat, post.Address, post.AsksQueue = ref.id, ref.address, true
	post.Stored = func() { queued.isOffered = !queued.first.ID.IsZero() && s.sessions.offer(queued.first) }
	post.Decide = func(place Place) (Change, error) {
		chat := &place.Chat
		switch {
		case !chat.MergedInto.IsZero(), chat.Kind == DirectChat && !chat.Person.has(asContact(ref.address), ""):
			return Change{}, errStranger
		case !ref.id.IsZero() && !asked.IsZero() && chat.Session != asked:
			return Change{}, fault.NotFoundf("chat")
		}
		m := draft
		if err := allow(&place, &m); err != nil {
			return Change{}, err
		}
		told := chat.queued(&m, now)
		queued.Message, queued.first = m, Queued{}
		if place.IsFirst && m.Status == MessageQueued {
			queued.first = Queued{m, *chat}
		}
		return Change{Chat: chat, Message: &m, Events: told, Made: madeBy(chat, &m)}, nil
	}
	ok, err := s.store.Post(ctx, post)
	if errors.Is(err, errStranger) {
		ok, err = false, nil
	}
	if err != nil || !ok {
		return Message{}, false, ok, err
	}
	return queued.Message, queued.isOffered, true, nil
}

// errNotWritable is the fault of writing where only others write.
func errNotWritable() error { return fault.BadField("chatId", "must be a person or a group") }

func (s *Service) queueFor(ctx context.Context, tx Store, p id.Principal, cmd SendCommand, ref chatRef, draft Message) (Message, error) {
	now := s.now()
	chat, err := s.openChat(ctx, tx, p.Tenant, cmd.Session, ref, now)
	if err != nil {
		return Message{}, err
	}
	if err = s.mustSee(ctx, tx, p, chat.ID); err != nil {
		return Message{}, err
	}
	if !chat.isWritable() {
		return Message{}, errNotWritable()
	}
	will := madeBy(&chat, &draft)
	made, err := tx.ClaimKey(ctx, p.Tenant, sendOperation, cmd.Key, will.Fingerprint, will.Entity, now)
	if err != nil {
		return Message{}, err
	}
	if made != "" {
		message, err := id.ParseMessage(made)
		if err != nil {
			return Message{}, err
		}
		return tx.FindMessage(ctx, p.Tenant, message)
	}
	if err = s.mustBeLinked(ctx, tx, chat.Ref); err != nil {
		return Message{}, err
	}
	return s.enqueue(ctx, tx, chat, draft, now)
}

// isWritable reports whether messages can be sent to the chat.
func (c *Chat) isWritable() bool { return c.Kind == DirectChat || c.Kind == GroupChat }

// mustBeLinked returns a fault when the session has no link. One besides the default that does not exist is not found.
func (s *Service) mustBeLinked(ctx context.Context, st Store, ref Ref) error {
	session, err := st.FindSession(ctx, ref)
	if fault.Is(err, fault.NotFound) && ref.isDefault() || err == nil && !session.IsLinked {
		return errNotLinked()
	}
	return err
}

// enqueue stores a message as the newest of its chat, which is locked, and tells of it when a person wrote it.
func (s *Service) enqueue(ctx context.Context, tx Store, chat Chat, m Message, now time.Time) (Message, error) {
	told := chat.queued(&m, now)
	added, err := tx.AddMessage(ctx, m)
	if err != nil {
		return Message{}, err
	}
	if !added {
		return Message{}, errAlreadyQueued
	}
	if err = tx.SaveChat(ctx, chat); err != nil {
		return Message{}, err
	}
	return m, emit(ctx, tx, told...)
}

// queued makes a draft the chat's newest message, and gives the events that tell of it.
func (c *Chat) queued(m *Message, now time.Time) (told []events.Event) {
	m.Ref, m.ChatID, m.Pos, m.Direction = c.Ref, c.ID, c.nextPos(now), Out
	m.StatusAt, m.Timestamp, m.CreatedAt = now, now, now
	if m.Status == "" {
		m.Status = MessageQueued
	}
	c.newest(m)
	if m.Origin == OriginAPI {
		told = append(c.personWrote(now, now),
			&events.MessageSentByPerson{Tenant: m.Tenant, Session: m.Session, Chat: c.ID, Message: m.ID, Origin: m.Origin, Text: m.Text, SentAt: now})
	}
	if m.Status == MessageFailed {
		told = append(told, &events.MessageStatusChanged{Tenant: m.Tenant, Session: m.Session, Chat: c.ID, Message: m.ID, Status: string(m.Status), Reason: m.Reason, At: now})
	}
	return told
}

// HandleSend queues a text that another module asked for. Handling the same command again changes nothing. A line without
// link fails the message at once, so that whoever asked can do something about it.
func (s *Service) HandleSend(ctx context.Context, j *events.SendMessage) error {
	if err := checkText("text", j.Text); err != nil {
		return err
	}
	ref := chatRef{id: j.Chat}
	if j.Chat.IsZero() {
		var err error
		if ref, err = s.parseChat(ctx, j.Tenant, "to", j.To); err != nil {
			return err
		}
	}
	draft := Message{ID: j.Message, WAID: j.WAID, Type: TypeText, Text: j.Text, Origin: j.Origin, OnlyIfBot: j.OnlyIfBot, NotAfter: j.NotAfter, ReplyTo: j.ReplyTo}
	if draft.WAID == "" {
		draft.WAID = events.WhatsAppMessageID()
	}
	post := Post{Term: Term{Ref: sessionOf(j.Tenant, j.Session)}, WAID: draft.WAID}
	out, isOffered, ok, err := s.queueTogether(ctx, post, j.Session, ref, draft, func(place *Place, m *Message) error {
		if place.has(id.Contact{}) {
			return errAlreadyQueued
		}
		if !place.IsLinked {
			m.failNotLinked()
		}
		return nil
	})
	if err == nil && !ok {
		err = s.store.InTx(ctx, func(tx Store) (err error) {
			out, err = s.queueCommand(ctx, tx, j, ref, draft)
			return err
		})
	}
	if errors.Is(err, errAlreadyQueued) {
		return nil
	}
	if err != nil {
		return err
	}
	if out.Status == MessageFailed {
		s.observe.Failed(out.Reason)
		return nil
	}
	if !isOffered {
		s.sessions.wake(out.Ref)
	}
	return nil
}

func (s *Service) queueCommand(ctx context.Context, tx Store, j *events.SendMessage, ref chatRef, draft Message) (Message, error) {
	now := s.now()
	chat, err := s.openChat(ctx, tx, j.Tenant, j.Session, ref, now)
	if err != nil {
		return Message{}, err
	}
	err = s.mustBeLinked(ctx, tx, chat.Ref)
	if fault.HasReason(err, FailedNotLinked) {
		draft.failNotLinked()
	} else if err != nil {
		return Message{}, err
	}
	return s.enqueue(ctx, tx, chat, draft, now)
}

// failNotLinked makes a draft one that cannot be sent, since the line has no link.
func (m *Message) failNotLinked() { m.Status, m.Reason = MessageFailed, FailedNotLinked }

// HandleWithdraw fails a message that is still queued. One that is not there yet is an error, so that the command comes
// again after the one that makes it.
func (s *Service) HandleWithdraw(ctx context.Context, j *events.WithdrawMessage) error {
	reason := j.Reason
	if reason == "" {
		reason = failedWithdrawn
	}
	isWithdrawn := false
	err := s.store.InTx(ctx, func(tx Store) error {
		m, err := tx.LockMessage(ctx, j.Tenant, j.Message)
		if isWithdrawn = err == nil && m.isWaiting(); !isWithdrawn {
			return err
		}
		return s.settleMessage(ctx, tx, &m, MessageFailed, clean(reason, mostWAID), s.now())
	})
	if err != nil {
		return err
	}
	if isWithdrawn {
		s.observe.Failed(failedWithdrawn)
	}
	s.outcomes.tell(j.Message)
	return nil
}

// sendOperation is that of idempotency keys for messages.
const sendOperation = "whatsapp.send"

// madeBy tells what the request for a message made.
func madeBy(chat *Chat, m *Message) Made {
	return Made{fingerprint(chat.ID.String(), m.Type, m.Text), m.ID.String()}
}

// fingerprint tells requests with one idempotency key apart.
func fingerprint(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}
