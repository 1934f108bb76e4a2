package appointments

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"turnero/internal/fault"
)

// The longest texts taken, in characters.
const (
	maxName  = 120
	maxNotes = 1000
)

// findings collects the rules that an input breaks, so that one answer names them all.
type findings []fault.Field

func (f *findings) add(isBroken bool, field, rule string) {
	if isBroken {
		*f = append(*f, fault.Field{Name: field, Rule: rule})
	}
}

// name trims the text and wants something to read in it.
func (f *findings) name(field, text string) string {
	text = f.text(field, text, maxName)
	f.add(text == "", field, "must not be empty")
	return text
}

// text trims the text and wants no more than the given number of characters, none of them for machines.
func (f *findings) text(field, text string, most int) string {
	text = strings.TrimSpace(text)
	f.add(utf8.RuneCountInString(text) > most, field, fmt.Sprintf("must have at most %d characters", most))
	odd := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	f.add(!utf8.ValidString(text) || strings.ContainsFunc(text, odd), field, "must be text without control characters")
	return text
}

func (f findings) err() error { return fault.BadFields(f...) }
