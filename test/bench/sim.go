package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const seed = "bench"

// program is a child process.
type program struct {
	cmd     *exec.Cmd
	address string
}

func (p *program) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-done
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// startSim starts a local network that keeps nothing.
func startSim(ctx context.Context, binary string) (*program, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary, "sim", "--memory", "--fast-pair", "--listen", address, "--sim-seed", seed, "--log-level", "error")
	return start(cmd, address, "/sim/stats")
}

// start starts a program and waits until it answers the path.
func start(cmd *exec.Cmd, address, path string) (*program, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &program{cmd, address}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + address + path)
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return p, nil
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s does not get ready", cmd.Args[0])
}

// web calls JSON APIs over a few kept connections.
var web = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * callers}, Timeout: time.Minute}

// call makes a request; status above 299 is an error. out may be nil.
func call(method, url string, body, out any, headers ...string) error {
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, url, in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := web.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode > 299 {
		return fmt.Errorf("%s %s: %d %s", method, url, resp.StatusCode, raw)
	}
	if out != nil {
		return json.Unmarshal(raw, out)
	}
	return nil
}

// business and contact are the numbers of a session and of the one person it writes with.
func business(i int) string { return fmt.Sprintf("54911%08d", 10000000+i) }
func contact(i int) string  { return fmt.Sprintf("54911%08d", 60000000+i) }

// inParallel does n things with the callers.
func inParallel(n, workers int, do func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, workers)
	for range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// writeFromPhones has the contacts write, in turn, to their sessions' numbers.
func writeFromPhones(sim string, sessions, messages int) error {
	return inParallel(messages, callers, func(i int) error {
		s := i % sessions
		return call("POST", "http://"+sim+"/sim/phones/"+contact(s)+"/messages", map[string]string{"to": business(s), "text": fmt.Sprintf("message %d", i)}, nil)
	})
}

// acknowledged reads how many messages of clients the network has acknowledged and shown.
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
		time.Sleep(5 * time.Millisecond)
	}
}

// residentKiB reads a process's resident set.
func residentKiB(pid int) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kib int64
		if strings.HasPrefix(s.Text(), "VmRSS:") {
			_, err = fmt.Sscanf(strings.TrimPrefix(s.Text(), "VmRSS:"), "%d kB", &kib)
			return kib, err
		}
	}
	return 0, errors.New("the process tells no resident set")
}
