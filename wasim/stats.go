package wasim

import (
	"sync/atomic"
	"time"
)

// counters count what has happened since the network was made.
type counters struct {
	started time.Time
	faults  map[string]*atomic.Int64 // how often each kind has struck; made once

	Connections, Logins, LoginsRefused, HandshakeErrors, Replaced, Pairings, Unlinked       atomic.Int64
	MessagesIn, MessagesShown, MessagesWritten, MessagesOut, Relayed, Redelivered           atomic.Int64
	AcksOut, AcksDropped, AcksIn, Nacks, NacksIn, Restricted                                atomic.Int64
	ReceiptsIn, ReceiptsOut, RetriesIn, RetriesOut                                          atomic.Int64
	Decrypted, DecryptErrors, RatchetReuse, StaleCounters, IDReuse, Duplicates, StaleFrames atomic.Int64
	Queries, UnknownQueries, QueueOverflows, SlowClients, Panics, Faulted                   atomic.Int64
	MediaIn, MediaOut, Forgotten, StaleAccepted, LogErrors                                  atomic.Int64
}

// Stats is what a network counts. All of it starts at zero when the network is made, except what is open or waiting now.
type Stats struct {
	Uptime      float64 `json:"uptimeSeconds"`
	Phones      int     `json:"phones"`
	Devices     int     `json:"devices"`     // linked
	Connections int64   `json:"connections"` // open now
	Waiting     int     `json:"waiting"`     // stanzas that devices have not acknowledged

	Logins          int64 `json:"logins"`
	LoginsRefused   int64 `json:"loginsRefused"`
	HandshakeErrors int64 `json:"handshakeErrors"`
	Replaced        int64 `json:"replaced"` // connections ended by a newer one of the same device
	Pairings        int64 `json:"pairings"`
	Unlinked        int64 `json:"unlinked"`

	MessagesIn      int64 `json:"messagesIn"`      // stanzas from clients
	MessagesShown   int64 `json:"messagesShown"`   // messages of clients that a phone of somebody else showed
	MessagesWritten int64 `json:"messagesWritten"` // messages that people wrote at phones
	MessagesOut     int64 `json:"messagesOut"`     // ciphertexts from phones to linked devices
	Relayed         int64 `json:"relayed"`         // ciphertexts passed on between linked devices
	Redelivered     int64 `json:"redelivered"`     // stanzas sent once more because they were not acknowledged

	AcksOut     int64 `json:"acksOut"`
	AcksDropped int64 `json:"acksDropped"` // by a fault
	AcksIn      int64 `json:"acksIn"`
	Nacks       int64 `json:"nacks"`      // messages refused by a fault
	NacksIn     int64 `json:"nacksIn"`    // stanzas that clients refused
	Restricted  int64 `json:"restricted"` // messages refused because their account is restricted

	ReceiptsIn  int64 `json:"receiptsIn"`
	ReceiptsOut int64 `json:"receiptsOut"`
	RetriesIn   int64 `json:"retriesIn"`  // clients that could not read a message
	RetriesOut  int64 `json:"retriesOut"` // phones that could not

	Decrypted     int64 `json:"decrypted"`
	DecryptErrors int64 `json:"decryptErrors"`
	RatchetReuse  int64 `json:"ratchetReuse"`  // the same counter of a sending chain with another ciphertext
	StaleCounters int64 `json:"staleCounters"` // counters that are behind the phone's, whatever they carried
	IDReuse       int64 `json:"idReuse"`       // another text under a message ID that was taken
	Duplicates    int64 `json:"duplicates"`    // repetitions of a message, shown once
	StaleFrames   int64 `json:"staleFrames"`   // stanzas that arrived on a replaced connection, refused

	Queries        int64 `json:"queries"`
	UnknownQueries int64 `json:"unknownQueries"`
	QueueOverflows int64 `json:"queueOverflows"` // stanzas dropped because a device had too many waiting
	SlowClients    int64 `json:"slowClients"`    // connections closed because the client did not read
	Panics         int64 `json:"panics"`
	Faulted        int64 `json:"faulted"` // how often a fault has struck
	MediaIn        int64 `json:"mediaIn"`
	MediaOut       int64 `json:"mediaOut"`

	Messages      int64 `json:"messages"`          // kept at phones now
	Forgotten     int64 `json:"messagesForgotten"` // by phones that had no more room: transcripts are not complete any more
	StaleAccepted int64 `json:"staleAccepted"`     // stanzas taken from a connection that its device had left behind; must be zero
	LogErrors     int64 `json:"logErrors"`         // the frame log could not be written any further

	Faults map[string]int64 `json:"faults"` // how often each kind of fault has struck
}

// newFaultCounters makes a counter for every kind of fault.
func newFaultCounters() map[string]*atomic.Int64 {
	m := make(map[string]*atomic.Int64, len(faultKinds))
	for kind := range faultKinds {
		m[kind] = &atomic.Int64{}
	}
	return m
}

// struck counts the strikes of one kind of fault.
func (c *counters) struck(kind string) *atomic.Int64 { return c.faults[kind] }

// Stats returns the counters as they stand.
func (n *Network) Stats() Stats {
	c := &n.stats
	s := Stats{
		Uptime: n.now().Sub(c.started).Seconds(), Connections: c.Connections.Load(),
		Logins: c.Logins.Load(), LoginsRefused: c.LoginsRefused.Load(), HandshakeErrors: c.HandshakeErrors.Load(), Replaced: c.Replaced.Load(),
		Pairings: c.Pairings.Load(), Unlinked: c.Unlinked.Load(),
		MessagesIn: c.MessagesIn.Load(), MessagesShown: c.MessagesShown.Load(), MessagesWritten: c.MessagesWritten.Load(),
		MessagesOut: c.MessagesOut.Load(), Relayed: c.Relayed.Load(), Redelivered: c.Redelivered.Load(),
		AcksOut: c.AcksOut.Load(), AcksDropped: c.AcksDropped.Load(), AcksIn: c.AcksIn.Load(), Nacks: c.Nacks.Load(), NacksIn: c.NacksIn.Load(),
		ReceiptsIn: c.ReceiptsIn.Load(), ReceiptsOut: c.ReceiptsOut.Load(), RetriesIn: c.RetriesIn.Load(), RetriesOut: c.RetriesOut.Load(),
		Decrypted: c.Decrypted.Load(), DecryptErrors: c.DecryptErrors.Load(), RatchetReuse: c.RatchetReuse.Load(),
		StaleCounters: c.StaleCounters.Load(), IDReuse: c.IDReuse.Load(), Duplicates: c.Duplicates.Load(), StaleFrames: c.StaleFrames.Load(),
		Queries: c.Queries.Load(), UnknownQueries: c.UnknownQueries.Load(), QueueOverflows: c.QueueOverflows.Load(),
		SlowClients: c.SlowClients.Load(), Panics: c.Panics.Load(), Faulted: c.Faulted.Load(),
		MediaIn: c.MediaIn.Load(), MediaOut: c.MediaOut.Load(),
		Messages: n.kept.Load(), Forgotten: c.Forgotten.Load(), StaleAccepted: c.StaleAccepted.Load(), LogErrors: c.LogErrors.Load(),
		Restricted: c.Restricted.Load(), Faults: map[string]int64{},
	}
	for kind, count := range c.faults {
		if times := count.Load(); times > 0 {
			s.Faults[kind] = times
		}
	}
	for _, a := range n.anybody() {
		s.Phones++
		a.mu.Lock()
		for _, d := range a.devices {
			s.Devices++
			d.mu.Lock()
			s.Waiting += len(d.outbox.stanzas)
			d.mu.Unlock()
		}
		a.mu.Unlock()
	}
	return s
}

// countOut notes that a stanza leaves.
func (n *Network) countOut(c *conn, s *stanza) {
	if s.attempts > 1 {
		n.stats.Redelivered.Add(1)
	}
	n.frames.stanza(c, s)
}
