package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"turnero/internal/config"
)

// dataDir is the folder of a process's files, held against a second process.
type dataDir struct {
	path     string
	lock     *os.File
	database *dataDir // the folder of the embedded database when that is another one, else nil
}

// holdFolders opens the data folder and, when the embedded database lies elsewhere, holds that folder too: two processes
// with one database would both carry its lines.
func holdFolders(cfg *config.Config) (*dataDir, error) {
	dir, err := openDataDir(cfg.Data)
	if err != nil || !cfg.Embedded() {
		return dir, err
	}
	folder := filepath.Dir(cfg.DatabaseFile())
	own, err := os.Stat(cfg.Data)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	if other, err := os.Stat(folder); err == nil && os.SameFile(own, other) {
		return dir, nil
	}
	if dir.database, err = openDataDir(folder); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}

// openDataDir makes the folder if need be (0700) and takes its lock. A second process gets an error that names the first.
func openDataDir(path string) (*dataDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the data folder's lock: %w", err)
	}
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock the data folder: %w", err)
		}
		holder := make([]byte, 32)
		n, _ := f.ReadAt(holder, 0)
		return nil, fmt.Errorf("the data folder %s is in use by another turnero process (PID %s); stop that one, or give this one a folder of its own with --data",
			path, strings.TrimSpace(string(holder[:n])))
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("write the data folder's lock: %w", err)
	}
	return &dataDir{path: path, lock: f}, nil
}

func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }

// Close gives the folders free.
func (d *dataDir) Close() error {
	if d.database != nil {
		return errors.Join(d.database.Close(), d.lock.Close())
	}
	return d.lock.Close()
}
