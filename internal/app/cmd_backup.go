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
)

// The files of a data folder that a backup holds; the databases are copied as they stand at one moment.
var (
	databaseFiles = []string{"turnero.db", "whatsapp.db"}
	mediaFolder   = "media"
	masterKeyFile = "master.key"
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
	if err = c.fill(env.ctx, env.cfg.Data, archive); err != nil {
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

func (c backupCommand) fill(ctx context.Context, data string, archive *tar.Writer) error {
	if _, err := os.Stat(filepath.Join(data, databaseFiles[0])); err != nil {
		return fmt.Errorf("%s holds no database: %w", data, err)
	}
	temp, err := os.MkdirTemp("", "turnero-backup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	for _, name := range databaseFiles {
		copied := filepath.Join(temp, name)
		if err = copyDatabase(ctx, filepath.Join(data, name), copied); errors.Is(err, fs.ErrNotExist) {
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

// Run unpacks the archive into a data folder that holds no database yet.
func (c restoreCommand) Run(env *environment) error {
	dir, err := openDataDir(env.cfg.Data)
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, name := range append(slices.Clone(databaseFiles), masterKeyFile) {
		if _, err = os.Stat(dir.file(name)); err == nil && name != masterKeyFile {
			return fmt.Errorf("%s already holds %s; restore into an empty folder", env.cfg.Data, name)
		}
	}
	in, err := os.Open(c.Archive)
	if err != nil {
		return err
	}
	defer in.Close()
	gz, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("%s is not an archive of 'turnero backup': %w", c.Archive, err)
	}
	if err = unpack(tar.NewReader(gz), dir); err != nil {
		return err
	}
	fmt.Fprintln(env.stdout, "restored into", env.cfg.Data)
	if _, err = os.Stat(dir.file(masterKeyFile)); err != nil && env.cfg.MasterKey == "" {
		fmt.Fprintf(env.stdout, "The master key is not there: put the key of the backed-up installation into %s (mode 0600) or TURNERO_MASTER_KEY before the first start.\n", dir.file(masterKeyFile))
	}
	fmt.Fprintln(env.stdout, "WhatsApp lines that went on after the backup was made may have to be linked anew.")
	return nil
}

func unpack(archive *tar.Reader, dir *dataDir) error {
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		known := slices.Contains(databaseFiles, header.Name) || header.Name == masterKeyFile || strings.HasPrefix(header.Name, mediaFolder+"/")
		if !known || !filepath.IsLocal(header.Name) || header.Typeflag != tar.TypeReg {
			return fmt.Errorf("the archive holds %q, which no backup has", header.Name)
		}
		if err = unpackFile(archive, dir.file(filepath.FromSlash(header.Name))); err != nil {
			return err
		}
	}
}

func unpackFile(from io.Reader, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Sync(), f.Close())
}
