//go:build !linux

package lease

import "time"

// SinceBoot is the system's monotonic clock.
func SinceBoot() time.Duration { return monotonic() }
