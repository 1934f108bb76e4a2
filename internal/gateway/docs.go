package gateway

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"sync"

	"turnero/internal/platform/httpkit"
)

//go:embed docs
var docsFiles embed.FS

// Docs serves the OpenAPI document at /openapi.json and a page that shows it at /docs.
func Docs(mux *http.ServeMux, api *httpkit.API) error {
	files, err := fs.Sub(docsFiles, "docs")
	if err != nil {
		return err
	}
	document := sync.OnceValues(func() ([]byte, error) { return json.Marshal(api.OpenAPI()) })
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		raw, err := document()
		if err != nil {
			httpkit.WriteProblem(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(raw)
	})
	mux.Handle("GET /docs/", http.StripPrefix("/docs/", http.FileServerFS(files)))
	mux.Handle("GET /docs", http.RedirectHandler("/docs/", http.StatusMovedPermanently))
	return nil
}
