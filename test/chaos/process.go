package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"turnero/test/drive"
)

// launch starts a program whose output goes to the end of a file.
func launch(log string, env []string, name string, args ...string) (*drive.Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = out, out
	return drive.Launch(cmd)
}

// redisServer is a Redis of the run's own, which may be killed and emptied. It keeps nothing on disk.
type redisServer struct {
	*drive.Process
	address string
	dir     string
}

func startRedis(dir string) (*redisServer, error) {
	address, err := drive.FreeAddress()
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
	s.Process, err = launch(filepath.Join(s.dir, "redis.log"), nil, "redis-server", "--port", port, "--bind", host, "--dir", s.dir, "--save", "", "--appendonly", "no")
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
