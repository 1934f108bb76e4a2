// Package lease says which process looks after what: locks with an owner, for many keys at once.
//
// A Holder is one process's side. It acquires keys, renews all of them in one batch (Run does so every 750 ms) and releases
// them. Each key won is a Term with a context that ends, once and for good, when the key is lost. Locks is where the locks
// stand: Memory for a single process, Redis for several. A lock holds its owner's ID and address, so that anybody can be sent
// to the owner.
//
// # What is promised
//
// Locks give liveness, not safety: they settle who may try, quickly and without asking a database. Whatever must never be done
// twice has to be guarded where it is written, by a number that grows with each owner and that every write compares.
//
// A term ends no later than the start of its last good renewal + TTL − Margin, by a clock that goes on while the machine is
// suspended. The lock itself stands for TTL from a later moment, so a process that was stopped or cut off has lost its terms
// before anybody else can take them, as long as the two clocks run apart by less than Margin within one TTL. This holds even
// when the locks say nothing at all. Vouch moves the deadline for a Holder that has other proof of its ownership.
//
// A lock found missing is put back by its owner's next renewal. So that owners have the time for it, nobody takes what
// belongs to nobody for one TTL after the whole table was lost (FLUSHALL, a restart without data) or after no process at all
// was heard of for a TTL (Redis or the network stood still, its clock leapt, everybody was killed). A brand-new table costs one
// TTL, too; a start after an orderly stop of everybody costs nothing.
//
// A call whose answer got lost may have been carried out. Its keys count as not held and are unlocked with the next renewal;
// at worst such a lock stands in others' way for one TTL.
package lease
