package drive

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"
)

// ResidentKiB reads the resident set of a process in KiB: VmRSS of proc_pid_status(5).
func ResidentKiB(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var kib int64
			_, err = fmt.Sscanf(rest, "%d kB", &kib)
			return kib, err
		}
	}
	return 0, fmt.Errorf("process %d tells no resident set", pid)
}

// tick is the unit in which Linux counts a process's time (USER_HZ is 100 on every platform that Go knows).
const tick = 10 * time.Millisecond

// ProcessorTime reads for how long a process has been computing so far, in its own code and in the kernel's: utime and stime
// of proc_pid_stat(5).
func ProcessorTime(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// They are the 14th and 15th fields; the second, in parentheses, may hold spaces and parentheses itself.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("process %d tells no time", pid)
	}
	var user, system time.Duration
	if _, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		return 0, err
	}
	return (user + system) * tick, nil
}
