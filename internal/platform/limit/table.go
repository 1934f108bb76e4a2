package limit

import "time"

// maxKeys bounds the memory of one limiter. Entries without news are forgotten first: forgetting them changes nothing.
const maxKeys = 100_000

// table holds something per key, within bounds.
type table[V any] struct {
	entries map[string]*V
	swept   time.Time
}

func newTable[V any](now time.Time) table[V] { return table[V]{entries: map[string]*V{}, swept: now} }

// of gives the key's entry, made when there is none.
func (t *table[V]) of(key string, fresh func() *V) *V {
	v := t.entries[key]
	if v == nil {
		v = fresh()
		t.entries[key] = v
	}
	return v
}

// sweep forgets idle entries now and then. When too many keys are in use at once it forgets a tenth of them, whichever: a
// flood of made-up keys then costs accuracy, not memory, and one sweep is paid by many calls.
func (t *table[V]) sweep(now time.Time, idle func(*V) bool) {
	if now.Sub(t.swept) < time.Minute && len(t.entries) < maxKeys {
		return
	}
	t.swept = now
	for key, v := range t.entries {
		if idle(v) {
			delete(t.entries, key)
		}
	}
	if len(t.entries) <= maxKeys*9/10 {
		return
	}
	for key := range t.entries {
		if delete(t.entries, key); len(t.entries) <= maxKeys*9/10 {
			return
		}
	}
}
