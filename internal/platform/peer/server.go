package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"turnero/internal/fault"
	"turnero/internal/platform/httpkit"
)

// Prefix begins every path that one process asks another under.
const Prefix = "/internal/"

// maxBody bounds questions and answers, in bytes.
const maxBody = 8 << 20

// Server answers the questions of other processes.
type Server struct {
	mux    *http.ServeMux
	tokens checker
	logger *slog.Logger
}

// NewServer makes a server of the questions that mux leads to, for whoever shows a token under the key (see KeyPurpose).
// Everything else under Prefix is refused.
func NewServer(mux *http.ServeMux, key []byte, now func() time.Time, logger *slog.Logger) *Server {
	s := &Server{mux: mux, tokens: checker{key, now}, logger: logger}
	mux.HandleFunc(Prefix, func(w http.ResponseWriter, r *http.Request) {
		err := s.tokens.check(r)
		if err == nil {
			err = fault.New(fault.NotFound, "no_such_question", "this process does not answer "+r.URL.Path)
		}
		httpkit.WriteProblem(w, r, err)
	})
	return s
}

// Handle registers the answer to the questions that are posted to the path, which begins with Prefix. The input is decoded
// from JSON strictly as far as types go; members that it does not have are ignored, so that a newer process may ask an
// older one. fn's context ends when the asking side goes away or gives up.
func Handle[I, O any](s *Server, path string, fn func(ctx context.Context, in I) (O, error)) {
	if !strings.HasPrefix(path, Prefix) {
		panic("peer: the path " + path + " does not begin with " + Prefix)
	}
	s.mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		ctx := httpkit.WithRequestID(r.Context(), r.Header.Get(requestIDHeader))
		r = r.WithContext(ctx)
		if err := s.tokens.check(r); err != nil {
			httpkit.WriteProblem(w, r, err)
			return
		}
		var in I
		if err := readBody(w, r, &in); err != nil {
			httpkit.WriteProblem(w, r, err)
			return
		}
		w.Header().Set(answeredHeader, "1")
		out, err := guarded(ctx, fn, in)
		if err == nil {
			err = writeAnswer(w, out)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

const (
	requestIDHeader = "X-Request-ID"
	// answeredHeader marks what a registered function answered. Without it a question was not handled, whatever the status:
	// a 404 of another program must not look like a thing that does not exist.
	answeredHeader = "X-Peer-Answer"
)

func readBody(w http.ResponseWriter, r *http.Request, in any) error {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return fault.New(fault.TooLarge, "too_large", "the question is too large").WithCause(err)
	}
	if err = json.Unmarshal(raw, in); err != nil {
		return fault.New(fault.Invalid, "malformed", "the question cannot be read").WithCause(err)
	}
	return nil
}

func writeAnswer(w http.ResponseWriter, out any) error {
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(out); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body.Bytes()) // whoever is gone does not read it
	return nil
}

// guarded calls fn; a panic is an error.
func guarded[I, O any](ctx context.Context, fn func(context.Context, I) (O, error), in I) (out O, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return fn(ctx, in)
}

// fail answers with the fault, and logs what is our mistake: the asking side gets to know no more than that.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if fault.Is(err, fault.Internal) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		s.logger.ErrorContext(r.Context(), "question of a peer failed", "path", r.URL.Path, "error", err.Error())
	}
	httpkit.WriteProblem(w, r, err)
}
