package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"turnero/internal/platform/groupcommit"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp/wameow"
	"turnero/internal/whatsapp/wastore"
)

// devices is the store of the lines' keys as the engine takes it.
type devices struct{ *wastore.Store }

var _ wameow.DeviceStore = devices{}

// Network implements wameow.DeviceStore.
func (d devices) Network() wameow.Network { return wameow.Network(d.Store.Network()) }

// committer gives what the lines' changes are committed by, nil in a process that carries none.
func (c *core) committer() *groupcommit.Committer {
	if c.devices == nil {
		return nil
	}
	return c.devices.Committer()
}

// openDevices opens the store of the lines' keys and takes over those that earlier versions kept elsewhere.
func (c *core) openDevices(ctx context.Context) (err error) {
	network := wameow.NetworkWhatsApp
	if c.network.rootKey != nil {
		network = wameow.NetworkSim
	}
	if c.devices, err = wastore.Open(ctx, wastore.Options{DB: c.db, Keys: c.keys, Network: string(network), Now: c.now, Logger: c.logger}); err != nil {
		return err
	}
	if c.db.Dialect() == sqlkit.Postgres {
		return c.importTables(ctx)
	}
	return c.importFile(ctx)
}

// oldDevices is the file of the data folder in which earlier versions kept the lines' keys, except on PostgreSQL.
const oldDevices = "whatsapp.db"

// importFile takes over the links of an earlier version's file, which is then of no use.
func (c *core) importFile(ctx context.Context) (err error) {
	path := c.data.file(oldDevices)
	if _, err = os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	old, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	links, err := c.devices.Import(ctx, old, sqlkit.SQLite)
	if err != nil {
		return fmt.Errorf("take over the WhatsApp links in %s: %w", path, err)
	}
	c.logger.WarnContext(ctx, "the WhatsApp links are in the database, encrypted; the old file is read no more and holds their keys in clear: delete it", "file", path, "taken_over", links)
	return nil
}

// importTables takes over the links of an earlier version's tables, if the database has them.
func (c *core) importTables(ctx context.Context) error {
	var hasTables bool
	err := c.db.SQL().QueryRowContext(ctx, "SELECT to_regclass('wameow_link') IS NOT NULL").Scan(&hasTables)
	if err != nil || !hasTables {
		return err
	}
	links, err := c.devices.Import(ctx, c.db.SQL(), sqlkit.Postgres)
	if err != nil {
		return fmt.Errorf("take over the WhatsApp links in the tables whatsmeow_…: %w", err)
	}
	c.logger.WarnContext(ctx, "the WhatsApp links are encrypted now; the old tables whatsmeow_… and wameow_… are read no more and hold their keys in clear: drop them", "taken_over", links)
	return nil
}
