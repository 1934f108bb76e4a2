// Package leased settles over platform/lease which process carries which WhatsApp session, and reaches the one that does.
//
// A session is one key, "s/<tenant>/<session>"; a process that carries sessions holds one more, "p/<its ID>", by which the
// others count it. While the locks cannot be reached, a process keeps what it has by a row in the database that the next owner
// must respect (Hold); when both are gone, its claims end at their deadline.
//
// Wake-ups travel over the bus, errands over platform/peer to the address that the lock names.
package leased
