package when

import (
	"strings"
	"time"
)

// english is read in its usual forms. Dates in numbers have the day first, as everywhere else in the product.
var english = newLexicon(vocabulary{
	groups: englishEntries,
	numbers: map[string]int{
		"zero": 0, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
		"fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty five": 45, "forty": 40, "fifty": 50, "a couple of": 2,
	},
	mendable: "monday tuesday wednesday thursday friday saturday sunday tomorrow today morning afternoon evening tonight noon midnight january february march april june july august september " +
		"october november december weekend",
	ordinary: "mourning sundae fried frida marsh marsha juno jude noun",
	ordinals: "st nd rd th",
	first:    "first",
	sound:    strings.NewReplacer("rr", "r", "ll", "l", "nn", "n", "tt", "t").Replace,
})

var englishEntries = []entry{
	say(cDay, 0, "today"), say(cDay, 1, "tomorrow; tmrw; tmw; tomorow"), say(cDay, 2, "the day after tomorrow; day after tomorrow; overmorrow"), say(cDay, -1, "yesterday; last night"),
	spell("tonight", lexeme{class: cDay}, lexeme{class: cBy}, lexeme{class: cArticle}, lexeme{class: cPart, n: int(Evening)}),
	say(cWeekday, int(time.Monday), "monday; mon"), say(cWeekday, int(time.Tuesday), "tuesday; tue; tues"), say(cWeekday, int(time.Wednesday), "wednesday; wed"),
	say(cWeekday, int(time.Thursday), "thursday; thu; thur; thurs"), say(cWeekday, int(time.Friday), "friday; fri"), say(cWeekday, int(time.Saturday), "saturday; sat"), say(cWeekday, int(time.Sunday), "sunday; sun"),
	sayPlural(cWeekday, int(time.Monday), "mondays"), sayPlural(cWeekday, int(time.Tuesday), "tuesdays"), sayPlural(cWeekday, int(time.Wednesday), "wednesdays"), sayPlural(cWeekday, int(time.Thursday), "thursdays"),
	sayPlural(cWeekday, int(time.Friday), "fridays"), sayPlural(cWeekday, int(time.Saturday), "saturdays"), sayPlural(cWeekday, int(time.Sunday), "sundays"),
	say(cMonth, 1, "january"), say(cMonth, 2, "february"), say(cMonth, 3, "march"), say(cMonth, 4, "april"), say(cMonth, 6, "june"), say(cMonth, 7, "july"), say(cMonth, 8, "august"),
	say(cMonth, 9, "september"), say(cMonth, 10, "october"), say(cMonth, 11, "november"), say(cMonth, 12, "december"),
	sayShort(cMonth, 1, "jan"), sayShort(cMonth, 2, "feb"), sayShort(cMonth, 3, "mar"), sayShort(cMonth, 4, "apr"), sayShort(cMonth, 5, "may"), sayShort(cMonth, 6, "jun"), sayShort(cMonth, 7, "jul"),
	sayShort(cMonth, 8, "aug"), sayShort(cMonth, 9, "sep; sept"), sayShort(cMonth, 10, "oct"), sayShort(cMonth, 11, "nov"), sayShort(cMonth, 12, "dec"),
	say(cNext, 0, "next; coming; following; upcoming"), say(cThis, 0, "this; these"), say(cOther, 0, "other"), say(cPasado, 0, "last; past"),
	say(cUnit, unitMinute, "minute; minutes; min; mins"), say(cUnit, unitHour, "hour; hours"), say(cUnit, unitDay, "day"), sayPlural(cUnit, unitDay, "days"), say(cUnit, unitWeek, "week; weeks"),
	say(cUnit, unitWeekend, "weekend"), sayPlural(cUnit, unitWeekend, "weekends"), say(cUnit, unitFortnight, "fortnight"), say(cUnit, unitMonth, "month; months"), say(cUnit, unitYear, "year; years"),
	say(cWorkdays, 0, "weekday; weekdays; working day; working days; business days; during the week"),
	say(cOrdinal, 1, "first"), say(cOrdinal, 2, "second"), say(cOrdinal, 3, "third"), say(cOrdinal, 4, "fourth"),
	say(cBegin, 0, "beginning; start"), say(cMid, 0, "middle"), say(cEnd, 0, "end"),

	say(cTo, minutesTo, "to"), say(cTo, 0, "till"), say(cArticle, artHe, "the"), say(cOf, 0, "of; from"), say(cIn, 0, "in"), say(cFor, 0, "for"), say(cBy, 0, "on; during; over"), say(cAt, 0, "at"),
	say(cOr, 0, "or; or else"), say(cAnd, 0, "and; also"), say(cNor, 0, "nor; neither"), say(cBut, 0, "but"), say(cYes, 0, "yes; yeah"), say(cCorrect, 0, "sorry; i mean; actually; rather"),
	say(cMove, 0, "move; reschedule; change; postpone"), say(cFiller, 0, "please; maybe; would be"),

	say(cPart, int(Morning), "morning; early"), say(cPart, int(Afternoon), "afternoon; late afternoon; early afternoon"), say(cPart, int(Evening), "evening; night"), say(cNoon, 0, "noon; midday"), say(cPart, int(Noon), "lunchtime"),
	say(cMidnight, 0, "midnight"), say(cAbout, 0, "around; about; approximately; roughly; ish; more or less"), say(cAfter, 0, "after; later than"), say(cBefore, 0, "before; earlier than"),
	say(cUntil, 0, "until; no later than; not after; up to"), say(cSince, 0, "since; not before; no earlier than; starting; starting at; starting on"), say(cOnward, 0, "onwards; onward; or later; and later"),
	say(cOrLess, 0, "or earlier; or before"), say(cBetween, 0, "between"), say(cHour, 0, "oclock; h; hrs"), say(cMeridiem, 0, "am; a m"), say(cMeridiem, 12, "pm; p m"), say(cHalf, 0, "half"),
	say(cQuarter, 0, "quarter; a quarter"), say(cSharp, 0, "sharp; exactly"), say(cWithin, 0, "within"),
	spell("half an hour", lexeme{class: cHalf}, lexeme{class: cUnit, n: unitHour}),
	{"a; an; one", []lexeme{{class: cNumber, n: 1, spelt: true, one: true}}},

	say(cNo, 0, "no; not"), say(cExcept, 0, "except; except for; but not; anything but; other than; not on; apart from"),
	say(cCannot, 0, "i cant; cant; i cannot; cannot; cant do; i cant do; cant make it; i cant make it; impossible; im busy; busy; doesnt work; does not work; wont work; not available; im not available; dont want"),
	say(cFree, 0, "i get off; i finish; im free"),
	say(cAny, 0, "any; any day; anyday; whenever; i dont mind; dont mind; anything; every day; whatever you have"), say(cAnyHour, 0, "any time; anytime; at any time; all day"), say(cEvery, 0, "every; each"), say(cSome, 0, "some"),
	say(cSoonest, 0, "as soon as possible; asap; right now; now; urgent; urgently; the soonest; soonest; the earliest possible; earliest possible; next available; first available; the next available slot; immediately"),
	say(cFirst, 0, "first thing; first thing in the morning; the first slot; first slot; first appointment; earliest; very early; as early as possible"),
	say(cLast, 0, "last thing; last slot; the last slot; last appointment; end of the day; end of day; as late as possible; latest"),

	say(cHoliday, 0, "good friday; easter; easter monday; easter sunday; christmas; christmas eve; christmas day; new year; new years; new years eve; new years day; bank holiday; public holiday; thanksgiving; mothers day; fathers day; labor day; labour day"),
	say(cStreet, 0, "street; avenue; road"), say(cGood, 0, "good"), say(cGood, wishes, "have a good; have a nice; happy; have a great; enjoy your"),
	say(cNoise, 0, "see you tomorrow; see you; see you later; later; earlier; for now; until now; until tomorrow"), say(cCalled, 0, "i am; im; my name is; with; doctor; dr; mr; mrs; ms; hi; hello"),
	say(cCount, 0, "people; person; persons; times; dollars; kids; children; years old; haircuts; sessions"), say(cLasts, 0, "lasts; takes"),
}
