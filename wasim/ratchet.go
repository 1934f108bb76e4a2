package wasim

import (
	"hash/fnv"
	"slices"
	"sync"
)

const (
	chainsWatched   = 5   // per pair of devices, with their counters
	chainsKnown     = 64  // per pair of devices, by name only
	countersWatched = 256 // per chain, with what they carried
)

// verdict is what the network thinks of a ciphertext before anybody opens it.
type verdict int

const (
	isFresh  verdict = iota
	isRepeat         // these very bytes have been seen before: a retransmission
	isReuse          // the same counter of the same chain with other bytes: the sender went back in time
	isPast           // a chain or a counter so far back that nobody knows any more what it carried
)

// ratchetWatch remembers which counters of which sending chains a device has used towards each other device. The header of a
// Signal message is not encrypted, so this needs no key and covers ciphertexts that are only passed on.
type ratchetWatch struct {
	mu   sync.Mutex
	pair map[string]*pairWatch // by addressee
}

// pairWatch are a device's sending chains towards one other.
type pairWatch struct {
	chains []*chainWatch
	past   [][32]byte // chains before them, the oldest first
}

type chainWatch struct {
	ratchet  [32]byte
	counters []counterMark
	oldest   int    // where the ring begins once it is full
	past     uint32 // every counter below was used, or was passed over and is not expected any more
}

type counterMark struct {
	sum     uint64
	counter uint32
}

// checksum tells ciphertexts apart.
func checksum(ciphertext []byte) uint64 {
	h := fnv.New64a()
	h.Write(ciphertext)
	return h.Sum64()
}

// check judges a ciphertext, by its checksum, and remembers it.
func (w *ratchetWatch) check(addressee string, ratchet [32]byte, counter uint32, sum uint64) verdict {
	mark := counterMark{sum, counter}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pair == nil {
		w.pair = map[string]*pairWatch{}
	}
	p := w.pair[addressee]
	if p == nil {
		p = &pairWatch{}
		w.pair[addressee] = p
	}
	for _, c := range p.chains {
		if c.ratchet == ratchet {
			return c.check(mark)
		}
	}
	if slices.Contains(p.past, ratchet) {
		return isPast
	}
	if len(p.chains) >= chainsWatched {
		if len(p.past) >= chainsKnown {
			p.past = slices.Delete(p.past, 0, 1)
		}
		p.past = append(p.past, p.chains[0].ratchet)
		p.chains = slices.Delete(p.chains, 0, 1)
	}
	p.chains = append(p.chains, &chainWatch{ratchet: ratchet, counters: []counterMark{mark}})
	return isFresh
}

func (c *chainWatch) check(mark counterMark) verdict {
	for _, m := range c.counters {
		if m.counter != mark.counter {
			continue
		}
		if m.sum == mark.sum {
			return isRepeat
		}
		return isReuse
	}
	if mark.counter < c.past {
		return isPast
	}
	if len(c.counters) < countersWatched {
		c.counters = append(c.counters, mark)
		return isFresh
	}
	c.past = max(c.past, c.counters[c.oldest].counter+1)
	c.counters[c.oldest] = mark
	c.oldest = (c.oldest + 1) % countersWatched
	return isFresh
}
