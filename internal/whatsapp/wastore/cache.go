package wastore

// mostCached bounds what one session keeps in memory, in bytes.
const mostCached = 16 << 10

// mostEntries bounds how many rows that may be.
const mostEntries = 64

// cache keeps the rows that a session used last, as they are committed. Its caller locks.
type cache struct {
	rows map[key]cached
	size int
	tick uint32
}

type cached struct {
	row  *row
	size int
	used uint32
}

func (c *cache) get(k key) (*row, bool) {
	e, ok := c.rows[k]
	if !ok {
		return nil, false
	}
	c.tick++
	e.used = c.tick
	c.rows[k] = e
	return e.row, true
}

func (c *cache) put(k key, r *row) {
	c.drop(k)
	size := r.size(k)
	if size > mostCached/4 {
		return
	}
	for c.size+size > mostCached || len(c.rows) >= mostEntries {
		c.evict()
	}
	if c.rows == nil {
		c.rows = map[key]cached{}
	}
	c.tick++
	c.rows[k] = cached{r, size, c.tick}
	c.size += size
}

// evict drops the row that was not used for the longest time.
func (c *cache) evict() {
	var oldest key
	age := uint32(0)
	for k, e := range c.rows {
		if a := c.tick - e.used; a >= age {
			oldest, age = k, a
		}
	}
	c.drop(oldest)
}

func (c *cache) drop(k key) {
	if e, ok := c.rows[k]; ok {
		c.size -= e.size
		delete(c.rows, k)
	}
}

// dropTable drops the rows of one table.
func (c *cache) dropTable(id tableID) {
	for k := range c.rows {
		if k.table == id {
			c.drop(k)
		}
	}
}
