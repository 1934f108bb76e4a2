// Package when understands dates and times as customers write them in a chat: "el viernes a la tarde", "mñana tipo 5",
// "entre las 2 y las 4", "cualquier día menos el lunes". It is pure: the instant of the conversation, the zone and the
// opening hours come in with a Reference, a Meaning goes out, and nothing is looked up on the way.
//
// It also answers what clocks make of a date and a time in a zone where they jump: Resolve and StartOfDay.
package when
