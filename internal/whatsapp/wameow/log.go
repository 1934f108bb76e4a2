package wameow

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	waBinary "go.mau.fi/whatsmeow/binary"
	waLog "go.mau.fi/whatsmeow/util/log"
)

// queueFull begins the library's warning that it is about to handle stanzas out of order.
const queueFull = "Handler queue is full"

// libraryLog carries the library's log to slog. The library's words hold phone numbers, stanzas and sometimes more, so above
// debug level they lose every longer number and every stanza but its name.
type libraryLog struct {
	log      *slog.Logger
	part     string
	overflow func() // told when the library's queue of stanzas is full
}

var _ waLog.Logger = libraryLog{}

// Errorf implements waLog.Logger.
func (l libraryLog) Errorf(format string, args ...any) { l.write(slog.LevelWarn, format, args) }

// Warnf implements waLog.Logger.
func (l libraryLog) Warnf(format string, args ...any) {
	if strings.HasPrefix(format, queueFull) && l.overflow != nil {
		l.overflow()
	}
	l.write(slog.LevelWarn, format, args)
}

// Infof implements waLog.Logger. What is news to the library is detail to us.
func (l libraryLog) Infof(format string, args ...any) { l.write(slog.LevelDebug, format, args) }

// Debugf implements waLog.Logger.
func (l libraryLog) Debugf(format string, args ...any) { l.write(slog.LevelDebug, format, args) }

// Sub implements waLog.Logger.
func (l libraryLog) Sub(module string) waLog.Logger {
	l.part = strings.Trim(l.part+"/"+module, "/")
	return l
}

func (l libraryLog) write(level slog.Level, format string, args []any) {
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	if level > slog.LevelDebug {
		args = withoutStanzas(args)
		l.log.Log(context.Background(), level, "whatsmeow", "part", l.part, "what", redact(fmt.Sprintf(format, args...)))
		return
	}
	l.log.Log(context.Background(), level, "whatsmeow", "part", l.part, "what", fmt.Sprintf(format, args...))
}

func withoutStanzas(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		if n, ok := a.(*waBinary.Node); ok && n != nil {
			a = "<" + n.Tag + ">"
		}
		out[i] = a
	}
	return out
}

// longNumber finds what may be a phone number, a LID or key material in hex.
var longNumber = regexp.MustCompile(`[0-9]{6,}|[0-9a-fA-F]{16,}`)

// stackTrace begins what the library appends after a panic; line numbers and addresses there are nobody's.
const stackTrace = "\ngoroutine "

func redact(text string) string {
	head, stack, ok := strings.Cut(text, stackTrace)
	head = longNumber.ReplaceAllString(head, "…")
	if ok {
		return head + stackTrace + stack
	}
	return head
}

// signalLog carries the Signal library's log to slog; it has no levels to ask for and no context to tell sessions apart.
type signalLog struct{ log *slog.Logger }

// Debug implements logger.Loggable. These hold key material and are dropped.
func (signalLog) Debug(string, string) {}

// Info implements logger.Loggable.
func (signalLog) Info(string, string) {}

// Warning implements logger.Loggable.
func (s signalLog) Warning(caller, message string) {
	s.log.Warn("libsignal", "caller", caller, "what", redact(message))
}

// Error implements logger.Loggable.
func (s signalLog) Error(caller, message string) {
	s.log.Warn("libsignal", "caller", caller, "what", redact(message))
}

// Configure implements logger.Loggable.
func (signalLog) Configure(string) {}
