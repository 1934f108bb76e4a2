package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"turnero/test/drive"
)

const seed = "bench"

// program is a child process.
type program struct {
	*drive.Process
	address string
}

func (p *program) stop() { _ = p.End(syscall.SIGTERM, 20*time.Second) }

// startSim starts a local network that keeps nothing.
func startSim(ctx context.Context, binary string) (*program, error) {
	address, err := drive.FreeAddress()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary, "sim", "--memory", "--fast-pair", "--listen", address, "--sim-seed", seed, "--log-level", "error")
	return start(ctx, cmd, address, "/sim/stats")
}

// start starts a program and waits until it answers the path.
func start(ctx context.Context, cmd *exec.Cmd, address, path string) (*program, error) {
	cmd.Stderr = os.Stderr
	process, err := drive.Launch(cmd)
	if err != nil {
		return nil, err
	}
	p := &program{process, address}
	if err = p.Answers(ctx, "http://"+address+path, 30*time.Second); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w", cmd.Args[0], err)
	}
	return p, nil
}

// web keeps connections for the callers.
var web = &drive.Caller{Client: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * callers}, Timeout: time.Minute}}

// call makes a request; see drive.Caller.
func call(method, url string, body, out any, headers ...string) error {
	return web.Call(context.Background(), method, url, body, out, headers...)
}

// business and contact are the numbers of a session and of the one person it writes with.
func business(i int) string { return fmt.Sprintf("54911%08d", 10000000+i) }
func contact(i int) string  { return fmt.Sprintf("54911%08d", 60000000+i) }

// writeFromPhones has the contacts write, in turn, to their sessions' numbers.
func writeFromPhones(sim string, sessions, messages int) error {
	return drive.InParallel(messages, callers, func(i int) error {
		s := i % sessions
		return call("POST", "http://"+sim+"/sim/phones/"+contact(s)+"/messages", map[string]string{"to": business(s), "text": fmt.Sprintf("message %d", i)}, nil)
	})
}

// shown reads how many messages of clients the network has acknowledged and shown.
func shown(sim string) (int64, error) {
	var stats struct {
		Shown int64 `json:"messagesShown"`
	}
	err := call("GET", "http://"+sim+"/sim/stats", nil, &stats)
	return stats.Shown, err
}

// waitFor polls until the count is reached, and fails when nothing moves for a while.
func waitFor(what string, want int64, count func() (int64, error)) error {
	last, moved := int64(-1), time.Now()
	for {
		n, err := count()
		if err != nil {
			return err
		}
		if n >= want {
			return nil
		}
		if n != last {
			last, moved = n, time.Now()
		}
		if time.Since(moved) > 30*time.Second {
			return fmt.Errorf("%s: stuck at %d of %d", what, n, want)
		}
		time.Sleep(20 * time.Millisecond) // a look at Turnero's metrics costs as much as some messages
	}
}
