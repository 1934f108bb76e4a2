package wasim

import (
	"fmt"
	"strings"

	"go.mau.fi/whatsmeow/types"
)

// absentPrefix begins the numbers that have no WhatsApp account, whoever asks. No country has it as its code.
const absentPrefix = "999"

// parseNumber reads a phone number as people and programs write it ("+54 9 11 5555-0001", "5491155550001",
// "5491155550001@s.whatsapp.net") and returns its digits, by which the network knows it.
func parseNumber(field, text string) (string, error) {
	s := strings.TrimSpace(text)
	if user, server, ok := strings.Cut(s, "@"); ok {
		if server != types.DefaultUserServer && server != types.LegacyUserServer {
			return "", invalid(field, fmt.Sprintf("%q is not a phone number", text))
		}
		s = user
	}
	s = strings.TrimPrefix(s, "+")
	digits := make([]byte, 0, len(s))
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits = append(digits, byte(r))
		case strings.ContainsRune(" -().", r):
		default:
			return "", invalid(field, fmt.Sprintf("%q is not a phone number: unexpected %q", text, r))
		}
	}
	if len(digits) < 7 || len(digits) > 15 {
		return "", invalid(field, fmt.Sprintf("%q is not a phone number: it must have 7 to 15 digits with its country code", text))
	}
	if digits[0] == '0' {
		return "", invalid(field, fmt.Sprintf("%q is not an international number: it must begin with a country code", text))
	}
	return string(digits), nil
}

// alternatives lists other ways to write a mobile number that reach the same WhatsApp account: with and without the mobile
// prefixes that Argentina (9), Mexico (1) and Brazil (a ninth digit) have had.
func alternatives(number string) []string {
	switch {
	case strings.HasPrefix(number, "549") && len(number) == 13:
		return []string{"54" + number[3:]}
	case strings.HasPrefix(number, "54") && len(number) == 12:
		return []string{"549" + number[2:]}
	case strings.HasPrefix(number, "521") && len(number) == 13:
		return []string{"52" + number[3:]}
	case strings.HasPrefix(number, "52") && len(number) == 12:
		return []string{"521" + number[2:]}
	case strings.HasPrefix(number, "55") && len(number) == 13 && number[4] == '9':
		return []string{number[:4] + number[5:]}
	case strings.HasPrefix(number, "55") && len(number) == 12:
		return []string{number[:4] + "9" + number[4:]}
	}
	return nil
}
