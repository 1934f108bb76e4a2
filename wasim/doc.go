// Package wasim is a local WhatsApp network: a server that real WhatsApp client libraries connect to, with simulated
// phones behind it. Nothing in it leaves the process or the loopback interface.
//
// The flow, from the wire inwards:
//
//  1. A client opens the WebSocket /ws/chat (client.go, api.go) and completes a Noise XX handshake against a certificate
//     chain of wasim's own root (certificate.go, noise.go).
//  2. It either asks to be linked (ref.go, pairing.go, paircode.go) or logs in as a linked device (login.go). From then on one
//     goroutine reads its stanzas (conn.go) and one writes (writer.go).
//  3. Queries are answered from a table (query.go and the files named after their subject: prekey.go, usync.go, …).
//  4. A message is taken apart into one ciphertext per device (message.go): simulated phones decrypt theirs (signal.go,
//     phone.go), ciphertexts for other linked devices are passed on untouched.
//  5. What a device has to acknowledge waits in its outbox (outbox.go), survives reconnects, and is sent again in order
//     until it is acknowledged.
//  6. People hold the phones through a control API, in Go (control.go) and over HTTP (api.go): add a phone, scan a code,
//     write, read, break something on purpose (fault.go), lock an account (restriction.go), put load on (load.go).
//  7. Whoever checks afterwards reads what the phones have shown (transcript.go), the counters (stats.go) and the frame log
//     (framelog.go).
//
// With Options.Dir the network keeps accounts, keys, ratchets and undelivered stanzas in one file (archive.go) and goes on after
// a restart or a kill. A phone's changes are handed to the store while the phone's lock is held, and no frame leaves and no
// acknowledgement is given before the store has them.
//
// What wasim shows is that a client speaks the protocol as its libraries understand it. It shows nothing about what WhatsApp's
// own servers accept, limit or forbid.
package wasim
