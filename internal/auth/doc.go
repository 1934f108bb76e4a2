// Package auth knows who may act: people with their passwords, log-ins and roles, API keys, and the trail of what they did.
//
// Login checks the throttles, then the password (argon2id), and opens a log-in: a family of refresh tokens, each good for
// one use, beside an access token (an EdDSA-signed JWT) that lives for ten minutes. Refresh swaps a refresh token for its
// successor; a token that comes back after that ends the whole family. Authenticate turns the credentials of a request into
// an id.Principal and is the only place that says which tenant a request is about: it verifies the signature or the key's
// hash, and that the log-in, the person and the tenant still stand, from a cache at most two seconds old which every
// change in this process empties. The keys that sign (Keyring) are the installation's; a new one is published before it
// signs, so that no process meets a token that it cannot verify. Users and keys are kept per tenant; e-mail addresses are unique in the installation,
// because a person logs in without naming a tenant. Every act worth asking about later is written to the audit log in its
// own transaction; other modules send theirs as an events.RecordAudit job.
package auth
