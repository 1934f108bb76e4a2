// Package tenants knows the businesses of an installation: who they are, whether they may act, and their settings.
//
// A super-admin creates a business together with its first admin, edits it, suspends and reopens it; its own admin edits
// its settings. People belong to auth, which may be another process, so a creation goes in three steps: the business is
// stored as pending, invisible to everybody, with a job that discards it two minutes later; auth makes the admin; the
// business becomes active, in one transaction with its event. Whatever fails or crashes on the way is discarded, admin
// first, by the request itself or by that job, so that nothing half-made is left.
//
// Other modules ask IsActive and Settings all the time; both answer from a cache at most two seconds old, which every
// change in this process empties at once. Changes are told as events, and recorded through an events.RecordAudit job.
package tenants
