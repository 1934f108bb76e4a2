// Command chaos hurts a running installation in every way that its parts can fail, and then proves from the outside that nothing
// was lost, doubled or reordered and that a session never had two writers.
//
//  1. It starts a Redis, a local WhatsApp network and some processes of the product, which share one database. Every link of
//     every process to Redis, database and network runs through a relay of its own that can cut it, swallow it or slow it down.
//  2. Lines are linked, and numbered texts go both ways at a steady rate: through the API of any process, each with an
//     idempotency key and repeated until it is accepted; and from the simulated phones. Listeners follow the events, from one
//     process to the next.
//  3. A plan, made from a seed before anything runs, says what breaks when. Each action is printed.
//  4. At the end everything is healed. What was accepted must be at the phones once and in order, what the phones wrote must be
//     in the API once and in order, the events must be without gaps, the network's log must show no frame taken from a replaced
//     connection and no reused ratchet, and the database must hold no row written by anybody but the owner of that moment: its
//     triggers compare them at each commit.
//
// With -soak it runs for long and watches memory and goroutines; with -measure it measures restarts and failovers.
package main
