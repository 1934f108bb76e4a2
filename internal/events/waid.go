package events

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// WhatsAppMessageID makes a message ID of the form that WhatsApp's linked devices use: "3EB0" and 18 upper-case hex digits
// (72 random bits). It is chosen when a message is accepted, so that every attempt to send it carries the same one.
func WhatsAppMessageID() string {
	var b [9]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never returns an error
	return "3EB0" + strings.ToUpper(hex.EncodeToString(b[:]))
}
