// Package when understands dates and times as customers write them in a chat: "el viernes a la tarde", "mñana tipo 5",
// "entre las 2 y las 4", "cualquier día menos el lunes". It is pure: the instant of the conversation, the zone and the
// opening hours come in with a Reference, a Meaning goes out, and nothing is looked up on the way.
//
// A text passes four stages:
//
//  1. token.go folds case and accents and splits into words, numbers and chains such as 15:30 or 27/3.
//  2. lexicon.go and lex.go turn the words and phrases of one language into lexemes that all languages share, and mend typing errors.
//  3. scan.go and grammar_*.go read lexemes as items: a day, an hour, a refusal, a link between them, something to pass over (noise.go).
//  4. parse.go and gather.go tie the items of a message together; days.go, hours.go and settle.go hold them against the calendar
//     and the opening hours.
//
// Languages differ in their lexicon only: Spanish is understood deeply, Portuguese and English in their usual forms.
//
// A reading is never bent to fit: a date that does not exist is Invalid, a weekday that does not fall on the date said with it
// is a Conflict, and where two readings are as good as each other both come out, for the customer to choose.
//
// The package also answers what clocks make of a date and a time in a zone where they jump: Resolve and StartOfDay.
package when
