package wasim

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
)

const (
	mediaHost = "mmg.whatsapp.net"
	// mediaFileLimit is the size of the largest file, mediaMemoryLimit what a network in memory keeps of them all.
	mediaFileLimit   = 100 << 20
	mediaMemoryLimit = 256 << 20
	// mediaChunk is how much of a file must be read within answerTimeout.
	mediaChunk = 1 << 20
)

// mediaToken is what files are called by: the hash of their encrypted form.
var mediaToken = regexp.MustCompile(`^[A-Za-z0-9_-]{8,100}={0,2}$`)

// mediaStore plays the media servers: it keeps encrypted files by their token, in the folder or in memory.
type mediaStore struct {
	dir string

	mu    sync.Mutex
	files map[string][]byte
	order []string
	size  int
}

func newMediaStore(dir string) *mediaStore {
	if dir != "" {
		dir = filepath.Join(dir, "media")
	}
	return &mediaStore{dir: dir, files: map[string][]byte{}}
}

func (m *mediaStore) put(token string, data []byte) error {
	if m.dir != "" {
		if err := os.MkdirAll(m.dir, 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(m.dir, token), data, 0o600)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.removeLocked(token)
	m.files[token] = data
	m.order = append(m.order, token)
	m.size += len(data)
	for m.size > mediaMemoryLimit && len(m.order) > 1 {
		m.removeLocked(m.order[0])
	}
	return nil
}

func (m *mediaStore) get(token string) []byte {
	if m.dir != "" {
		data, err := os.ReadFile(filepath.Join(m.dir, token))
		if err != nil {
			return nil
		}
		return data
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.files[token]
}

func (m *mediaStore) remove(token string) {
	if m.dir != "" {
		_ = os.Remove(filepath.Join(m.dir, token)) // gone is gone
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.removeLocked(token)
}

func (m *mediaStore) removeLocked(token string) {
	data, ok := m.files[token]
	if !ok {
		return
	}
	delete(m.files, token)
	m.size -= len(data)
	for i, t := range m.order {
		if t == token {
			m.order = append(m.order[:i], m.order[i+1:]...)
			return
		}
	}
}

func answerMediaConn(c *conn, n, _ *node) error {
	c.reply(n, node{Tag: "media_conn", Attrs: attrs{"auth": "wasim", "ttl": 3600, "auth_ttl": 3600, "max_buckets": 12},
		Content: []node{{Tag: "host", Attrs: attrs{"hostname": mediaHost}}}})
	return nil
}

// serveMedia takes and hands out encrypted files under /mms/<type>/<token>.
func (n *Network) serveMedia(w http.ResponseWriter, r *http.Request) {
	token := r.PathValue("token")
	if !mediaToken.MatchString(token) {
		http.Error(w, "bad token", http.StatusBadRequest)
		return
	}
	switch r.Method {
	case http.MethodPost:
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mediaFileLimit))
		if err != nil {
			http.Error(w, "file too large", http.StatusRequestEntityTooLarge)
			return
		}
		if err = n.media.put(token, data); err != nil {
			n.log.Error("file not kept", "error", err)
			http.Error(w, "file not kept", http.StatusInsufficientStorage)
			return
		}
		n.stats.MediaIn.Add(1)
		path := mediaPath(r.PathValue("type"), token)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"url": "https://" + mediaHost + path, "direct_path": path}) // the client has gone
	case http.MethodGet, http.MethodHead:
		data := n.media.get(token)
		if data == nil {
			http.Error(w, "gone", http.StatusGone)
			return
		}
		n.stats.MediaOut.Add(1)
		w.Header().Set("Content-Type", "application/octet-stream")
		writeChunks(w, data)
	case http.MethodDelete:
		n.media.remove(token)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// writeChunks writes a file, each part of it in time.
func writeChunks(w http.ResponseWriter, data []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	for part := range slices.Chunk(data, mediaChunk) {
		var err error
		if writeInTime(w, func() { _, err = w.Write(part) }); err != nil {
			return // the client has gone
		}
	}
}

// mediaPath is where a file can be fetched. Clients add their own parameters to the query.
func mediaPath(kind, token string) string { return "/mms/" + kind + "/" + token + "?ccb=1" }
