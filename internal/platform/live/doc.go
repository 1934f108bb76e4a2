// Package live tells listeners of new events as they are numbered, whichever process numbered them.
//
// The event log in SQL is what counts: a Listener has a number, gets every event of its tenant behind that number, in order,
// none left out and none twice. What was numbered just now it gets from a window of the newest events that all listeners of a
// process share; the window has no gaps, and a listener that is not at the window, or has fallen behind it, reads SQL until it
// is. So a listener may be as slow as it likes: it keeps nobody waiting and costs no memory but its number.
//
// The window is fed by whoever numbers events. In one process that is a call (Memory). With several the batches travel over a
// Redis stream that is cut to a short length (Redis). Event numbers have no gaps, so an entry's first number says which one
// must have come before: when the window ends with another, what lies between is read from SQL. A window that hears nothing
// looks into SQL at every poll, so a Redis that is away, emptied or slow costs one poll interval and nothing else.
package live
