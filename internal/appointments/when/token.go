package when

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxTokens bounds the work that one message can cause. Nobody names a time after so many words.
const maxTokens = 400

type tokenKind uint8

const (
	wordToken  tokenKind = iota // letters
	digitToken                  // a number
	chainToken                  // numbers tied by : . , / or -
	punctToken                  // anything else, a character at a time
)

// token is a piece of the folded text.
type token struct {
	kind  tokenKind
	text  string
	glued bool // nothing stands between it and the token before
	chain
}

// chain is a number, or several with the separator that ties them.
type chain struct {
	parts  []int
	widths []int // digits of each part, leading zeros included
	sep    rune
}

// fold lower-cases and drops accents and other marks, so that "MAÑANA", "mañana" and "manana" are one. A new line
// parts like a comma.
func fold(text string) string {
	text = strings.ReplaceAll(text, "½", " 1/2")
	var out strings.Builder
	for _, r := range norm.NFKD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r), r == '\'', r == '’', r == '`':
		case r == '\n':
			out.WriteString(" , ")
		case unicode.IsSpace(r):
			out.WriteByte(' ')
		default:
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return out.String()
}

// tokenize splits a text. A hyphen between letters parts them like a space ("segunda-feira").
func tokenize(text string) []token {
	runes := []rune(fold(text))
	var tokens []token
	for i := 0; i < len(runes) && len(tokens) < maxTokens; {
		glued := i > 0 && runes[i-1] != ' '
		r := runes[i]
		end := i + 1
		switch {
		case r == ' ':
		case isDigit(r):
			c, n := readChain(runes[i:])
			end = i + n
			kind := digitToken
			if len(c.parts) > 1 {
				kind = chainToken
			}
			tokens = append(tokens, token{kind: kind, text: string(runes[i:end]), glued: glued, chain: c})
		case unicode.IsLetter(r):
			for end < len(runes) && unicode.IsLetter(runes[end]) {
				end++
			}
			tokens = append(tokens, token{kind: wordToken, text: string(runes[i:end]), glued: glued})
		case r == '-' && glued && end < len(runes) && unicode.IsLetter(runes[i-1]) && unicode.IsLetter(runes[end]):
		case unicode.IsPunct(r), unicode.IsSymbol(r):
			tokens = append(tokens, token{kind: punctToken, text: string(r), glued: glued})
		}
		i = end
	}
	return tokens
}

// readChain reads the number at the start of the text with those tied to it by one separator, and tells how many characters
// they take. A second separator ends the chain ("14:00-16:00"), or the first tie was none ("27,28/3"), or it is a number of
// the telephone or of an account, which as a chain without a separator means nothing to anybody.
func readChain(runes []rune) (chain, int) {
	var c chain
	end, first := 0, 0
	for {
		value, width := 0, 0
		for end < len(runes) && isDigit(runes[end]) {
			value, width, end = min(value*10+int(runes[end]-'0'), 1_000_000), width+1, end+1
		}
		c.parts, c.widths = append(c.parts, value), append(c.widths, width)
		if len(c.parts) == 1 {
			first = end
		}
		if end+1 >= len(runes) || !strings.ContainsRune(":.,/-", runes[end]) || !isDigit(runes[end+1]) {
			return c, end
		}
		sep := runes[end]
		switch {
		case len(c.parts) == 1:
			c.sep = sep
		case sep == c.sep || c.sep == 0:
		case c.sep != '-' && c.sep != ',':
			return c, end
		case len(c.parts) == 2 && width <= 2:
			return chain{parts: c.parts[:1], widths: c.widths[:1]}, first
		default:
			c.sep = 0
		}
		end++
	}
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }
