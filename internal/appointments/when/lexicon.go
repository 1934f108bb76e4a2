package when

import "strings"

// class is what a word or phrase does in a sentence about time. The grammar knows classes only, and so serves every language.
type class uint8

const (
	cWord   class = iota // a word that says nothing about time
	cFiller              // a word that ties: "mismo", "dia", an opening parenthesis
	cComma
	cStop // ends a clause
	cDash
	cSlash
	cMoney // a sign that makes the number beside it an amount
	cNumber
	cChain

	cDay     // n days from today
	cManana  // tomorrow or morning
	cPasado  // the day after tomorrow, or the last one
	cWeekday // n is a time.Weekday
	cMonth   // n is a time.Month
	cUnit    // n is a unit
	cPart    // n is a DayPart
	cNoon
	cMidnight // the end of the day
	cThis
	cNext
	cOther
	cOrdinal // n is which, -1 the last
	cBegin
	cMid
	cEnd
	cWorkdays

	cTo      // a, to
	cArticle // n is an article
	cOf
	cIn
	cFor
	cBy
	cAt    // what stands before an hour and nothing else
	cAbout // n is needsHour when a bare number after it is not an hour
	cAfter
	cBefore
	cUntil  // until, not after
	cSince  // from … on, not before
	cOnward // behind an hour or a day: and later
	cOrLess // behind an hour: and earlier
	cBetween
	cOr
	cAnd
	cNor

	cHour     // marks a number as an hour: hs
	cMeridiem // n is 0 for am, 12 for pm
	cHalf
	cQuarter
	cSharp
	cWithin
	cAgo

	cNo
	cMinus  // menos: less a quarter, or except
	cExcept // except, not on
	cCannot
	cWork // cannot, unless it is a noun
	cFree // is free from an hour on
	cBusy // is free up to an hour
	cBut
	cYes
	cCorrect // what follows replaces what came before
	cMove    // an appointment goes from one time to another

	cAny
	cAnyHour
	cEvery
	cSome
	cSoonest
	cFirst
	cLast

	cHoliday
	cStreet
	cGood // n is wishes when any day may follow ("buen finde"), else a part of the day
	cNoise
	cCalled // before a name: soy, con
	cCount  // what is counted: personas
	cLasts  // before a duration
)

// The articles, as far as they tell anything.
const (
	artOther = iota
	artHe    // el, before a day
	artShe   // la
	artThem  // los, before weekdays: every
	artHours // las, before hours
)

// needsHour marks words for "about" that other things follow as well.
const needsHour = 1

// ifAlone marks the cAny that is a phrase of courtesy unless it is all that was said: "cuando puedas".
const ifAlone = 1

// minutesTo marks the cTo that also counts minutes to an hour: "ten to five".
const minutesTo = 1

// orDayAfter marks the cPasado that is also the day after tomorrow.
const orDayAfter = 1

// wishes marks a cGood that wishes somebody a good day of any kind.
const wishes = 1

// The units of time.
const (
	unitMinute = iota
	unitHour
	unitDay
	unitWeek
	unitWeekend
	unitFortnight
	unitMonth
	unitYear
)

// lexeme is a word, phrase or number with its class.
type lexeme struct {
	class  class
	n      int
	plural bool
	short  bool // an abbreviation, which means something only beside a number
	spelt  bool // a number in letters
	one    bool // an article that is also the number one
	glued  bool
	text   string
	chain
}

// lexicon is one language.
type lexicon struct {
	phrases  map[string][]lexeme
	longest  int // words in the longest phrase
	known    map[string]bool
	mendable []string // words worth recognising when they are mistyped
	sounds   []string // of the mendable ones
	sound    func(string) string
	ordinals map[string]bool // what is written behind a number to make it an ordinal
	first    string          // the word for "1st"
	twice    []string        // phrases that the vocabulary holds twice
}

// vocabulary is the written form of a lexicon: groups of phrases, parted by semicolons, and what each stands for.
type vocabulary struct {
	groups   []entry
	numbers  map[string]int
	mendable string // words worth recognising when they are mistyped, parted by spaces
	ordinary string // words that look like those mistyped, and are not
	ordinals string
	first    string
	sound    func(string) string // spells words alike that are mistaken for each other by ear
}

type entry struct {
	phrases string
	means   []lexeme
}

// say makes phrases stand for one lexeme.
func say(c class, n int, phrases string) entry { return entry{phrases, []lexeme{{class: c, n: n}}} }

// sayPlural is say for what happens on every such day.
func sayPlural(c class, n int, phrases string) entry {
	return entry{phrases, []lexeme{{class: c, n: n, plural: true}}}
}

// sayShort is say for abbreviations.
func sayShort(c class, n int, phrases string) entry {
	return entry{phrases, []lexeme{{class: c, n: n, short: true}}}
}

// spell makes phrases stand for several lexemes in a row.
func spell(phrases string, means ...lexeme) entry { return entry{phrases, means} }

func newLexicon(v vocabulary) *lexicon {
	l := &lexicon{phrases: map[string][]lexeme{}, known: map[string]bool{}, ordinals: map[string]bool{}, first: v.first, sound: v.sound, mendable: strings.Fields(v.mendable)}
	for _, g := range v.groups {
		for phrase := range strings.SplitSeq(g.phrases, ";") {
			l.add(phrase, g.means)
		}
	}
	for word, n := range v.numbers {
		l.add(word, []lexeme{{class: cNumber, n: n, spelt: true}})
	}
	for _, w := range strings.Fields(v.ordinary) {
		l.known[w] = true
	}
	for _, w := range strings.Fields(v.ordinals) {
		l.ordinals[w] = true
	}
	for _, w := range l.mendable {
		l.sounds = append(l.sounds, l.sound(w))
	}
	return l
}

func (l *lexicon) add(phrase string, means []lexeme) {
	words := strings.Fields(phrase)
	key := strings.Join(words, " ")
	if _, ok := l.phrases[key]; ok {
		l.twice = append(l.twice, key)
	}
	l.phrases[key] = means
	l.longest = max(l.longest, len(words))
	for _, w := range words {
		l.known[w] = true
	}
}

// Language is the language in which a text is read.
type Language string

// The languages. Spanish is understood deeply, the others in their usual forms.
const (
	Spanish    Language = "es"
	Portuguese Language = "pt"
	English    Language = "en"
)

// lexicon gives the language's lexicon, Spanish when there is none.
func (l Language) lexicon() *lexicon {
	switch l {
	case Portuguese:
		return portuguese
	case English:
		return english
	}
	return spanish
}
