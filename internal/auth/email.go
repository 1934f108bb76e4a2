package auth

import (
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"turnero/internal/fault"
)

// maxEmailLength is the longest address that mail can be sent to (RFC 5321 section 4.5.3.1.3, less the angle brackets).
const maxEmailLength = 254

// Email is an e-mail address as it is compared and stored: one addr-spec (RFC 5322 section 3.4.1) in lower case.
// ParseEmail is the only way to get one from text.
type Email string

// ParseEmail reads an address, lower-casing it, so that Ana@Example.com and ana@example.com are one person. Display names,
// comments, quoted local parts and white space inside are refused with a fault that names field.
func ParseEmail(field, text string) (Email, error) {
	text = strings.ToLower(norm.NFC.String(strings.TrimSpace(text)))
	if text == "" {
		return "", fault.BadField(field, "is required")
	}
	if len(text) > maxEmailLength {
		return "", fault.BadField(field, "must have at most 254 characters")
	}
	addr, err := mail.ParseAddress(text)
	if err != nil || addr.Address != text || strings.ContainsAny(text, "\"<>()") || strings.ContainsFunc(text, isUnprintable) {
		return "", fault.BadField(field, "must be an e-mail address such as ana@example.com")
	}
	return Email(text), nil
}

// local gives what stands before the @.
func (e Email) local() string {
	local, _, _ := strings.Cut(string(e), "@")
	return local
}

func isUnprintable(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }
