// Package wastore keeps the keys and the state of linked sessions for whatsmeow's store interfaces, all sessions in shared tables of the
// installation's database.
//
//  1. Open checks for which network the store was made. Load gives the device of a session for one term of ownership; everything that
//     device writes carries the term's fence.
//  2. A session (session.go) reads from what its call has written, then from what is being committed, then from a small
//     cache, then from the database. Nothing is in the cache before it is committed.
//  3. What it writes are whole rows, sealed with the tenant's key where they are secret (row.go, table.go). Sets of rows go to the
//     committer, which stores those of many sessions in one transaction.
//  4. Ratchets, sender keys, pre-keys, identities, buffered plaintext, app state and the device are durable when a call returns. Names,
//     message secrets, tokens, pairs of addresses and cleared buffers go along with the next group: a crash may lose them.
//  5. DoDecryptionTxn collects all writes of one decryption, which see each other, into one set; a failed one leaves nothing.
//  6. When a set of rows could not be stored, or the fence is somebody else's, the session accepts nothing more: what it
//     holds in memory may be wrong. A new Load begins from what is stored.
package wastore
