package whatsapp

import (
	"fmt"
	"strings"
)

// The servers of WhatsApp IDs (the part behind the @).
const (
	serverNumber  = "s.whatsapp.net" // a person by phone number
	serverLID     = "lid"            // a person by LID, WhatsApp's ID that hides the number
	serverGroup   = "g.us"
	serverStatus  = "broadcast" // status@broadcast and broadcast lists
	serverChannel = "newsletter"
)

// Address is a WhatsApp ID without device: who or what a chat is with. The zero value means "not known".
// Two addresses are equal when their text is; a person's number and LID are two addresses of one contact.
type Address struct{ text string }

// NumberAddress is the address of a phone number, given in digits without sign: 5491122334455.
func NumberAddress(digits string) Address { return Address{digits + "@" + serverNumber} }

// ParseAddress reads a WhatsApp ID: 549…@s.whatsapp.net (or the old …@c.us), …@lid, …@g.us, status@broadcast, …@newsletter.
func ParseAddress(text string) (Address, error) {
	user, server, ok := strings.Cut(text, "@")
	if !ok || user == "" || strings.ContainsAny(user, " :/@") {
		return Address{}, fmt.Errorf("%q is not a WhatsApp ID", text)
	}
	digits := strings.Trim(user, "0123456789") == ""
	switch server {
	case "c.us", serverNumber:
		if digits {
			return NumberAddress(user), nil
		}
	case serverLID:
		if digits {
			return Address{text}, nil
		}
	case serverGroup:
		if strings.Trim(user, "0123456789-") == "" {
			return Address{text}, nil
		}
	case serverStatus, serverChannel:
		return Address{text}, nil
	}
	return Address{}, fmt.Errorf("%q is not a WhatsApp ID", text)
}

// String gives the WhatsApp ID, "" for the zero value.
func (a Address) String() string { return a.text }

// IsZero reports whether the address is not known.
func (a Address) IsZero() bool { return a.text == "" }

func (a Address) server() string { _, s, _ := strings.Cut(a.text, "@"); return s }

// IsNumber reports whether the address is a phone number's.
func (a Address) IsNumber() bool { return a.server() == serverNumber }

// IsLID reports whether the address is a LID.
func (a Address) IsLID() bool { return a.server() == serverLID }

// Phone gives the E.164 number ("+549…") of a number's address, "" for any other.
func (a Address) Phone() string {
	if !a.IsNumber() {
		return ""
	}
	user, _, _ := strings.Cut(a.text, "@")
	return "+" + user
}

// ChatKind is what sort of conversation an address stands for.
type ChatKind string

// The sorts of conversation.
const (
	DirectChat  ChatKind = "direct"
	GroupChat   ChatKind = "group"
	StatusChat  ChatKind = "status"
	ChannelChat ChatKind = "channel"
)

// Kind tells what sort of conversation the address stands for.
func (a Address) Kind() ChatKind {
	switch a.server() {
	case serverGroup:
		return GroupChat
	case serverStatus:
		return StatusChat
	case serverChannel:
		return ChannelChat
	}
	return DirectChat
}
