package lease

import (
	"time"

	"golang.org/x/sys/unix"
)

// SinceBoot is Linux's CLOCK_BOOTTIME (clock_gettime(2)): Go's own monotonic clock stands still while the machine is
// suspended, and a suspended owner would go on believing in its locks.
func SinceBoot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return monotonic() // the call is filtered, then always
	}
	return time.Duration(t.Nano())
}
