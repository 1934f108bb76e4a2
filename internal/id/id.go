package id

import (
	"bytes"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Kind names one sort of thing that has an ID; the unexported method keeps the set closed to this package.
type Kind interface{ prefix() string }

// ID identifies one thing of kind K: a prefix that tells the kind, an underscore and a UUIDv7 (RFC 9562 section 5.7) in
// 26 characters of lower-case Crockford base32, as the TypeID specification has it: `apt_01j9z3k5w8e0r9v6c2m4x7b1qd`.
// IDs made later sort after IDs made earlier by the same process. The zero value means "none".
type ID[K Kind] struct{ text string }

// New makes a fresh ID. It panics only when the system's random source fails.
func New[K Kind]() ID[K] {
	var k K
	return ID[K]{k.prefix() + "_" + encode(uuid.Must(uuid.NewV7()))}
}

// From makes the ID that always belongs to name within the given namespace ID: a repeatable ID (RFC 9562 section 5.5) for
// things that must be created once whatever the number of attempts.
func From[K Kind](name string) ID[K] {
	var k K
	return ID[K]{k.prefix() + "_" + encode(uuid.NewSHA1(uuid.NameSpaceOID, []byte(k.prefix()+":"+name)))}
}

// Parse reads an ID of kind K. Any other prefix, length or character is an error, upper case included.
func Parse[K Kind](text string) (ID[K], error) {
	var k K
	suffix, ok := strings.CutPrefix(text, k.prefix()+"_")
	if !ok || !isSuffix(suffix) {
		return ID[K]{}, fmt.Errorf("%q is not an ID of the form %s_<26 characters>", text, k.prefix())
	}
	return ID[K]{text}, nil
}

// String gives the text form, "" for the zero value.
func (i ID[K]) String() string { return i.text }

// IsZero reports whether the ID is the zero value.
func (i ID[K]) IsZero() bool { return i.text == "" }

// MarshalText implements encoding.TextMarshaler, and so JSON.
func (i ID[K]) MarshalText() ([]byte, error) { return []byte(i.text), nil }

// UnmarshalText implements encoding.TextUnmarshaler; empty text is the zero value.
func (i *ID[K]) UnmarshalText(text []byte) error {
	if len(bytes.TrimSpace(text)) == 0 {
		*i = ID[K]{}
		return nil
	}
	v, err := Parse[K](string(text))
	if err != nil {
		return err
	}
	*i = v
	return nil
}

// Value implements driver.Valuer: the zero value is stored as NULL.
func (i ID[K]) Value() (driver.Value, error) {
	if i.text == "" {
		return nil, nil
	}
	return i.text, nil
}

// Scan implements sql.Scanner: NULL and empty text are the zero value.
func (i *ID[K]) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*i = ID[K]{}
		return nil
	case string:
		return i.UnmarshalText([]byte(v))
	case []byte:
		return i.UnmarshalText(v)
	default:
		return fmt.Errorf("scan %T into an ID", src)
	}
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// encode writes the 128 bits as 26 base32 digits, most significant first (130 bits, the top two always zero).
func encode(u uuid.UUID) string {
	var out [26]byte
	var acc, bits uint
	pos := len(out)
	for i := len(u) - 1; i >= 0; i-- {
		acc |= uint(u[i]) << bits
		bits += 8
		for bits >= 5 {
			pos--
			out[pos] = alphabet[acc&31]
			acc >>= 5
			bits -= 5
		}
	}
	out[0] = alphabet[acc&31]
	return string(out[:])
}

// isSuffix reports whether s is 26 digits of the alphabet that fit 128 bits.
func isSuffix(s string) bool {
	if len(s) != 26 || s[0] > '7' {
		return false
	}
	for i := range len(s) {
		if strings.IndexByte(alphabet, s[i]) < 0 {
			return false
		}
	}
	return true
}
