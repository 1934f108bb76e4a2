package httpkit

import (
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// JSONAppender is a body that writes its own JSON, the same that encoding/json would: for answers so long that most of
// their time would go into reflection.
type JSONAppender interface {
	AppendJSON(b []byte) []byte
}

// misfit stands between the name of a field and a value that it cannot hold, in the error of a body that has the right
// shape and yet cannot be read: the library passes on nothing but text.
const misfit = " cannot hold "

// readJSON reads a body, which must be UTF-8 (RFC 8259 section 8.1): the decoder would silently put other characters.
func readJSON(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("must be UTF-8")
	}
	err := huma.DefaultJSONFormat.Unmarshal(data, v)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return errors.New(wrong.Field + misfit + wrong.Value)
	}
	return err
}

// jsonFormats are Huma's own, with regard for JSONAppender and strict in what they read.
func jsonFormats() map[string]huma.Format {
	format := huma.DefaultJSONFormat
	format.Unmarshal = readJSON
	format.Marshal = func(w io.Writer, v any) error {
		if body, ok := v.(JSONAppender); ok {
			_, err := w.Write(append(body.AppendJSON(nil), '\n'))
			return err
		}
		return huma.DefaultJSONFormat.Marshal(w, v)
	}
	return map[string]huma.Format{"application/json": format, "json": format}
}
