package wasim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// getEvents streams what happens at a phone as server-sent events. With ?after= or Last-Event-ID the messages since then come
// first; each message's event has its seq as ID.
func (n *Network) getEvents(w http.ResponseWriter, r *http.Request) {
	number := r.PathValue("number")
	watcher, err := n.Watch(number)
	if err != nil {
		writeProblem(w, err)
		return
	}
	defer watcher.Stop()
	after := r.Header.Get("Last-Event-ID")
	if s := r.URL.Query().Get("after"); s != "" {
		after = s
	}
	var missed []Message
	if after != "" {
		if missed, err = n.Messages(number, after); err != nil {
			writeProblem(w, err)
			return
		}
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	writeInTime(w, func() { w.WriteHeader(http.StatusOK) })
	last := uint64(0)
	for _, m := range missed {
		last = m.Seq
		if writeInTime(w, func() { err = writeEvent(w, Event{Type: EventMessage, Message: &m}) }); err != nil {
			return
		}
	}
	beat := time.NewTicker(15 * time.Second)
	defer beat.Stop()
	for err == nil {
		select {
		case e, ok := <-watcher.C:
			if !ok {
				return
			}
			if e.Type == EventMessage && e.Message.Seq <= last {
				continue
			}
			writeInTime(w, func() { err = writeEvent(w, e) })
		case <-beat.C:
			writeInTime(w, func() { _, err = io.WriteString(w, ": \n\n") })
		case <-r.Context().Done():
			return
		}
	}
}

func writeEvent(w io.Writer, e Event) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if e.Type == EventMessage {
		_, err = fmt.Fprintf(w, "id: %d\n", e.Message.Seq)
	}
	if err == nil {
		_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.Type, data)
	}
	return err
}

// getMedia answers with the file of a message, decrypted.
func (n *Network) getMedia(w http.ResponseWriter, r *http.Request) {
	data, media, err := n.Download(r.PathValue("number"), r.PathValue("id"))
	if err != nil {
		writeProblem(w, err)
		return
	}
	w.Header().Set("Content-Type", media.MimeType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Disposition", "attachment")
	writeChunks(w, data)
}
