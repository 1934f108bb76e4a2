// Package groupcommit commits the writes of many owners in few transactions.
//
//  1. A Member is what one owner wants stored: rows to put, change or delete, an item of a Batch, or, rarely, a function. It carries the
//     fence under which its owner may write, if it needs one.
//  2. While one group commits, the next one fills; it closes the moment the commit before it ends, never on a timer: a lone
//     member waits for nobody, and under load a group holds whatever came during one commit. Only what nobody waits for (lazy members) makes no group of its own
//     at once.
//  3. A group's transaction first locks the fence rows of its owners against change (shared, in the order of their keys), drops the members
//     whose fence is no longer theirs, has each Batch decide on all its items at once, and then writes the rows of all, one statement per table and
//     kind of change (SQLite: a compiled one per row).
//  4. Members of one owner are written in the order in which they came; of two writes to the same row the later counts.
//  5. A statement that the database refuses costs only its own member: such a group is tried in halves, down to the one that was meant.
package groupcommit
