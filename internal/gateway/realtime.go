package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/live"
	"turnero/internal/platform/outbox"
)

const (
	heartbeat    = 15 * time.Second // of a silent stream, so that proxies keep it and dead listeners are noticed
	writeTimeout = 20 * time.Second // for one batch to a slow listener
	streamBatch  = 200
)

// EventLog tells where the log of events ends.
type EventLog interface {
	Head(ctx context.Context) (int64, error)
}

// Live gives a tenant's events as they come; see live.Fanout.
type Live interface {
	Listen(tenant string, after int64) *live.Listener
}

// Stream tells listeners a tenant's events as server-sent events, for as long as their credentials hold.
type Stream struct {
	Log          EventLog
	Live         Live
	Authenticate httpkit.Authenticate
	Closing      <-chan struct{} // closed when the process stops: streams end then, and clients resume elsewhere
}

// streamed is the data of one server-sent event.
type streamed struct {
	ID   id.Event        `json:"id"`
	Name string          `json:"name"`
	At   time.Time       `json:"at"`
	Data json.RawMessage `json:"data"`
}

// Register adds GET /api/events to the API.
func (s *Stream) Register(api *httpkit.API) {
	api.Raw(httpkit.Op{ID: "listen-events", Method: http.MethodGet, Path: "/api/events", Tag: "events", Roles: []id.Role{id.Admin}, Scope: "events:read",
		Summary: "Listen to the business's events (server-sent events)",
		Description: "Each event has a number (`id:`). A client that comes back with it as `Last-Event-ID` (or `?after=`) gets every event since, none twice. " +
			"Without it the stream begins now. A stream ends when its credentials do: come back with others and the last number."}, s.serve)
}

func (s *Stream) serve(w http.ResponseWriter, r *http.Request, p id.Principal) {
	seq, err := s.position(r)
	if err != nil {
		httpkit.WriteProblem(w, r, err)
		return
	}
	listener := s.Live.Listen(p.Tenant.String(), seq)
	defer listener.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	if !send(w, out, ": listening\n\n") {
		return
	}
	for {
		select {
		case <-listener.Changed():
			if err := tell(r.Context(), w, out, listener); err != nil {
				return
			}
		case <-tick.C:
			if !s.mayStay(r, p) || !send(w, out, ": still here\n\n") {
				return
			}
		case <-s.Closing:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// mayStay reports whether the listener's credentials are still what they were when the stream began: a log-in ends, a key is
// revoked, a business is suspended. That they cannot be checked at this moment is no reason to go.
func (s *Stream) mayStay(r *http.Request, p id.Principal) bool {
	now, err := s.Authenticate(r.Context(), r)
	if err != nil {
		return !fault.Is(err, fault.Unauthenticated)
	}
	return now.Tenant == p.Tenant && now.Role == p.Role
}

// position reads from which number the listener wants to go on.
func (s *Stream) position(r *http.Request) (int64, error) {
	text, field := r.Header.Get("Last-Event-ID"), "Last-Event-ID"
	if text == "" {
		text, field = r.URL.Query().Get("after"), "after"
	}
	if text == "" {
		return s.Log.Head(r.Context())
	}
	seq, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seq < 0 {
		return 0, fault.BadField(field, "must be the id of an event of this stream")
	}
	return seq, nil
}

// tell writes what there is for the listener.
func tell(ctx context.Context, w http.ResponseWriter, out *http.ResponseController, listener *live.Listener) error {
	for {
		records, err := listener.Take(ctx, streamBatch)
		if err != nil || len(records) == 0 {
			return err
		}
		var text strings.Builder
		for i := range records {
			if err := format(&text, &records[i]); err != nil {
				return err
			}
		}
		if !send(w, out, text.String()) {
			return http.ErrHandlerTimeout
		}
	}
}

// format writes one event as the HTML standard has it (section 9.2, server-sent events).
func format(text *strings.Builder, rec *outbox.Record) error {
	raw, err := json.Marshal(streamed{rec.ID, rec.Name, rec.At, rec.Payload})
	if err != nil {
		return err
	}
	fmt.Fprintf(text, "id: %d\nevent: %s\ndata: %s\n\n", rec.Seq, rec.Name, raw)
	return nil
}

// send writes and flushes within the time limit; false means that the listener is gone.
func send(w http.ResponseWriter, out *http.ResponseController, text string) bool {
	_ = out.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := fmt.Fprint(w, text); err != nil {
		return false
	}
	return out.Flush() == nil
}
