package wameow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow/socket"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/internal/whatsapp"
)

// reasonOutdated says that WhatsApp wants a newer client.
const reasonOutdated = "client_outdated"

// outdatedPause is how long to wait, at least, before a client that WhatsApp called outdated tries again. By then it may have learned of a newer
// version to call itself.
const outdatedPause = 15 * time.Minute

// errNoToken refuses to get a token that only clients of another network have.
var errNoToken = errors.New("wameow: WhatsApp asked for a token of another network's clients")

// unknownBan is how long a ban is taken to last when WhatsApp does not say.
const unknownBan = time.Hour

// onEvent takes everything that the library has to say. It returns false to refuse the acknowledgement of the stanza that
// the event came from; so does everything that arrives after the end of the connection.
func (c *connection) onEvent(event any) bool {
	if e, ok := endOf(event, c.line.engine.now()); ok {
		if e.kind == endLoggedOut && c.isLeaving.Load() {
			e.reason = reasonLogout
		}
		c.end(e)
		return true
	}
	if !c.gate.enter() {
		return false
	}
	defer c.gate.leave()
	isTaken := false
	if err := safely(func() error { isTaken = c.take(event); return nil }); err != nil {
		c.line.log.Error("event handling panicked", "event", fmt.Sprintf("%T", event), "error", err)
		return c.refuse(err)
	}
	return isTaken
}

// endOf translates the events that end a connection.
func endOf(event any, now time.Time) (ending, bool) {
	switch ev := event.(type) {
	case *events.Disconnected:
		return ending{kind: endAgain, reason: "disconnected"}, true
	case *events.PairError:
		return ending{kind: endUnpaired, reason: "pair_failed", err: ev.Error}, true
	case *events.StreamError:
		return ending{kind: endAgain, reason: "stream_error_" + word(ev.Code)}, true
	case *events.StreamReplaced:
		return ending{kind: endReplaced, reason: "replaced"}, true
	case *events.LoggedOut:
		return ending{kind: endLoggedOut, reason: loggedOutReason(ev)}, true
	case *events.TemporaryBan:
		until := now.Add(unknownBan)
		if ev.Expire > 0 {
			until = now.Add(ev.Expire)
		}
		return ending{kind: endBanned, reason: "temporary_ban_" + strconv.Itoa(int(ev.Code)), until: until}, true
	case *events.ClientOutdated:
		return ending{kind: endStopped, reason: reasonOutdated, until: now.Add(outdatedPause + jitter(outdatedPause/4))}, true
	case *events.ConnectFailure:
		return ending{kind: endRefused, reason: "connect_failure_" + ev.Reason.NumberString()}, true
	case *events.CATRefreshError:
		return ending{kind: endRefused, reason: "token_wanted", err: ev.Error}, true
	}
	return ending{}, false
}

// loggedOutReason tells an unlinked device from a locked or banned account.
func loggedOutReason(ev *events.LoggedOut) string {
	if !ev.OnConnect {
		return "logged_out"
	}
	switch ev.Reason {
	case events.ConnectFailureMainDeviceGone:
		return "account_locked"
	case events.ConnectFailureUnknownLogout:
		return "account_banned"
	}
	return "logged_out"
}

// dialEnd is how an attempt ends that did not become a connection.
func dialEnd(err error) ending {
	e := ending{kind: endAgain, reason: "handshake_failed", err: err}
	var status socket.ErrWithStatusCode
	switch {
	case errors.As(err, &status) && status.StatusCode > 0:
		e.reason = "http_" + strconv.Itoa(status.StatusCode)
		if status.StatusCode >= 400 && status.StatusCode < 500 {
			e.kind, e.isOurs = endRefused, true
		}
	case errors.Is(err, socket.ErrDialFailed):
		e.reason = "dial_failed"
	}
	return e
}

// word keeps what a server sends short and harmless.
func word(code string) string {
	if n, err := strconv.Atoi(code); err == nil {
		return strconv.Itoa(n)
	}
	return "unknown"
}

// redactedError is an error as the log may show it.
func redactedError(err error) string {
	if err == nil {
		return ""
	}
	return redact(err.Error())
}

// take handles what belongs to a living connection. It returns false when the session could not take it.
func (c *connection) take(event any) bool {
	switch ev := event.(type) {
	case *events.Message:
		return c.received(ev)
	case *events.Receipt:
		return c.receipted(ev)
	case *events.Connected:
		return c.connected()
	case *events.QR:
		c.showCodes(ev.Codes)
	case *events.QRScannedWithoutMultidevice:
		c.line.report(c, whatsapp.LinkChange{State: whatsapp.LinkQR, Reason: "multidevice_off"})
	case *events.PairPasskeyRequest:
		c.line.report(c, whatsapp.LinkChange{State: whatsapp.LinkQR, Reason: "passkey_required"})
	case *events.PairSuccess:
		c.paired(ev)
	case *events.ManualLoginReconnect:
		c.restart()
	case *events.OfflineSyncCompleted:
		c.isCaughtUp.Store(true)
	case *events.KeepAliveTimeout:
		c.missed()
	case *events.NotifyAccountReachoutTimelock:
		return c.restricted(ev)
	case *events.PushNameSetting:
		return c.linked(ev.Action.GetName())
	case *events.UndecryptableMessage:
		c.line.log.Warn("message could not be decrypted, asked for again", "unavailable", ev.IsUnavailable)
	}
	return true
}

// connected is the moment from which messages flow.
func (c *connection) connected() bool {
	c.clearLimit()
	c.line.mu.Lock()
	isTold := c.line.isTold
	c.line.mu.Unlock()
	if !isTold && !c.linked(c.name) {
		return false
	}
	own := c.own()
	c.me.Store(&own)
	c.mu.Lock()
	c.steady = c.line.engine.now()
	c.mu.Unlock()
	c.listen()
	c.isConnected.Store(true)
	if c.ctx.Err() != nil {
		c.isConnected.Store(false)
		return false
	}
	c.line.engine.reached()
	c.line.report(c, whatsapp.LinkChange{State: whatsapp.LinkConnected})
	return true
}

// linked tells the session who it is on WhatsApp; refused, it ends the connection.
func (c *connection) linked(pushName string) bool {
	who := whatsapp.Identity{Contact: c.own(), PushName: pushName}
	err := c.tell(c.ctx, func(ctx context.Context, sink whatsapp.Sink) error { return sink.Linked(ctx, who) })
	if err != nil {
		return c.refuse(err)
	}
	c.line.mu.Lock()
	c.line.isTold = true
	c.line.mu.Unlock()
	return true
}

// own gives the session's own addresses. The library may still write them: only for its own goroutines.
func (c *connection) own() whatsapp.ContactIDs {
	return contactOf(c.client.Store.GetJID(), c.client.Store.GetLID())
}
