package bot

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"turnero/internal/appointments/when"
)

// reading is what the bot makes of the customer's words before it looks at what they answer.
type reading struct {
	text     string
	words    words   // of the whole input
	lines    []words // of each message of the input
	when     when.Meaning
	services []Offering // those named; several when the name fits several
	staff    *Person    // the one named
}

// read understands an input in the light of the world. About is the day that the conversation is about, zero when none.
func read(text string, w *World, lex *lexicon, about when.Date) reading {
	r := reading{text: text, words: wordsOf(text)}
	for line := range strings.Lines(text) {
		if ws := wordsOf(line); len(ws) > 0 {
			r.lines = append(r.lines, ws)
		}
	}
	r.when = when.Parse(lex.language, lex.withoutPleasantries(text), when.Reference{Now: w.Now.In(w.Zone), Open: w.Open, Day: about})
	r.services = matchServices(r.words.without(lex.thanks, lex.yes), w.Services, lex)
	r.staff = matchStaff(r.words, w.Staff, lex)
	return r
}

// hasWhen reports whether the text says anything about time.
func (r *reading) hasWhen() bool { return r.when.Kind != when.None }

// isGreeting reports whether the text greets and says nothing else.
func (r *reading) isGreeting(lex *lexicon) bool { return r.words.only(lex.greetings, lex.fillers) }

// wantsBooking reports whether the text asks for an appointment, or for something that it does not name.
func (r *reading) wantsBooking(lex *lexicon) bool {
	return r.words.has(lex.book...) || r.words.only(lex.wish, lex.greetings, lex.fillers)
}

// isYes reports whether the text says yes and nothing that could mean something else.
func (r *reading) isYes(lex *lexicon) bool { return r.words.only(lex.yes, lex.yesFillers, lex.fillers) }

// isNo reports whether the text says no and nothing else.
func (r *reading) isNo(lex *lexicon) bool { return r.words.only(lex.no, lex.noFillers, lex.fillers) }

// number gives the entry of a menu that the text names: by its figure, alone or with few words around it, or by its place
// ("la segunda"). Of several messages the last that names one counts. Whether the menu has that entry is the caller's to see.
func (r *reading) number(lex *lexicon) (int, bool) {
	for _, line := range slices.Backward(r.lines) {
		rest := line.without(lex.choose)
		if len(rest) != 1 {
			continue
		}
		if n, ok := lex.numberOf(rest[0]); ok {
			return n, true
		}
	}
	return 0, false
}

func (lex *lexicon) numberOf(word string) (int, bool) {
	if n, err := strconv.Atoi(word); err == nil && n >= 0 {
		return n, true
	}
	if strings.IndexFunc(word, func(r rune) bool { return !unicode.IsDigit(r) }) < 0 {
		return 0, true // a figure too long for any menu
	}
	for i, names := range lex.ordinals {
		if (words{word}).has(names...) {
			return i + 1, true
		}
	}
	return 0, false
}

// withoutPleasantries takes out the greetings and goodbyes, some of which name parts of the day ("buenas tardes", "hasta mañana").
func (lex *lexicon) withoutPleasantries(text string) string {
	out := " " + strings.NewReplacer("¿", " ", "¡", " ", "\n", " ").Replace(fold(text)) + " "
	for _, list := range [][]string{lex.greetings, lex.goodbyes} {
		for _, phrase := range list {
			if strings.Contains(phrase, " ") && !strings.ContainsAny(phrase, "*~") {
				out = cutPhrase(out, phrase)
			}
		}
	}
	return strings.TrimSpace(out)
}

// cutPhrase removes the phrase wherever it stands as whole words.
func cutPhrase(text, phrase string) string {
	for from := 0; ; {
		i := strings.Index(text[from:], phrase)
		if i < 0 {
			return text
		}
		i += from
		end := i + len(phrase)
		if isBorder(text, i-1) && isBorder(text, end) {
			text = text[:i] + text[end:]
			from = i
		} else {
			from = end
		}
	}
}

func isBorder(text string, i int) bool {
	return i < 0 || i >= len(text) || text[i] < 0x80 && !unicode.IsLetter(rune(text[i])) && !unicode.IsDigit(rune(text[i]))
}

// matchServices finds the services that the words name best. A service named in full comes before one of which a part is named.
func matchServices(w words, services []Offering, lex *lexicon) []Offering {
	var best []Offering
	top := 0
	for _, s := range services {
		name := wordsOf(s.Name)
		telling := name.without(lex.hollow)
		if len(telling) == 0 {
			telling = name
		}
		hits := 0
		for _, part := range telling {
			if slices.ContainsFunc(w, func(word string) bool { return isAkin(word, part) }) {
				hits++
			}
		}
		score := 2 * hits
		if hits > 0 && hits == len(telling) {
			score++
		}
		switch {
		case score == 0 || score < top:
		case score > top:
			top, best = score, []Offering{s}
		default:
			best = append(best, s)
		}
	}
	return best
}

// isAkin reports whether two words are the same but for a slip or an ending: "corte", "cortes", "cortarme".
func isAkin(a, b string) bool {
	if a == b || isNear(a, b, 4) {
		return true
	}
	shared := 0
	for shared < len(a) && shared < len(b) && a[shared] == b[shared] {
		shared++
	}
	return shared >= 4 && shared >= min(len(a), len(b))-1
}

// matchStaff finds the staff member whose first name follows "con".
func matchStaff(w words, staff []Person, lex *lexicon) *Person {
	for i := 0; i+1 < len(w); i++ {
		if w[i] != lex.with {
			continue
		}
		for j := range staff {
			if first := wordsOf(staff[j].Name); len(first) > 0 && (w[i+1] == first[0] || isNear(w[i+1], first[0], 4)) {
				return &staff[j]
			}
		}
	}
	return nil
}
