// Package secret keeps secrets at rest unreadable without the installation's master key.
//
// Envelope encryption: every tenant has a data key of its own, made on first use and stored wrapped by the master key; what
// a tenant's data key seals is bound by associated data to its tenant and its place, so that a sealed text moved to another
// row or tenant does not open. Both layers are AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce.
// Keys that are never stored, because every process can make them from the master key, come from DeriveKey.
package secret
