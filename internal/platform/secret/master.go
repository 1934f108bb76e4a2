package secret

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// KeySize is the size of a master key and of a data key in bytes.
const KeySize = 32

// FileName is the name of the file in the data folder that holds the master key.
const FileName = "master.key"

// Master is an installation's master key. It never shows itself in a log, an error or a document.
type Master [KeySize]byte

const hidden = "[master key]"

// Format implements fmt.Formatter.
func (m Master) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText implements encoding.TextMarshaler, and so JSON and slog.
func (m Master) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// DeriveKey gives a key of KeySize bytes that is the master key's for the purpose and tells nothing of it or of the keys for
// other purposes (HKDF with SHA-256, RFC 5869). The purpose is a word that stays.
func (m Master) DeriveKey(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, m[:], nil, "turnero:"+purpose, KeySize)
	if err != nil {
		panic(err) // only for keys of more than 255 digests
	}
	return key
}

// ErrNoMasterKey says that a master key is needed and there is none.
var ErrNoMasterKey = errors.New("there is no master key: set TURNERO_MASTER_KEY to 32 bytes in base64 or hex (`openssl rand -base64 32` makes one), or put the file " + FileName + " into the data folder")

// ParseMaster reads a master key: 32 bytes in base64 (padded or not, standard or URL alphabet) or hex.
func ParseMaster(text string) (Master, error) {
	text = strings.TrimSpace(text)
	var m Master
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == KeySize {
		copy(m[:], raw)
		return m, m.check()
	}
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	if raw, err := base64.RawStdEncoding.DecodeString(plain); err == nil && len(raw) == KeySize {
		copy(m[:], raw)
		return m, m.check()
	}
	return Master{}, fmt.Errorf("the master key must be %d bytes in base64 or hex", KeySize)
}

// check refuses a key that somebody made up to fill the field.
func (m Master) check() error {
	if bytes.Count(m[:], m[:1]) == KeySize {
		return errors.New("the master key must be random bytes, not one byte repeated")
	}
	return nil
}

// LoadOrCreate finds the master key: given (from flag or environment) when it is not empty, else the key file in the folder
// dir. When there is none either and mayCreate says so, it makes one and stores it there with mode 0600; created reports that.
// A key file that others may read is refused.
func LoadOrCreate(dir, given string, mayCreate bool) (m Master, created bool, err error) {
	if given != "" {
		m, err = ParseMaster(given)
		return m, false, err
	}
	path := filepath.Join(dir, FileName)
	info, err := os.Stat(path)
	switch {
	case err == nil:
		if info.Mode().Perm()&0o077 != 0 {
			return Master{}, false, fmt.Errorf("%s may be read by others: chmod 600 it", path)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return Master{}, false, err
		}
		if m, err = ParseMaster(string(raw)); err != nil {
			return Master{}, false, fmt.Errorf("%s: %w", path, err)
		}
		return m, false, nil
	case !errors.Is(err, fs.ErrNotExist):
		return Master{}, false, err
	case !mayCreate:
		return Master{}, false, ErrNoMasterKey
	}
	_, _ = rand.Read(m[:]) // crypto/rand.Read never returns an error
	return m, true, writeKey(path, m)
}

// writeKey stores the key durably and whole, or not at all: it must not be lost once something is sealed with it. A key
// that stands there already is never replaced.
func writeKey(path string, m Master) error {
	f, err := os.CreateTemp(filepath.Dir(path), FileName+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(m[:]) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(f.Name(), path) // a file system without links; nothing stood there a moment ago
	}
	if err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
