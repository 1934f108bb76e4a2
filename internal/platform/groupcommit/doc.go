// Package groupcommit commits the writes of many owners in few transactions.
//
//  1. A Member is what one owner wants stored: rows to put or to delete, and, rarely, a function. It carries the fence under which
//     its owner may write.
//  2. While one group commits, the next one fills; it closes the moment the commit before it ends, never on a timer: a lone
//     member waits for nobody, and under load a group holds whatever came during one commit.
//  3. A group's transaction first locks the fence rows of its owners against change (shared, in the order of their keys), drops the members
//     whose fence is no longer theirs, and then writes the rows of all others, one statement per table and kind of change.
//  4. Members of one owner are written in the order in which they came; of two writes to the same row the later counts.
//  5. A statement that the database refuses costs only its own member: the members of such a group are tried one by one.
package groupcommit
