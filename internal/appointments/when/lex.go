package when

import (
	"slices"
	"strings"
)

// lex turns a text into lexemes: the longest phrase wins.
func (l *lexicon) lex(text string) []lexeme {
	tokens := l.mendAll(tokenize(text))
	var out []lexeme
	for i := 0; i < len(tokens); {
		t := tokens[i]
		switch t.kind {
		case digitToken, chainToken:
			lx, used := l.number(tokens[i:])
			out = append(out, lx)
			i += used
		case punctToken:
			if lx, ok := punctuation(t, out); ok {
				out = append(out, lx)
			}
			i++
		default:
			means, used := l.phrase(tokens[i:])
			if used > 1 && means[0].class == cPart && l.endsHour(out, tokens[i]) {
				means, used = l.phrase(tokens[i : i+1])
			}
			out = append(out, means...)
			i += used
		}
	}
	return settleAbbreviations(out)
}

// endsHour reports whether the word is the half of the hour just named: "las 5 y media mañana" is half past five of
// tomorrow, though "media mañana" is a part of the day elsewhere.
func (l *lexicon) endsHour(before []lexeme, t token) bool {
	n := len(before)
	if n < 2 || before[n-1].class != cAnd || before[n-2].class != cNumber && before[n-2].class != cHour {
		return false
	}
	means := l.phrases[t.text]
	return len(means) == 1 && means[0].class == cHalf
}

// phrase finds the longest phrase at the start of the tokens.
func (l *lexicon) phrase(tokens []token) ([]lexeme, int) {
	words := 0
	for words < len(tokens) && words < l.longest && tokens[words].kind == wordToken {
		words++
	}
	for n := words; n > 0; n-- {
		key := joinTokens(tokens[:n])
		means, ok := l.phrases[key]
		if !ok {
			continue
		}
		means = slices.Clone(means)
		for i := range means {
			means[i].text, means[i].glued = key, i > 0 || tokens[0].glued
		}
		return means, n
	}
	return []lexeme{{text: tokens[0].text, glued: tokens[0].glued}}, 1
}

func joinTokens(tokens []token) string {
	words := make([]string, len(tokens))
	for i, t := range tokens {
		words[i] = t.text
	}
	return strings.Join(words, " ")
}

// number reads a number with what is written behind it to make it an ordinal.
func (l *lexicon) number(tokens []token) (lexeme, int) {
	t := tokens[0]
	if t.kind == chainToken {
		return lexeme{class: cChain, text: t.text, glued: t.glued, chain: t.chain}, 1
	}
	lx := lexeme{class: cNumber, n: t.parts[0], text: t.text, glued: t.glued, chain: t.chain}
	if len(tokens) > 1 && tokens[1].glued && (l.ordinals[tokens[1].text] || tokens[1].text == "°") &&
		(len(tokens) < 3 || !tokens[2].glued || tokens[2].kind == punctToken) {
		lx.class = cOrdinal
		return lx, 2
	}
	return lx, 1
}

// abbreviated are the classes whose words may be cut short with a full stop that ends no clause.
var abbreviated = []class{cWeekday, cMonth, cHour, cMeridiem, cUnit, cStreet, cNext, cAbout, cAfter}

// punctuation gives the lexeme of a sign, none for one that means nothing where it stands.
func punctuation(t token, before []lexeme) (lexeme, bool) {
	lx := lexeme{text: t.text, glued: t.glued}
	switch t.text {
	case ".":
		if n := len(before); t.glued && n > 0 && len(before[n-1].text) <= 5 && slices.Contains(abbreviated, before[n-1].class) {
			return lx, false
		}
		lx.class = cStop
	case "?", "!", ";", "…":
		lx.class = cStop
	case ",":
		lx.class = cComma
	case "-", "–", "—":
		lx.class = cDash
	case "/", "|":
		if n := len(before); t.glued && n > 0 && len(before[n-1].text) == 1 && before[n-1].class != cNumber {
			return lx, false // "p/" for "para"
		}
		lx.class = cSlash
	case "$", "%", "€":
		lx.class = cMoney
	case "~", "≈":
		lx.class = cAbout
	case "&":
		lx.class = cAnd
	case "+", "#", "@", "=", "_":
		lx.class = cWord
	default:
		lx.class = cFiller
	}
	return lx, true
}

// settleAbbreviations decides what short forms mean by the numbers beside them: "5 mar" is a date, "mar 31" a Tuesday, and
// "mar" alone the sea.
func settleAbbreviations(lx []lexeme) []lexeme {
	number := func(i int) bool {
		return i >= 0 && i < len(lx) && (lx[i].class == cNumber || lx[i].class == cOrdinal || lx[i].class == cChain)
	}
	for i := range lx {
		if lx[i].class != cMonth || !lx[i].short {
			continue
		}
		tied := i > 1 && (lx[i-1].class == cOf || lx[i-1].class == cDash || lx[i-1].class == cSlash)
		switch {
		case number(i - 1), tied && number(i-2):
		case lx[i].text == "mar" && (number(i+1) || i > 0 && lx[i-1].class == cArticle && lx[i-1].n == artHe):
			lx[i].class, lx[i].n = cWeekday, 2
		case number(i + 1):
		default:
			lx[i].class = cWord
		}
	}
	return lx
}

// mendAll rewrites words that the lexicon does not know as those they were meant to be.
func (l *lexicon) mendAll(tokens []token) []token {
	out := make([]token, 0, len(tokens))
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		switch {
		case l.isFirst(tokens[i:]):
			t.kind, t.text = wordToken, l.first
			i++
		case t.kind == wordToken && len(t.text) == 1 && i+2 < len(tokens) && tokens[i+1].text == "." && tokens[i+2].text == "m" && (t.text == "a" || t.text == "p"):
			t.text += "m"
			i += 2
			if i+1 < len(tokens) && tokens[i+1].text == "." && tokens[i+1].glued {
				i++
			}
		case t.kind == wordToken && !l.known[t.text]:
			out = append(out, l.mend(t)...)
			continue
		}
		out = append(out, t)
	}
	return out
}

// isFirst reports whether the tokens begin with a "1st" that is no date: "1er turno", "1ra hora".
func (l *lexicon) isFirst(tokens []token) bool {
	if len(tokens) < 3 || tokens[0].text != "1" || !tokens[1].glued || !l.ordinals[tokens[1].text] {
		return false
	}
	_, phrase := l.phrases[l.first+" "+tokens[2].text]
	return phrase
}

// mend finds the word that an unknown one was meant to be, or the two that were written as one.
func (l *lexicon) mend(t token) []token {
	t.text = squeeze(t.text)
	if l.known[t.text] || len(t.text) < 4 {
		return []token{t}
	}
	for n := 1; n <= 4 && n < len(t.text)-4; n++ {
		head, tail := t.text[:n], t.text[n:]
		if means, ok := l.phrases[head]; ok && means[0].class >= cTo && means[0].class <= cBy && slices.Contains(l.mendable, tail) {
			return []token{{text: head, glued: t.glued}, {text: tail, glued: true}}
		}
	}
	sound, best, least := l.sound(t.text), "", 3
	for i, m := range l.mendable {
		switch d := typingDistance(t.text, m); {
		case l.sounds[i] == sound:
			best, least = m, 0
		case d < least && d <= typingErrors(m) && sameStart(t.text, m, sound, l.sounds[i]):
			best, least = m, d
		}
	}
	if best != "" {
		t.text = best
	}
	return []token{t}
}

// sameStart reports whether two words begin alike, by ear or with their first letters swapped. Without that too many words are near.
func sameStart(word, other, sound, otherSound string) bool {
	return sound != "" && sound[0] == otherSound[0] || word[0] == other[1] && word[1] == other[0]
}

// typingErrors tells how many errors a word may hold and still be recognised.
func typingErrors(word string) int {
	switch {
	case len(word) < 5:
		return 0
	case len(word) < 9:
		return 1
	}
	return 2
}

// squeeze shortens letters held down: "mananaaaa".
func squeeze(word string) string {
	var out []rune
	runes := []rune(word)
	for i := 0; i < len(runes); {
		j := i
		for j < len(runes) && runes[j] == runes[i] {
			j++
		}
		n := j - i
		if n > 2 {
			n = 1
		}
		out = append(out, runes[i:i+n]...)
		i = j
	}
	return string(out)
}

// typingDistance counts the letters added, left out, mistaken or swapped with their neighbour between two words, up to 3.
func typingDistance(a, b string) int {
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	var rows [3][]int
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		row, above := rows[i%3], rows[(i-1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], rows[(i-2)%3][j-2]+1)
			}
		}
	}
	return min(rows[len(a)%3][len(b)], 3)
}
