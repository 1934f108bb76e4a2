// Package wameow is the whatsapp.Engine that speaks WhatsApp's multi-device protocol through the library whatsmeow.
//
// The flow, from the outside inwards:
//
//  1. Engine.Open starts a term (line.go): attempts to connect are admitted a few at a time and repeated with growing, jittered
//     pauses. The library's own reconnecting is off.
//  2. Each attempt makes a connection of its own (connection.go): a fresh library client on the session's device, with one
//     context that bounds all it does. Whatever goes wrong ends that context first; the library then can neither read, write
//     nor acknowledge, and a new connection heals it.
//  3. The device's stores are wrapped (guard.go, ratchet.go): reads and writes of one session's Signal state happen one
//     operation after another, and a store's error ends the connection before the library sees it, because the library
//     answers or skips after most of them.
//  4. What WhatsApp sends becomes calls of the whatsapp.Sink (inbound.go, events.go). Only what the Sink has taken is
//     acknowledged; a refusal ends the connection, so that WhatsApp repeats everything from there on, in order.
//  5. Linking by QR or code is in link.go, sending in send.go, the rest of whatsapp.Line in live.go.
//  6. Keys live in a DeviceStore (devices.go), which whoever makes the engine gives it.
//
// Beyond the library's client (about 130 KiB and six goroutines with its socket) a connected session costs some 3 KiB and no
// goroutine: timers and the ends of connections start short ones.
//
// Some of the library's settings belong to the process, not to a client: see process.go. Nothing here knows whether the
// network is WhatsApp's or a local one, but for the root key that it trusts and the HTTP client that it connects with.
package wameow
