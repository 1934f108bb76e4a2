package when

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPhrases reads the files of phrases: "phrase => meaning" lines, and lines that begin with "@" for the moment, the zone, the
// opening hours of every day and the language in which the phrases below are read.
func TestPhrases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			read := 0
			eachPhrase(t, name, func(line int, lang Language, ref Reference, phrase, want string) {
				read++
				if got := Parse(lang, phrase, ref).String(); got != want {
					t.Errorf("%s:%d: %q means %s, not %s", name, line, phrase, want, got)
				}
			})
			require.Positive(t, read)
		})
	}
}

func eachPhrase(t *testing.T, name string, do func(line int, lang Language, ref Reference, phrase, want string)) {
	f, err := os.Open(name)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	lang, ref := Spanish, Reference{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if setting, ok := strings.CutPrefix(line, "@ "); ok {
			lang, ref = reference(t, setting)
			continue
		}
		phrase, want, ok := strings.Cut(line, " => ")
		require.True(t, ok, "%s:%d: %q holds no phrase with its meaning", name, n, line)
		do(n, lang, ref, strings.TrimSpace(phrase), strings.TrimSpace(want))
	}
	require.NoError(t, lines.Err())
}

// reference reads "es 2026-03-25T10:00 America/Argentina/Buenos_Aires 09:00-18:00", with several spans of hours or "closed".
func reference(t *testing.T, setting string) (Language, Reference) {
	fields := strings.Fields(setting)
	require.GreaterOrEqual(t, len(fields), 4, setting)
	now, err := time.ParseInLocation("2006-01-02T15:04", fields[1], zone(t, fields[2]))
	require.NoError(t, err)
	var spans []Span
	for _, hours := range fields[3:] {
		if hours == "closed" {
			continue
		}
		var h1, m1, h2, m2 int
		_, err := fmt.Sscanf(hours, "%d:%d-%d:%d", &h1, &m1, &h2, &m2)
		require.NoError(t, err, hours)
		spans = append(spans, Span{h1*60 + m1, h2*60 + m2})
	}
	return Language(fields[0]), Reference{Now: now, Open: func(Date) []Span { return spans }}
}
