package bot

import (
	"strings"
	"unicode"
)

// words is what a customer wrote, as the bot compares it: lower case, without accents, split where letters and digits end.
type words []string

// folds are the letters that customers write with and without their marks.
var folds = map[rune]rune{
	'á': 'a', 'à': 'a', 'â': 'a', 'ã': 'a', 'ä': 'a', 'é': 'e', 'è': 'e', 'ê': 'e', 'ë': 'e', 'í': 'i', 'ì': 'i', 'î': 'i', 'ï': 'i',
	'ó': 'o', 'ò': 'o', 'ô': 'o', 'õ': 'o', 'ö': 'o', 'ú': 'u', 'ù': 'u', 'û': 'u', 'ü': 'u', 'ñ': 'n', 'ç': 'c',
}

// signs are the pictures that stand for a word.
var signs = map[rune]string{'👍': " si ", '👌': " si ", '✅': " si ", '👎': " no ", '❌': " no ", '🙏': " gracias "}

// fold brings text to the form in which it is compared. Combining marks, variation selectors and skin tones vanish.
func fold(text string) string {
	var b strings.Builder
	for _, r := range text {
		r = unicode.ToLower(r)
		if plain, ok := folds[r]; ok {
			r = plain
		}
		switch sign, ok := signs[r]; {
		case ok:
			b.WriteString(sign)
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Me, r), r >= 0x1F3FB && r <= 0x1F3FF:
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// wordsOf splits text into its words. A letter written three times or more in a row counts once: "siii" is "si".
func wordsOf(text string) words {
	parts := strings.FieldsFunc(fold(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, p := range parts {
		parts[i] = calm(p)
	}
	return parts
}

func calm(word string) string {
	runes := []rune(word)
	out := make([]rune, 0, len(runes))
	for i := 0; i < len(runes); {
		j := i
		for j < len(runes) && runes[j] == runes[i] {
			j++
		}
		keep := j - i
		if keep > 2 && unicode.IsLetter(runes[i]) || keep == 2 && j == len(runes) && strings.ContainsRune("aiou", runes[i]) {
			keep = 1
		}
		out = append(out, runes[i:i+keep]...)
		i = j
	}
	return string(out)
}

// has reports whether one of the phrases occurs. A phrase is words with one space between; "cancel*" matches a word's
// beginning, "turno~" also a word with one letter wrong, missing, added or swapped, and "#" one that begins with a digit.
func (w words) has(phrases ...string) bool {
	for _, p := range phrases {
		if _, _, ok := w.find(p); ok {
			return true
		}
	}
	return false
}

// find gives the range of words that the phrase matches first.
func (w words) find(phrase string) (from, to int, ok bool) {
	parts := strings.Fields(phrase)
	for i := 0; i+len(parts) <= len(w); i++ {
		if matchAll(w[i:i+len(parts)], parts) {
			return i, i + len(parts), true
		}
	}
	return 0, 0, false
}

func matchAll(w, parts []string) bool {
	for i, p := range parts {
		if !matchWord(w[i], p) {
			return false
		}
	}
	return true
}

func matchWord(word, pattern string) bool {
	if pattern == "#" {
		return word[0] >= '0' && word[0] <= '9'
	}
	if stem, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(word, stem)
	}
	if exact, ok := strings.CutSuffix(pattern, "~"); ok {
		return word == exact || isNear(word, exact, 5)
	}
	return word == pattern
}

// only reports whether every word belongs to one of the phrases of the lists, and at least one to the first list.
func (w words) only(must []string, may ...[]string) bool {
	covered := make([]bool, len(w))
	found := w.cover(must, covered)
	for _, list := range may {
		w.cover(list, covered)
	}
	for _, c := range covered {
		if !c {
			return false
		}
	}
	return found
}

func (w words) cover(phrases []string, covered []bool) (found bool) {
	for _, p := range phrases {
		parts := strings.Fields(p)
		for i := 0; i+len(parts) <= len(w); i++ {
			if !matchAll(w[i:i+len(parts)], parts) {
				continue
			}
			found = true
			for j := range parts {
				covered[i+j] = true
			}
		}
	}
	return found
}

// without gives the words less those of the phrases.
func (w words) without(phrases ...[]string) words {
	covered := make([]bool, len(w))
	for _, list := range phrases {
		w.cover(list, covered)
	}
	out := make(words, 0, len(w))
	for i, word := range w {
		if !covered[i] {
			out = append(out, word)
		}
	}
	return out
}

// isNear reports whether two words differ by one letter, or by two that are swapped. One of them has five letters or more,
// the other no fewer than least.
func isNear(a, b string, least int) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < least || len(b) < 5 || len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if i >= len(a)-1 || a[i+1:] == b[i+1:] {
		return true
	}
	return a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
