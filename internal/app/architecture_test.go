package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "turnero/"

// modules are the business modules; none imports another.
var modules = []string{"auth", "tenants", "appointments", "whatsapp", "notifications", "analytics", "gateway"}

// purePackages are the sub-packages that follow the rule of roots and may be imported within their module.
var purePackages = []string{"internal/appointments/bot", "internal/appointments/when"}

// forbiddenInRoots is what a module's root must not import: its adapters do.
var forbiddenInRoots = []string{"database/sql", "net/http", "github.com/uptrace/", "github.com/redis/", "go.mau.fi/", "github.com/danielgtaylor/", "turnero/internal/platform"}

type source struct {
	dir     string // of the package, relative to the repository
	file    string
	imports []string
	syntax  *ast.File
}

// sources reads every Go file of the repository that is not a test.
func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	var out []source
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "bin") && file != root {
			return fs.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		s := source{dir: path.Dir(filepath.ToSlash(rel)), file: filepath.ToSlash(rel), syntax: syntax}
		for _, imp := range syntax.Imports {
			name, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, name)
		}
		out = append(out, s)
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(out), 50, "the walk found the repository")
	return out
}

// moduleOf gives the business module that a package belongs to, "" for none.
func moduleOf(pkg string) string {
	parts := strings.Split(strings.TrimPrefix(pkg, module), "/")
	if len(parts) >= 2 && parts[0] == "internal" && slices.Contains(modules, parts[1]) {
		return parts[1]
	}
	return ""
}

func isRoot(dir string) bool {
	return strings.Count(dir, "/") == 1 && moduleOf(dir) != "" && moduleOf(dir) != "gateway" || slices.Contains(purePackages, dir)
}

func TestImportsFollowTheArchitecture(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, imp := range s.imports {
			if rule := broken(s.dir, imp); rule != "" {
				t.Errorf("%s imports %s: %s", s.file, imp, rule)
			}
		}
	}
}

// broken gives the rule that an import breaks, "" when it breaks none.
func broken(dir, imp string) string {
	own, other := moduleOf(dir), moduleOf(imp)
	target := strings.TrimPrefix(imp, module)
	switch {
	case imp == module+"internal/app" && dir != "cmd/turnero" && !strings.HasPrefix(dir, "test/"):
		return "only cmd imports the composition root"
	case dir == "internal/app" || strings.HasPrefix(dir, "test/") || strings.HasPrefix(dir, "cmd/"):
		return ""
	case dir == "wasim" && strings.HasPrefix(imp, module+"internal/"):
		return "the local network knows nothing of the product"
	case strings.HasPrefix(dir, "internal/") && (imp == module+"wasim" || imp == module+"web"):
		return "only the composition root joins the network and the pages"
	case strings.HasPrefix(dir, "internal/platform/") && (other != "" || target == "internal/config"):
		return "platform knows no module"
	case dir == "internal/events" && strings.HasPrefix(imp, module) && imp != module+"internal/id":
		return "events imports id only"
	case own != "" && other != "" && own != other:
		return "modules never import modules"
	case isRoot(dir) && startsWithAny(imp, forbiddenInRoots):
		return "a module's root is free of technology"
	case own != "" && own == other && !isRoot(dir) && !isRoot(target) && target != dir:
		return "an adapter imports no sibling adapter"
	}
	return ""
}

func startsWithAny(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// A root that read the clock or the default logger could not be tested with a clock of its own.
func TestRootsTakeTheirClockAndLoggerAsArguments(t *testing.T) {
	t.Parallel()
	forbidden := map[string][]string{"time": {"Now", "Since", "Until"}, "slog": {"Default", "SetDefault"}}
	for _, s := range sources(t) {
		if !isRoot(s.dir) {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && slices.Contains(forbidden[pkg.Name], sel.Sel.Name) {
				t.Errorf("%s uses %s.%s", s.file, pkg.Name, sel.Sel.Name)
			}
			return true
		})
	}
}

func TestTheRulesCatchWhatTheyForbid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ dir, imp string }{
		{"internal/whatsapp", "database/sql"}, {"internal/whatsapp", "turnero/internal/auth"}, {"internal/whatsapp/sqlstore", "turnero/internal/tenants"},
		{"internal/whatsapp/httpapi", "turnero/internal/whatsapp/sqlstore"}, {"internal/platform/jobs", "turnero/internal/auth"}, {"wasim", "turnero/internal/id"},
		{"internal/gateway", "turnero/internal/app"}, {"internal/appointments/bot", "turnero/internal/platform/jobs"}, {"internal/events", "turnero/internal/fault"},
		{"internal/whatsapp/wameow", "turnero/wasim"},
	} {
		require.NotEmpty(t, broken(c.dir, c.imp), c)
	}
	for _, c := range []struct{ dir, imp string }{
		{"internal/whatsapp/sqlstore", "turnero/internal/whatsapp"}, {"internal/appointments/bot", "turnero/internal/appointments"},
		{"internal/whatsapp/wameow", "go.mau.fi/whatsmeow"}, {"cmd/turnero", "turnero/internal/app"},
	} {
		require.Empty(t, broken(c.dir, c.imp), c)
	}
}
