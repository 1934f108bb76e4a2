package app

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"turnero/internal/config"
	"turnero/internal/platform/secret"
)

// What a backup holds, by its name in the archive.
const (
	mainDatabase   = "turnero.db" // wherever the configuration has it
	deviceDatabase = oldDevices   // of earlier versions
	mediaFolder    = "media"
	masterKeyFile  = secret.FileName
)

type backupCommand struct {
	Archive   string `arg:"" help:"File to write (.tar.gz); it must not exist." type:"path"`
	MasterKey bool   `name:"include-master-key" help:"Put the master key into the archive too. Whoever has the archive can then read every key in it."`
}

// Run writes the archive. The installation may go on working meanwhile.
func (c backupCommand) Run(env *environment) (err error) {
	if !env.cfg.Embedded() {
		return errors.New("backup copies the embedded database; for PostgreSQL and MySQL use pg_dump or mysqldump, and keep the master key beside it")
	}
	out, err := os.OpenFile(c.Archive, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, out.Close())
		if err != nil {
			_ = os.Remove(c.Archive)
		}
	}()
	gz := gzip.NewWriter(out)
	archive := tar.NewWriter(gz)
	if err = c.fill(env.ctx, env.cfg, archive); err != nil {
		return err
	}
	if err = errors.Join(archive.Close(), gz.Close(), out.Sync()); err != nil {
		return err
	}
	fmt.Fprintln(env.stdout, "wrote", c.Archive)
	if !c.MasterKey {
		fmt.Fprintf(env.stdout, "The master key is NOT in it. Without the key (%s, or TURNERO_MASTER_KEY) nobody can use the WhatsApp links and signing keys in this backup, you included: keep it in another safe place.\n",
			filepath.Join(env.cfg.Data, masterKeyFile))
	}
	return nil
}

// fill copies each database as it stands at one moment, and the files.
func (c backupCommand) fill(ctx context.Context, cfg *config.Config, archive *tar.Writer) error {
	data := cfg.Data
	if _, err := os.Stat(cfg.DatabaseFile()); err != nil {
		return fmt.Errorf("there is no database: %w", err)
	}
	temp, err := os.MkdirTemp("", "turnero-backup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	for name, path := range databases(cfg) {
		copied := filepath.Join(temp, name)
		if err = copyDatabase(ctx, path, copied); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("copy %s: %w", name, err)
		}
		if err = addFile(archive, copied, name); err != nil {
			return err
		}
	}
	if c.MasterKey {
		if err = addFile(archive, filepath.Join(data, masterKeyFile), masterKeyFile); err != nil {
			return err
		}
	}
	err = filepath.WalkDir(filepath.Join(data, mediaFolder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(data, path)
		if err != nil {
			return err
		}
		return addFile(archive, path, filepath.ToSlash(name))
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// databases gives the files of the databases by their names in the archive.
func databases(cfg *config.Config) map[string]string {
	return map[string]string{mainDatabase: cfg.DatabaseFile(), deviceDatabase: filepath.Join(cfg.Data, deviceDatabase)}
}

// copyDatabase writes a consistent copy of a SQLite file that may be in use.
func copyDatabase(ctx context.Context, from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: from}).EscapedPath()+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	return err
}

func addFile(archive *tar.Writer, path, name string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: info.ModTime().Truncate(time.Second), Format: tar.FormatPAX}
	if err = archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.CopyN(archive, f, info.Size())
	return err
}

type restoreCommand struct {
	Archive string `arg:"" help:"Archive of 'turnero backup'." type:"existingfile"`
}

// Run unpacks the archive into a data folder that holds no database yet: all of it, or nothing.
func (c restoreCommand) Run(env *environment) error {
	if !env.cfg.Embedded() {
		return errors.New("restore fills an embedded database; for PostgreSQL and MySQL use their own tools")
	}
	dir, err := holdFolders(env.cfg)
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, path := range databases(env.cfg) {
		if _, err = os.Stat(path); err == nil {
			return fmt.Errorf("there is a %s already; restore into an empty folder", path)
		}
	}
	in, err := os.Open(c.Archive)
	if err != nil {
		return err
	}
	defer in.Close()
	if err = unpack(in, env.cfg); err != nil {
		return fmt.Errorf("restore %s: %w", c.Archive, err)
	}
	fmt.Fprintln(env.stdout, "restored into", env.cfg.Data)
	if _, err = os.Stat(dir.file(masterKeyFile)); err != nil && env.cfg.MasterKey == "" {
		fmt.Fprintf(env.stdout, "The master key is not there: put the key of the backed-up installation into %s (mode 0600) or TURNERO_MASTER_KEY before the first start.\n", dir.file(masterKeyFile))
	}
	fmt.Fprintln(env.stdout, "WhatsApp lines that went on after the backup was made may have to be linked anew.")
	return nil
}

// unfinished ends the name of a file that is being restored.
const unfinished = ".restoring"

// unpack writes the files of the archive beside their places and, once all of it was read and is sound, moves them there.
func unpack(in io.Reader, cfg *config.Config) (err error) {
	gz, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("it is not an archive of 'turnero backup': %w", err)
	}
	var places []string
	defer func() {
		for _, path := range places {
			if err != nil {
				_ = os.Remove(path + unfinished)
			}
		}
	}()
	archive := tar.NewReader(gz)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		path, err := placeOf(header, cfg)
		if err != nil {
			return err
		}
		places = append(places, path)
		if err = unpackFile(archive, path+unfinished); err != nil {
			return err
		}
	}
	if _, err = io.Copy(io.Discard, gz); err != nil { // reads the checksum behind the last file
		return err
	}
	if !slices.Contains(places, cfg.DatabaseFile()) {
		return errors.New("it holds no database")
	}
	for _, path := range places {
		if _, err := os.Stat(path); err == nil {
			return fmt.Errorf("%s is there already", path)
		}
	}
	for _, path := range places {
		if err = os.Rename(path+unfinished, path); err != nil {
			return err
		}
	}
	return nil
}

// placeOf tells where a file of the archive belongs.
func placeOf(header *tar.Header, cfg *config.Config) (string, error) {
	path, known := databases(cfg)[header.Name]
	if !known {
		known = header.Name == masterKeyFile || strings.HasPrefix(header.Name, mediaFolder+"/")
		path = filepath.Join(cfg.Data, filepath.FromSlash(header.Name))
	}
	if !known || !filepath.IsLocal(header.Name) || header.Typeflag != tar.TypeReg {
		return "", fmt.Errorf("it holds %q, which no backup has", header.Name)
	}
	return path, nil
}

func unpackFile(from io.Reader, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Sync(), f.Close())
}
