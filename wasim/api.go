package wasim

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

const (
	bodyLimit = 150 << 20 // a file of 100 MiB in base64
	pageLimit = 10_000
)

// Handler serves the whole network: the WhatsApp WebSocket at /ws/chat, media under /mms/ and the control API under /sim/.
func (n *Network) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ws/chat", n.serveChat)
	mux.HandleFunc("/mms/{type}/{token}", n.serveMedia)
	mux.Handle("/sim/", n.ControlHandler())
	return mux
}

// serveChat takes a client's WebSocket. The request ends here; the connection goes on.
func (n *Network) serveChat(w http.ResponseWriter, r *http.Request) {
	if code := n.faults.onUpgrade(); code != 0 {
		http.Error(w, http.StatusText(code), code)
		return
	}
	if !n.enter() {
		http.Error(w, "closed", http.StatusServiceUnavailable)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		n.wg.Done()
		n.log.Warn("websocket refused", "error", err)
		return
	}
	go func() {
		defer n.wg.Done()
		n.serve(ws)
	}()
}

// ControlHandler serves the control API under /sim/ alone.
func (n *Network) ControlHandler() http.Handler {
	mux := http.NewServeMux()
	for pattern, serve := range map[string]func(r *http.Request) (int, any, error){
		"GET /sim/phones":                         n.getPhones,
		"POST /sim/phones":                        n.postPhone,
		"GET /sim/phones/{number}":                n.getPhone,
		"PATCH /sim/phones/{number}":              n.patchPhone,
		"POST /sim/phones/{number}/scan":          n.postScan,
		"POST /sim/phones/{number}/pair":          n.postPair,
		"POST /sim/phones/{number}/unlink":        n.postUnlink,
		"POST /sim/phones/{number}/reinstall":     n.postReinstall,
		"POST /sim/phones/{number}/restriction":   n.postRestriction,
		"DELETE /sim/phones/{number}/restriction": n.deleteRestriction,
		"POST /sim/phones/{number}/messages":      n.postMessage,
		"GET /sim/phones/{number}/messages":       n.getMessages,
		"POST /sim/phones/{number}/read":          n.postRead,
		"POST /sim/phones/{number}/typing":        n.postTyping,
		"POST /sim/phones/{number}/presence":      n.postPresence,
		"POST /sim/groups":                        n.postGroup,
		"GET /sim/groups":                         n.getGroups,
		"POST /sim/faults":                        n.postFault,
		"GET /sim/faults":                         n.getFaults,
		"DELETE /sim/faults":                      n.deleteFaults,
		"DELETE /sim/faults/{id}":                 n.deleteFault,
		"GET /sim/transcript":                     n.getTranscript,
		"POST /sim/load":                          n.postLoad,
		"GET /sim/load":                           n.getLoads,
		"GET /sim/load/{id}":                      n.getLoad,
		"DELETE /sim/load/{id}":                   n.deleteLoad,
		"GET /sim/stats":                          n.getStats,
		"GET /sim/log":                            n.getLog,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			status, answer, err := serve(r)
			if err != nil {
				writeProblem(w, err)
				return
			}
			writeJSON(w, status, "application/json", answer)
		})
	}
	mux.HandleFunc("GET /sim/phones/{number}/events", n.getEvents)
	mux.HandleFunc("GET /sim/phones/{number}/messages/{id}/media", n.getMedia)
	mux.HandleFunc("/sim/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, ErrNotFound.because("", "there is no %s %s", r.Method, r.URL.Path))
	})
	return mux
}

// items is how lists are answered.
type items struct {
	Items any `json:"items"`
}

func (n *Network) getPhones(*http.Request) (int, any, error) {
	return http.StatusOK, items{n.Phones()}, nil
}

func (n *Network) postPhone(r *http.Request) (int, any, error) {
	var in struct {
		Number string `json:"number"`
		Settings
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	digits, err := parseNumber("number", in.Number)
	if err != nil {
		return 0, nil, err
	}
	status := http.StatusOK
	if n.find(digits) == nil {
		status = http.StatusCreated
	}
	phone, err := n.Configure(digits, in.Settings)
	return status, phone, err
}

func (n *Network) getPhone(r *http.Request) (int, any, error) {
	phone, err := n.Phone(r.PathValue("number"))
	return http.StatusOK, phone, err
}

func (n *Network) patchPhone(r *http.Request) (int, any, error) {
	var in Settings
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	phone, err := n.Configure(r.PathValue("number"), in)
	return http.StatusOK, phone, err
}

func (n *Network) postScan(r *http.Request) (int, any, error) {
	var in struct {
		QR string `json:"qr"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	if err := n.Scan(r.PathValue("number"), in.QR); err != nil {
		return 0, nil, err
	}
	return n.getPhone(r)
}

func (n *Network) postPair(r *http.Request) (int, any, error) {
	var in struct {
		Code string `json:"code"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	if err := n.EnterCode(r.PathValue("number"), in.Code); err != nil {
		return 0, nil, err
	}
	return n.getPhone(r)
}

func (n *Network) postUnlink(r *http.Request) (int, any, error) {
	var in struct {
		Device int `json:"device"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	if err := n.Unlink(r.PathValue("number"), in.Device); err != nil {
		return 0, nil, err
	}
	return n.getPhone(r)
}

func (n *Network) postReinstall(r *http.Request) (int, any, error) {
	if err := n.Reinstall(r.PathValue("number")); err != nil {
		return 0, nil, err
	}
	return n.getPhone(r)
}

func (n *Network) postMessage(r *http.Request) (int, any, error) {
	var in struct {
		To        string    `json:"to"`
		Text      string    `json:"text"`
		ID        string    `json:"id"`
		Timestamp time.Time `json:"timestamp"`
		Media     *struct {
			Kind     string `json:"type"`
			MimeType string `json:"mimeType"`
			FileName string `json:"fileName"`
			Data     []byte `json:"data"` // base64
		} `json:"media"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	d := Draft{To: in.To, Text: in.Text, ID: in.ID, Timestamp: in.Timestamp}
	if in.Media != nil {
		d.File = &File{Kind: in.Media.Kind, MimeType: in.Media.MimeType, Name: in.Media.FileName, Data: in.Media.Data}
	}
	id, err := n.Write(r.Context(), r.PathValue("number"), d)
	return http.StatusCreated, map[string]string{"id": id}, err
}

func (n *Network) getMessages(r *http.Request) (int, any, error) {
	a, err := n.phoneOf(r.PathValue("number"))
	if err != nil {
		return 0, nil, err
	}
	limit, err := limitOf(r)
	if err != nil {
		return 0, nil, err
	}
	list, err := a.phone.page(r.URL.Query().Get("after"), limit)
	return http.StatusOK, items{list}, err
}

func (n *Network) postRead(r *http.Request) (int, any, error) {
	var in struct {
		Chat string `json:"chat"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	count, err := n.Read(r.PathValue("number"), in.Chat)
	return http.StatusOK, map[string]int{"read": count}, err
}

func (n *Network) postTyping(r *http.Request) (int, any, error) {
	var in struct {
		To    string `json:"to"`
		State string `json:"state"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, n.SetTyping(r.PathValue("number"), in.To, in.State)
}

func (n *Network) postPresence(r *http.Request) (int, any, error) {
	var in struct {
		Online bool `json:"online"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, n.SetOnline(r.PathValue("number"), in.Online)
}

func (n *Network) postGroup(r *http.Request) (int, any, error) {
	var in struct {
		Subject string   `json:"subject"`
		Members []string `json:"members"`
	}
	if err := readJSON(r, &in); err != nil {
		return 0, nil, err
	}
	group, err := n.AddGroup(in.Subject, in.Members)
	return http.StatusCreated, group, err
}

func (n *Network) getGroups(*http.Request) (int, any, error) {
	return http.StatusOK, items{n.Groups()}, nil
}

func (n *Network) getTranscript(r *http.Request) (int, any, error) {
	limit, err := limitOf(r)
	if err != nil {
		return 0, nil, err
	}
	t, err := n.Transcript(r.URL.Query().Get("number"), r.URL.Query().Get("after"), limit)
	return http.StatusOK, t, err
}

func (n *Network) getStats(*http.Request) (int, any, error) { return http.StatusOK, n.Stats(), nil }

func (n *Network) getLog(r *http.Request) (int, any, error) {
	after := uint64(0)
	if s := r.URL.Query().Get("after"); s != "" {
		var err error
		if after, err = strconv.ParseUint(s, 10, 64); err != nil {
			return 0, nil, invalid("after", "must be a number")
		}
	}
	limit, err := limitOf(r)
	if err != nil {
		return 0, nil, err
	}
	list, first, last := n.frames.after(after, limit)
	missed := uint64(0)
	if first > after+1 {
		missed = first - after - 1
	}
	return http.StatusOK, map[string]any{"items": list, "first": first, "last": last, "missed": missed}, nil
}

func limitOf(r *http.Request) (int, error) {
	s := r.URL.Query().Get("limit")
	if s == "" {
		return pageLimit, nil
	}
	limit, err := strconv.Atoi(s)
	if err != nil || limit < 1 || limit > pageLimit {
		return 0, invalid("limit", fmt.Sprintf("must be a number from 1 to %d", pageLimit))
	}
	return limit, nil
}
