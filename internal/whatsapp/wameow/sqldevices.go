package wameow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"

	"go.mau.fi/util/dbutil"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/store/sqlstore/upgrades"
	"go.mau.fi/whatsmeow/types"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"turnero/internal/whatsapp"
)

// SQLDevices is a DeviceStore on the library's own tables (whatsmeow_…), with two more beside them: which device belongs to which
// session, and for which network the store was made. Keys are not encrypted. The table of phone numbers and LIDs is
// one for all sessions.
type SQLDevices struct {
	db        *dbutil.Database
	container *sqlstore.Container
	network   Network
	isOwn     bool // the pool is closed with the store
}

var _ DeviceStore = (*SQLDevices)(nil)

// OpenDevicesFile opens, or makes, a device store in a SQLite file of its own, readable by its owner only. It fails when the
// file was made on another network.
func OpenDevicesFile(ctx context.Context, path string, network Network, log *slog.Logger) (*SQLDevices, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the device store: %w", err)
	}
	if err = f.Close(); err != nil {
		return nil, fmt.Errorf("open the device store: %w", err)
	}
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_txlock=immediate"
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open the device store: %w", err)
	}
	// One connection: callers queue for it in order, where several would find the file locked by turns.
	pool.SetMaxOpenConns(1)
	d, err := openDevices(ctx, pool, "sqlite", network, log)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	d.isOwn = true
	return d, nil
}

// OpenDevicesPostgres opens, or makes, a device store in a PostgreSQL database that may hold other tables. The pool stays the
// caller's. It fails when the store was made on another network.
func OpenDevicesPostgres(ctx context.Context, pool *sql.DB, network Network, log *slog.Logger) (*SQLDevices, error) {
	return openDevices(ctx, pool, "postgres", network, log)
}

func openDevices(ctx context.Context, pool *sql.DB, dialect string, network Network, log *slog.Logger) (*SQLDevices, error) {
	db, err := dbutil.NewWithDB(pool, dialect)
	if err != nil {
		return nil, fmt.Errorf("open the device store: %w", err)
	}
	db.UpgradeTable, db.VersionTable = upgrades.Table, "whatsmeow_version"
	d := &SQLDevices{db: db, network: network, container: sqlstore.NewWithWrappedDB(db, libraryLog{log: log, part: "store"})}
	if err = d.prepare(ctx, pool); err != nil {
		return nil, fmt.Errorf("open the device store: %w", err)
	}
	return d, nil
}

// upgradeLock is the key of the PostgreSQL advisory lock under which processes that start together bring the tables up to date
// one after the other.
const upgradeLock = 0x7475726e776d

// prepare brings the tables up to date and checks the network.
func (d *SQLDevices) prepare(ctx context.Context, pool *sql.DB) error {
	if d.db.Dialect == dbutil.Postgres {
		conn, err := pool.Conn(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }() // back to the pool
		if _, err = conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(upgradeLock)); err != nil {
			return err
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(upgradeLock)) //nolint:errcheck // ends with the connection
	}
	if err := d.container.Upgrade(ctx); err != nil {
		return fmt.Errorf("bring the library's tables up to date: %w", err)
	}
	for _, statement := range []string{
		`CREATE TABLE IF NOT EXISTS wameow_store (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)`,
		`CREATE TABLE IF NOT EXISTS wameow_link (tenant_id TEXT NOT NULL, session_id TEXT NOT NULL, jid TEXT NOT NULL UNIQUE, PRIMARY KEY (tenant_id, session_id))`,
	} {
		if _, err := d.db.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return d.claim(ctx)
}

// claim marks a new store with the network, and refuses one that has another mark.
func (d *SQLDevices) claim(ctx context.Context) error {
	_, err := d.db.Exec(ctx, `INSERT INTO wameow_store (name, value) VALUES ('network', $1) ON CONFLICT (name) DO NOTHING`, string(d.network))
	if err != nil {
		return err
	}
	var made string
	if err = d.db.QueryRow(ctx, `SELECT value FROM wameow_store WHERE name='network'`).Scan(&made); err != nil {
		return err
	}
	if Network(made) != d.network {
		return wrongNetwork(Network(made), d.network)
	}
	return nil
}

// Close closes what the store opened itself. No session may be open.
func (d *SQLDevices) Close() error {
	if !d.isOwn {
		return nil
	}
	return d.db.Close()
}

// Network implements DeviceStore.
func (d *SQLDevices) Network() Network { return d.network }

// Load implements DeviceStore.
func (d *SQLDevices) Load(ctx context.Context, ref whatsapp.Ref) (*store.Device, error) {
	jid, err := d.linked(ctx, ref)
	if err != nil {
		return nil, err
	}
	var device *store.Device
	if !jid.IsEmpty() {
		if device, err = d.container.GetDevice(ctx, jid); err != nil {
			return nil, fmt.Errorf("read a device: %w", err)
		}
	}
	if device == nil {
		device = d.container.NewDevice()
	}
	device.Container = sqlLink{d, ref}
	return device, nil
}

// linked gives the JID of a session's device, empty when it has none.
func (d *SQLDevices) linked(ctx context.Context, ref whatsapp.Ref) (types.JID, error) {
	var jid types.JID
	err := d.db.QueryRow(ctx, `SELECT jid FROM wameow_link WHERE tenant_id=$1 AND session_id=$2`, ref.Tenant.String(), ref.Session.String()).Scan(&jid)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return jid, fmt.Errorf("read a session's link: %w", err)
	}
	return jid, nil
}

// Delete implements DeviceStore.
func (d *SQLDevices) Delete(ctx context.Context, ref whatsapp.Ref) error {
	return d.db.DoTxn(ctx, nil, func(ctx context.Context) error {
		jid, err := d.linked(ctx, ref)
		if err != nil || jid.IsEmpty() {
			return err
		}
		return d.erase(ctx, jid)
	})
}

// erase deletes a device with all its keys, which go by their foreign keys, and whatever link it has.
func (d *SQLDevices) erase(ctx context.Context, jid types.JID) error {
	for _, statement := range []string{`DELETE FROM whatsmeow_device WHERE jid=$1`, `DELETE FROM wameow_link WHERE jid=$1`} {
		if _, err := d.db.Exec(ctx, statement, jid.String()); err != nil {
			return fmt.Errorf("delete a device: %w", err)
		}
	}
	return nil
}

// sqlLink is the container of one session's device: saving the device for the first time links the session.
type sqlLink struct {
	devices *SQLDevices
	ref     whatsapp.Ref
}

var _ store.DeviceContainer = sqlLink{}

// PutDevice implements store.DeviceContainer.
func (l sqlLink) PutDevice(ctx context.Context, device *store.Device) error {
	if device.ID == nil {
		return sqlstore.ErrDeviceIDMustBeSet
	}
	defer func() { device.Container = l }() // the library puts its own in place
	if device.Initialized {
		return l.devices.container.PutDevice(ctx, device)
	}
	return l.devices.db.DoTxn(ctx, nil, func(ctx context.Context) error {
		// WhatsApp gives the numbers of removed devices out again. What is left of an earlier one would keep its own keys.
		if err := l.devices.erase(ctx, *device.ID); err != nil {
			return err
		}
		if err := l.devices.container.PutDevice(ctx, device); err != nil {
			return err
		}
		_, err := l.devices.db.Exec(ctx, `INSERT INTO wameow_link (tenant_id, session_id, jid) VALUES ($1, $2, $3)`,
			l.ref.Tenant.String(), l.ref.Session.String(), device.ID.String())
		return err
	})
}

// DeleteDevice implements store.DeviceContainer.
func (l sqlLink) DeleteDevice(ctx context.Context, device *store.Device) error {
	if device.ID == nil {
		return sqlstore.ErrDeviceIDMustBeSet
	}
	jid := *device.ID
	return l.devices.db.DoTxn(ctx, nil, func(ctx context.Context) error { return l.devices.erase(ctx, jid) })
}
