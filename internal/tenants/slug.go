package tenants

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"turnero/internal/fault"
)

const (
	maxSlugLength = 40
	slugRule      = "must be 2 to 40 lower-case letters, digits and single hyphens between them, such as peluqueria-ana"
)

var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// isSlug reports whether s can name a booking page.
func isSlug(s string) bool { return len(s) >= 2 && len(s) <= maxSlugLength && slugForm.MatchString(s) }

// slugOf makes a slug of a name: "Peluquería Ñandú & Cía." gives "peluqueria-nandu-cia".
func slugOf(name string) string {
	var out strings.Builder
	gap := false
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if gap && out.Len() > 0 {
				out.WriteByte('-')
			}
			out.WriteRune(r)
			gap = false
		case !unicode.Is(unicode.Mn, r): // an accent alone separates nothing
			gap = true
		}
	}
	slug := strings.TrimRight(cut(out.String(), maxSlugLength), "-")
	if !isSlug(slug) {
		return "negocio"
	}
	return slug
}

// numbered gives the n-th choice for a slug: itself, then slug-2, slug-3, …
func numbered(slug string, n int) string {
	if n == 1 {
		return slug
	}
	end := fmt.Sprintf("-%d", n)
	return strings.TrimRight(cut(slug, maxSlugLength-len(end)), "-") + end
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return s[:most]
}

// ErrSlugTaken makes the fault for a slug that another business has.
func ErrSlugTaken() error {
	f := fault.New(fault.Conflict, "slug_taken", "another business has this slug")
	f.Fields = []fault.Field{{Name: "slug", Rule: "must not be in use"}}
	return f
}
