package wasim

import (
	"hash/fnv"
	"sync"
)

const (
	chainsWatched   = 5    // per pair of devices
	countersWatched = 1024 // per chain
)

// verdict is what the network thinks of a ciphertext before anybody opens it.
type verdict int

const (
	isFresh  verdict = iota
	isRepeat         // these very bytes have been seen before: a retransmission
	isReuse          // the same counter of the same chain with other bytes: the sender went back in time
)

// ratchetWatch remembers which counters of which sending chains a device has used towards each other device. The header of a
// Signal message is not encrypted, so this needs no key and covers ciphertexts that are only passed on.
type ratchetWatch struct {
	mu    sync.Mutex
	chain map[string][]*chainWatch // by addressee
}

type chainWatch struct {
	ratchet  [32]byte
	counters []counterMark
	oldest   int // where the ring begins once it is full
}

type counterMark struct{ counter, sum uint32 }

// checksum tells ciphertexts apart.
func checksum(ciphertext []byte) uint32 {
	h := fnv.New32a()
	h.Write(ciphertext)
	return h.Sum32()
}

// check judges a ciphertext, by its checksum, and remembers it.
func (w *ratchetWatch) check(addressee string, ratchet [32]byte, counter, sum uint32) verdict {
	mark := counterMark{counter, sum}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.chain == nil {
		w.chain = map[string][]*chainWatch{}
	}
	chains := w.chain[addressee]
	for _, c := range chains {
		if c.ratchet == ratchet {
			return c.check(mark)
		}
	}
	if len(chains) >= chainsWatched {
		chains = chains[1:]
	}
	w.chain[addressee] = append(chains, &chainWatch{ratchet: ratchet, counters: []counterMark{mark}})
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
	if len(c.counters) < countersWatched {
		c.counters = append(c.counters, mark)
		return isFresh
	}
	c.counters[c.oldest] = mark
	c.oldest = (c.oldest + 1) % countersWatched
	return isFresh
}
