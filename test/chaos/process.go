package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is a child with a log file.
type process struct {
	cmd  *exec.Cmd
	gone chan struct{} // closed when it has ended
}

// launch starts a program whose output goes to the end of a file.
func launch(log string, env []string, name string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err = cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, gone: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(p.gone) }()
	return p, nil
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.gone
}

func (p *process) isAlive() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// answers waits until the URL answers 200.
func (p *process) answers(ctx context.Context, url string, within time.Duration) error {
	client := &http.Client{Timeout: 2 * time.Second}
	for deadline := time.Now().Add(within); time.Now().Before(deadline); {
		select {
		case <-p.gone:
			return errors.New("the process has ended")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		resp, err := client.Get(url)
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("%s does not answer within %s", url, within)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// residentKiB reads a process's resident set.
func residentKiB(pid int) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "VmRSS:"); ok {
			var kib int64
			_, err = fmt.Sscanf(rest, "%d kB", &kib)
			return kib, err
		}
	}
	return 0, errors.New("the process tells no resident set")
}

// processorTime is how long a process has been computing, to 10 ms.
func processorTime(pid int) time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// proc(5): the 14th and 15th fields, in ticks of 10 ms; the second, in parentheses, may hold spaces.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	var user, system time.Duration
	if _, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		return 0
	}
	return (user + system) * 10 * time.Millisecond
}

// redisServer is a Redis of the run's own, which may be killed and emptied. It keeps nothing on disk.
type redisServer struct {
	*process
	address string
	dir     string
}

func startRedis(dir string) (*redisServer, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &redisServer{address: address, dir: dir}
	return s, s.start()
}

func (s *redisServer) start() error {
	host, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return err
	}
	s.process, err = launch(filepath.Join(s.dir, "redis.log"), nil, "redis-server", "--port", port, "--bind", host, "--dir", s.dir, "--save", "", "--appendonly", "no")
	if err != nil {
		return fmt.Errorf("redis-server: %w", err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", s.address, time.Second)
		if err == nil {
			return conn.Close()
		}
	}
	return errors.New("redis-server does not answer")
}
