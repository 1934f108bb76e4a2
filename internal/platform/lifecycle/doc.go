// Package lifecycle starts the parts of a process in order and stops them in reverse, within a deadline, each finishing what
// it has under way.
package lifecycle
