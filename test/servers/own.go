package servers

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Own is a server of one test, which may freeze and kill it without harm to others.
type Own struct {
	URL string
	set *Set
}

// StartOwn starts a server of the sort that the variable names, whatever the environment holds. It ends with the process, or with Stop.
func StartOwn(ctx context.Context, env string, log io.Writer) (*Own, error) {
	at := slices.IndexFunc(all, func(s server) bool { return s.env == env })
	if at < 0 {
		return nil, fmt.Errorf("there is no server for %s", env)
	}
	srv := all[at]
	if srv.program() == "" {
		return nil, fmt.Errorf("%s is not installed: Debian's package is %s", srv.name, srv.pkg)
	}
	dir, err := os.MkdirTemp("", "turnero-server-")
	if err != nil {
		return nil, err
	}
	o := &Own{set: &Set{dir: dir, log: log}}
	if err = os.Chmod(dir, 0o755); err == nil {
		o.URL, err = srv.start(ctx, o.set)
	}
	if err != nil {
		o.Stop()
		return nil, fmt.Errorf("start %s: %w", srv.name, err)
	}
	return o, nil
}

// Stop ends the server, frozen or not, and removes its data.
func (o *Own) Stop() {
	o.Kill()
	_ = os.RemoveAll(o.set.dir)
}

// Freeze stops all processes of the server where they stand (SIGSTOP): connections stay open and nothing is answered.
func (o *Own) Freeze() error {
	if err := o.set.cmds[0].Process.Signal(syscall.SIGSTOP); err != nil { // it makes no further children
		return err
	}
	return o.signalChildren(syscall.SIGSTOP)
}

// Thaw lets a frozen server go on.
func (o *Own) Thaw() error {
	if err := o.signalChildren(syscall.SIGCONT); err != nil {
		return err
	}
	return o.set.cmds[0].Process.Signal(syscall.SIGCONT)
}

// Kill ends all processes of the server at once.
func (o *Own) Kill() {
	for _, cmd := range o.set.cmds {
		if cmd.ProcessState != nil {
			continue
		}
		_ = cmd.Process.Signal(syscall.SIGSTOP)
		_ = o.signalChildren(syscall.SIGKILL)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// Restart starts the server again on its data and address, after Kill, and waits until it accepts connections.
func (o *Own) Restart(ctx context.Context) error {
	o.Kill()
	old := o.set.cmds[0]
	cmd := exec.Command(old.Path, old.Args[1:]...)
	cmd.Dir, cmd.SysProcAttr = old.Dir, old.SysProcAttr
	if err := cmd.Start(); err != nil {
		return err
	}
	o.set.cmds[0] = cmd
	_, address, _ := strings.Cut(o.URL, "@")
	host, _, _ := strings.Cut(address, "/")
	_, port, _ := strings.Cut(host, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("the address of %s: %w", o.URL, err)
	}
	return answering(ctx, n)
}

// signalChildren tells the children of the server's first process, each of which is a group of its own.
func (o *Own) signalChildren(sig syscall.Signal) error {
	parent := o.set.cmds[0].Process.Pid
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return err
	}
	for _, path := range stats {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// "pid (name) state ppid …", and the name may hold anything.
		rest := string(raw)[strings.LastIndex(string(raw), ")")+1:]
		fields := strings.Fields(rest)
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return err
		}
		_ = syscall.Kill(pid, sig) // it may have ended
	}
	return nil
}
