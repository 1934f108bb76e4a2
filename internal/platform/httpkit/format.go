package httpkit

import (
	"io"

	"github.com/danielgtaylor/huma/v2"
)

// JSONAppender is a body that writes its own JSON, the same that encoding/json would: for answers so long that most of
// their time would go into reflection.
type JSONAppender interface {
	AppendJSON(b []byte) []byte
}

// jsonFormats are Huma's own, with regard for JSONAppender.
func jsonFormats() map[string]huma.Format {
	format := huma.DefaultJSONFormat
	format.Marshal = func(w io.Writer, v any) error {
		if body, ok := v.(JSONAppender); ok {
			_, err := w.Write(append(body.AppendJSON(nil), '\n'))
			return err
		}
		return huma.DefaultJSONFormat.Marshal(w, v)
	}
	return map[string]huma.Format{"application/json": format, "json": format}
}
