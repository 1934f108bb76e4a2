// Package web embeds the pages that a browser shows.
package web

import (
	"embed"
	"io/fs"
)

//go:embed demo
var files embed.FS

// Demo gives the files of the first page: the business's line, a simulated phone and the appointments.
func Demo() fs.FS {
	sub, err := fs.Sub(files, "demo")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}
