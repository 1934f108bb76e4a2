package lease

import "time"

// Clock gives the time since some fixed moment. Deadlines need one that cannot be set and that goes on while the machine is
// suspended.
type Clock func() time.Duration

var started = time.Now()

// monotonic stands still while the machine is suspended on some systems: the next best thing.
func monotonic() time.Duration { return time.Since(started) }
