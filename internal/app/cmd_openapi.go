package app

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
)

type openapiCommand struct {
	Roles  bool   `help:"The table of roles and operations (Markdown) instead."`
	Output string `help:"File to write; default: standard output." type:"path"`
	Check  string `help:"Only say whether this file is current." type:"path"`
}

// Run prints, writes or checks what the routes say of themselves.
func (c openapiCommand) Run(env *environment) error {
	api, err := describeAPI("1")
	if err != nil {
		return err
	}
	raw := rolesTable(api.Operations())
	if !c.Roles {
		if raw, err = api.OpenAPI().YAML(); err != nil {
			return err
		}
	}
	if c.Check != "" {
		have, err := os.ReadFile(c.Check)
		if err != nil {
			return err
		}
		if !bytes.Equal(have, raw) {
			return errors.New(c.Check + " is not current: run `make generate`")
		}
		return nil
	}
	out := env.stdout
	if c.Output != "" {
		f, err := os.Create(c.Output)
		if err != nil {
			return err
		}
		defer f.Close()
		out = f
	}
	_, err = out.Write(raw)
	return err
}

// rolesTable writes which role may call which operation.
func rolesTable(ops []httpkit.Op) []byte {
	var b bytes.Buffer
	b.WriteString("# Roles and operations\n\nGenerated from the routes by `make generate`. An API key acts as its business's admin within its scopes.\n\n")
	b.WriteString("| operation | what | super-admin | admin | employee | end-user | anybody | API key scope |\n|---|---|---|---|---|---|---|---|\n")
	ops = slices.Clone(ops)
	slices.SortStableFunc(ops, func(x, y httpkit.Op) int {
		return strings.Compare(x.Tag+" "+x.Path+" "+x.Method, y.Tag+" "+y.Path+" "+y.Method)
	})
	for _, op := range ops {
		fmt.Fprintf(&b, "| `%s %s` | %s |", op.Method, op.Path, op.Summary)
		for _, role := range id.Roles() {
			fmt.Fprintf(&b, " %s |", mark(slices.Contains(op.Roles, role)))
		}
		fmt.Fprintf(&b, " %s | %s |\n", mark(op.Public), op.Scope)
	}
	return b.Bytes()
}

func mark(yes bool) string {
	if yes {
		return "✓"
	}
	return ""
}
