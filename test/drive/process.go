package drive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"syscall"
	"time"

	"turnero/test/port"
)

// Process is a program that Launch has started. It is safe for concurrent use.
type Process struct {
	cmd  *exec.Cmd
	gone chan struct{} // closed when it has ended
}

// Launch starts a command, which is killed when this process dies.
func Launch(cmd *exec.Cmd) (*Process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, gone: make(chan struct{})}
	go func() { _ = cmd.Wait(); close(p.gone) }()
	return p, nil
}

// PID gives the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal tells the process something; one that has ended does not hear it.
func (p *Process) Signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// IsAlive reports whether the process has not ended.
func (p *Process) IsAlive() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// Kill ends the process at once and waits for the end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.gone
}

// End sends the signal and waits for the end. A process that goes on for longer than the time is killed, which is an error.
func (p *Process) End(s syscall.Signal, within time.Duration) error {
	p.Signal(s)
	select {
	case <-p.gone:
		return nil
	case <-time.After(within):
		p.Kill()
		return fmt.Errorf("it did not end within %s of signal %q", within, s)
	}
}

// ExitCode waits for the end and gives the code with which the process left, -1 when a signal ended it.
func (p *Process) ExitCode() int {
	<-p.gone
	return p.cmd.ProcessState.ExitCode()
}

// Answers waits until the URL answers 200. It is an error when the process ends before, or takes longer.
func (p *Process) Answers(ctx context.Context, url string, within time.Duration) error {
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

// FreeAddress gives a loopback address, host:port, at which nobody listens.
func FreeAddress() (string, error) {
	n, err := port.Free()
	return fmt.Sprintf("127.0.0.1:%d", n), err
}
