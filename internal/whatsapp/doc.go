// Package whatsapp keeps a tenant's WhatsApp lines: sessions and who carries them, chats, messages, contacts, and which
// employee may see which chat.
//
// Inbound: an Engine hands each message to the session's Sink, which stores it together with its event in one transaction;
// only then is it acknowledged to WhatsApp, so what was not stored is delivered again. Outbound: a message is stored as
// queued with its WhatsApp ID already chosen; the session's sender takes queued messages chat by chat, in order, and sends
// them until WhatsApp acknowledges or refuses each. The messages table is the queue; a message that nothing waits before need not be read from it,
// since the sender is offered it as it is stored. One canonical address per contact (the
// LID when it is known) keeps a person's chat one chat, whichever address a message or receipt names.
//
// The SessionManager claims this process's share of all sessions (balance.go, claimed.go, handover.go) and opens one term of ownership for
// each (owner.go, term.go): one fence that every write checks, one context that ends with the claim and before anything else
// when something fails. What only the owner can do travels there as an errand (errand.go). Service is what people and other modules ask: lines in
// line.go, live questions in live.go, the queue in queue.go, chats in inbox.go. How a person is told apart stands in
// person.go; what a session, chat or message may become, in the file of its name.
package whatsapp
