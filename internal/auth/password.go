package auth

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"turnero/internal/fault"
)

// The bounds of a password, in characters after normalisation.
const (
	MinPasswordLength = 10
	MaxPasswordLength = 200
)

// commonPasswords are those that meet the length and that everybody tries first.
var commonPasswords = []string{
	"1234567890", "0123456789", "12345678910", "123456789a", "1q2w3e4r5t", "1qaz2wsx3edc", "abcdefghij", "abcd123456",
	"administrador", "argentina123", "bienvenido1", "bocajuniors", "contrasena", "contrasena1", "contraseña", "contraseña1",
	"contraseña123", "iloveyou12", "password12", "password123", "password1234", "peluqueria", "peluqueria1", "qwerty1234",
	"qwerty12345", "qwertyuiop", "riverplate", "teamo12345", "welcome123",
}

// normalPassword gives one form to the characters that keyboards compose differently (NIST SP 800-63B section 5.1.1.2).
func normalPassword(password string) string { return norm.NFKC.String(password) }

// checkPassword refuses a password that is too short, too long, or the first thing that anybody would try. The fault names field.
func checkPassword(field, password string, email Email, name string) error {
	n := utf8.RuneCountInString(normalPassword(password))
	lower := strings.ToLower(normalPassword(password))
	switch {
	case !utf8.ValidString(password):
		return fault.BadField(field, "must be text in UTF-8")
	case n < MinPasswordLength:
		return fault.BadField(field, fmt.Sprintf("must have at least %d characters", MinPasswordLength))
	case n > MaxPasswordLength:
		return fault.BadField(field, fmt.Sprintf("must have at most %d characters", MaxPasswordLength))
	case lower == string(email) || lower == email.local() || lower == strings.ToLower(name):
		return fault.BadField(field, "must not be the e-mail address or the name")
	case isOneCharacter(lower) || slices.Contains(commonPasswords, lower):
		return fault.BadField(field, "must not be one of the passwords that everybody tries first")
	}
	return nil
}

func isOneCharacter(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return strings.Trim(s, string(first)) == ""
}

// temporaryAlphabet leaves out the characters that people mistake for one another; its length, 32, divides 256.
const temporaryAlphabet = "abcdefghijkmnpqrstuvwxyz23456789"

// newTemporaryPassword makes a password to be told to a person: 80 random bits in four groups that can be read aloud.
func newTemporaryPassword() string {
	var out strings.Builder
	for i, b := range randomBytes(16) {
		if i > 0 && i%4 == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(temporaryAlphabet[int(b)%len(temporaryAlphabet)])
	}
	return out.String()
}
