// Package bot answers a business's customers on WhatsApp: it books, shows, moves and cancels their appointments, and gives the
// chat to the staff when it is asked to or does not get on.
//
// Step is the conversation itself, a pure function: state, input and world in; state, lines and an action out. An action (book,
// move, cancel, confirm) is carried out by the appointments' own Service and its outcome is the input of the next Step, so
// that every way a conversation can go is a value that a test can look at. What lines say stands in messages/, one file per
// language; how customers say things stands in the lexicon, and what dates and times mean in the package when.
//
// Service is the subscriber. HandleEvent notes a message as pending and plans an answer a moment later; HandleAnswer takes all
// that is pending as one input. Each is one transaction: the consumed event, the conversation, the appointment, its event and
// the reply's command commit together or not at all, and a repetition finds nothing left to do.
package bot
