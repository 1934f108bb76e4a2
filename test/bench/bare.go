package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"
	"google.golang.org/protobuf/proto"
	_ "modernc.org/sqlite"

	"turnero/test/drive"
	"turnero/test/servers"
	"turnero/wasim"
)

// bare is a set of clients of the library with nothing around them.
type bare struct {
	sim      string
	clients  []*whatsmeow.Client
	received atomic.Int64
}

// measureBare measures the library on one of its stores, in this process.
func measureBare(ctx context.Context, kind, sim string, p plan) (result, error) {
	whatsmeow.WACertPubKey = wasim.RootKeyFor(seed)
	newDevice, database, closeStore, err := openBareStore(ctx, kind)
	if err != nil {
		return result{}, err
	}
	defer closeStore()
	at := meter{os.Getpid(), database}
	b := &bare{sim: sim}
	r := result{}
	if r.BaseKiB, err = ownResident(); err != nil {
		return r, err
	}
	b.clients = make([]*whatsmeow.Client, p.Sessions)
	if err = drive.InParallel(p.Sessions, 16, func(i int) error { return b.link(ctx, i, newDevice()) }); err != nil {
		return r, err
	}
	defer func() {
		for _, c := range b.clients {
			c.Disconnect()
		}
	}()
	if r.IdleKiB, err = perSession(r.BaseKiB, p.Sessions); err != nil {
		return r, err
	}
	// The first messages of each pair cost a key exchange and an introduction; both sides are measured on what follows.
	if err = errors.Join(b.send(ctx, p.Sessions), b.receive(p.Sessions, p.Sessions)); err != nil {
		return r, err
	}
	if r.OutPerSec, r.OutCPU, err = at.rate(p.Messages, func() error { return b.send(ctx, p.Messages) }); err != nil {
		return r, err
	}
	if r.InPerSec, r.InCPU, err = at.rate(p.Messages, func() error { return b.receive(p.Sessions, p.Messages) }); err != nil {
		return r, err
	}
	if r.InP50, r.InP99, err = latency(sim, p); err != nil {
		return r, err
	}
	r.UsedKiB, err = perSession(r.BaseKiB, p.Sessions)
	return r, err
}

// openBareStore opens a store of the library; newDevice gives an unpaired device of it, database is the name of its database on a server.
func openBareStore(ctx context.Context, kind string) (newDevice func() *store.Device, database string, closeStore func(), err error) {
	var db *sql.DB
	dialect := "sqlite"
	closeStore = func() {}
	switch kind {
	case "memory":
		lids := newMemoryLIDs()
		return func() *store.Device { return newMemoryDevice(lids) }, "", closeStore, nil
	case "sqlite":
		dir, err := os.MkdirTemp("", "turnero-bench-")
		if err != nil {
			return nil, "", nil, err
		}
		closeStore = func() { _ = os.RemoveAll(dir) }
		db, err = sql.Open("sqlite", "file:"+filepath.Join(dir, "bare.db")+
			"?_pragma=foreign_keys(1)&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=busy_timeout(20000)&_txlock=immediate")
		if err != nil {
			return nil, "", nil, err
		}
		db.SetMaxOpenConns(4)
	case "postgres":
		dialect = "postgres"
		url, err := freshDatabase(ctx)
		if err != nil {
			return nil, "", nil, err
		}
		if db, err = sql.Open("pgx", url); err != nil {
			return nil, "", nil, err
		}
		database = databaseOf(url)
		db.SetMaxOpenConns(16)
		db.SetMaxIdleConns(16)
	default:
		return nil, "", nil, fmt.Errorf("there is no store %q", kind)
	}
	container := sqlstore.NewWithDB(db, dialect, waLog.Noop)
	if err = container.Upgrade(ctx); err != nil {
		return nil, "", nil, err
	}
	return container.NewDevice, database, closeStore, nil
}

// freshDatabase makes an empty database on the server that the environment names.
func freshDatabase(ctx context.Context) (string, error) {
	server := os.Getenv(servers.PostgresEnv)
	if server == "" {
		return "", errors.New("no PostgreSQL server: run it with `make bench`, or set " + servers.PostgresEnv)
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return "", err
	}
	defer admin.Close()
	name := fmt.Sprintf("bench_%d", time.Now().UnixNano())
	if _, err = admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	return withDatabase(server, name)
}

// link pairs one client by QR and waits until it is connected.
func (b *bare) link(ctx context.Context, i int, device *store.Device) error {
	c := whatsmeow.NewClient(device, waLog.Noop)
	c.SynchronousAck = true
	h := wasim.DialClient(b.sim)
	c.SetWebsocketHTTPClient(h)
	c.SetPreLoginHTTPClient(h)
	c.SetMediaHTTPClient(h)
	connected, failed := make(chan struct{}, 1), make(chan error, 1)
	c.AddEventHandler(func(evt any) {
		switch e := evt.(type) {
		case *events.QR:
			go func() {
				if err := call("POST", "http://"+b.sim+"/sim/phones/"+business(i)+"/scan", map[string]string{"qr": e.Codes[0]}, nil); err != nil {
					failed <- err
				}
			}()
		case *events.Connected:
			select {
			case connected <- struct{}{}:
			default:
			}
		case *events.Message:
			if !e.Info.IsFromMe {
				b.received.Add(1)
			}
		}
	})
	if err := c.ConnectContext(ctx); err != nil {
		return err
	}
	select {
	case <-connected:
		b.clients[i] = c
		return nil
	case err := <-failed:
		return err
	case <-time.After(60 * time.Second):
		return errors.New("a bare client does not connect")
	}
}

func (b *bare) send(ctx context.Context, messages int) error {
	return drive.InParallel(messages, callers, func(i int) error {
		s := i % len(b.clients)
		_, err := b.clients[s].SendMessage(ctx, types.NewJID(contact(s), types.DefaultUserServer), &waE2E.Message{Conversation: proto.String(fmt.Sprintf("message %d", i))})
		return err
	})
}

func (b *bare) receive(sessions, messages int) error {
	want := b.received.Load() + int64(messages)
	if err := writeFromPhones(b.sim, sessions, messages); err != nil {
		return err
	}
	return waitFor("bare inbound", want, func() (int64, error) { return b.received.Load(), nil })
}

func ownResident() (int64, error) {
	for range 3 {
		runtime.GC()
	}
	debug.FreeOSMemory()
	return drive.ResidentKiB(os.Getpid())
}

func perSession(base int64, sessions int) (float64, error) {
	now, err := ownResident()
	return float64(now-base) / float64(sessions), err
}
