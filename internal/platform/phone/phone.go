// Package phone reads phone numbers as people write them and tells which of them are the same person's.
//
// A number's identity is what WhatsApp says it is. Some countries have two ways to write a mobile: Argentina with or
// without the 9 behind 54, Mexico with or without the 1 behind 52, Brazil with or without the ninth digit. Fold brings these
// together, for matching only: what is stored and dialled is never folded. Rules of validity come from libphonenumber.
package phone

import (
	"errors"
	"hash/maphash"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// ErrInvalid is the error of text that is no phone number; its message is the rule, to stand behind the field's name.
var ErrInvalid = errors.New("must be a phone number with its country code, as in +54 9 11 2233-4455")

// Parse reads a number as written and returns its E.164 form ("+5491122334455"). region (ISO 3166 alpha-2) is where a number
// without country code is from; "" accepts only those with one. Digits that begin with a country code are taken as such
// when they are no number of the region.
func Parse(text, region string) (string, error) {
	return memory.parse(strings.TrimSpace(text), region, read)
}

var memory = memo{seed: maphash.MakeSeed()}

func read(text, region string) (string, error) {
	if n, ok := valid(text, region); ok {
		return n, nil
	}
	digits := strings.Map(keepDigit, text)
	if isOldForm(digits) {
		return "+" + digits, nil
	}
	if twice, ok := withoutFifteen(digits); ok {
		digits = twice
	} else if strings.HasPrefix(text, "+") || len(digits) < 10 {
		return "", ErrInvalid
	}
	if n, ok := valid("+"+digits, ""); ok {
		return n, nil
	}
	return "", ErrInvalid
}

// isOldForm reports whether the digits are a mobile as it was written before its country changed its numbers: Mexico's 1
// behind the 52, Brazil's mobiles of eight digits. WhatsApp still knows accounts by such numbers, so they stay as they are.
func isOldForm(digits string) bool {
	now := ""
	switch {
	case strings.HasPrefix(digits, "521") && len(digits) == 13:
		now = "52" + digits[3:]
	case strings.HasPrefix(digits, "55") && len(digits) == 12 && digits[4] >= '6':
		now = digits[:4] + "9" + digits[4:]
	}
	_, ok := valid("+"+now, "")
	return ok
}

// withoutFifteen mends an Argentine mobile that is marked twice, by the 9 behind 54 and by the 15 behind its area code of
// two to four digits.
func withoutFifteen(digits string) (string, bool) {
	if !strings.HasPrefix(digits, "549") || len(digits) != 15 {
		return "", false
	}
	for area := 2; area <= 4; area++ {
		if once := digits[:3+area] + digits[5+area:]; digits[3+area:5+area] == "15" {
			if _, ok := valid("+"+once, ""); ok {
				return once, true
			}
		}
	}
	return "", false
}

func valid(text, region string) (string, bool) {
	if region == "" {
		region = phonenumbers.UNKNOWN_REGION
	}
	n, err := phonenumbers.Parse(text, region)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", false
	}
	return phonenumbers.Format(n, phonenumbers.E164), true
}

func keepDigit(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return r
}

// Fold gives the key under which two E.164 numbers (with or without +) that may be the same line meet. It is for matching only:
// a folded number need not exist.
func Fold(e164 string) string {
	digits := strings.Map(keepDigit, e164)
	switch {
	case strings.HasPrefix(digits, "549") && len(digits) == 13:
		return "54" + digits[3:]
	case strings.HasPrefix(digits, "521") && len(digits) == 13:
		return "52" + digits[3:]
	case strings.HasPrefix(digits, "55") && len(digits) == 13 && digits[4] == '9' && isBrazilianMobile(digits):
		return digits[:4] + digits[5:]
	}
	return digits
}

// isBrazilianMobile reports whether the eight digits behind the ninth are those of a mobile: they begin with 6 to 9. A
// landline begins with 2 to 5 and never had a ninth digit.
func isBrazilianMobile(digits string) bool { return digits[5] >= '6' }
