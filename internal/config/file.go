package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// File is a YAML file of configuration, as kong reads it: its keys are the names of the flags.
type File struct{ values map[string]any }

var _ kong.Resolver = (*File)(nil)

// ReadFile reads a YAML document. It implements kong.ConfigurationLoader.
func ReadFile(r io.Reader) (kong.Resolver, error) {
	f := &File{values: map[string]any{}}
	if err := yaml.NewDecoder(r).Decode(&f.values); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	return f, nil
}

// Validate implements kong.Resolver: a key that no flag has is an error.
func (f *File) Validate(*kong.Application) error {
	var known, unknown []string
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		known = append(known, flagName(t.Field(i)))
	}
	for key := range f.values {
		if !slices.Contains(known, key) {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return fmt.Errorf("configuration file: unknown key %s (known: %s)", strings.Join(unknown, ", "), strings.Join(known, ", "))
}

// Resolve implements kong.Resolver. A value of the environment stands before one of the file.
func (f *File) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, env := range flag.Envs {
		if _, ok := os.LookupEnv(env); ok {
			return nil, nil
		}
	}
	v, ok := f.values[flag.Name]
	if !ok || v == nil {
		return nil, nil
	}
	if list, ok := v.([]any); ok {
		parts := make([]string, len(list))
		for i, item := range list {
			parts[i] = fmt.Sprint(item)
		}
		return strings.Join(parts, ","), nil
	}
	return fmt.Sprint(v), nil
}
