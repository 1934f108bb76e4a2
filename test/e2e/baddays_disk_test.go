package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// onSmallDisk has the process see a small file system of its own at the folder; who is not root needs user namespaces.
func (d *daemon) onSmallDisk(folder, size string) {
	d.wrap = []string{"unshare", "--mount"}
	if os.Getuid() != 0 {
		d.wrap = append(d.wrap, "--user", "--map-root-user")
	}
	d.wrap = append(d.wrap, "sh", "-c", `mount -t tmpfs -o size=`+size+` tmpfs "$0" && exec "$@"`, folder)
}

// inside names a path as the process sees it.
func (d *daemon) inside(path string) string {
	return fmt.Sprintf("/proc/%d/root%s", d.process.PID(), path)
}

// fill writes a file until there is no room left.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	for piece := 1 << 20; piece > 0; {
		if _, err = f.Write(make([]byte, piece)); err != nil {
			require.True(t, errors.Is(err, syscall.ENOSPC), "%v", err)
			piece /= 2
		}
	}
}

func TestAFullDiskIsSaidAndNothingIsLost(t *testing.T) {
	t.Parallel()
	data, small := t.TempDir(), t.TempDir()
	d := newDaemon(t, "the process", "/ready", "serve", "--demo", "--data", data, "--database-url", "sqlite:"+filepath.Join(small, "turnero.db"), "--rate-tenant", "100000", "--rate-address", "100000")
	d.onSmallDisk(small, "24m")
	d.start()
	p := &process{t: t}
	raw, err := os.ReadFile(filepath.Join(data, "demo.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &p.Demo))
	s := &shop{t: t, process: p, number: p.Demo.Tenant.Phone, admin: p.as(p.Demo.Tenant.Admin)}
	s.admin.must(http.StatusOK, "PATCH", "/api/settings", object{"botEnabled": false}, nil)
	link(t, s.admin, p.phone(s.number))
	carla := p.phone(p.Demo.Customers[0].Number)
	require.Equal(t, http.StatusAccepted, s.send(d, carla, "before").status)

	filler := d.inside(filepath.Join(small, "filler"))
	fill(t, filler)
	var texts []string
	refused := 0
	for i := 0; refused < 5; i++ {
		require.Less(t, i, 3000, "the disk is full, and everything is accepted")
		a := s.send(d, carla, fmt.Sprintf("on a full disk %d", i))
		texts = append(texts, a.text)
		if a.status == http.StatusAccepted {
			continue // there was room left in the files
		}
		refused++
		require.Equal(t, http.StatusServiceUnavailable, a.status, a.body)
		require.Contains(t, a.body, `"storage_full"`)
		require.NotEmpty(t, a.header.Get("Retry-After"))
		fill(t, filler)
	}
	carla.write(s.number, "while the disk was full")
	status, _, _ := s.admin.do("GET", "/api/chats?limit=1", nil)
	require.Equal(t, http.StatusOK, status, "reading needs no room")

	require.NoError(t, os.Remove(filler))
	for _, text := range texts {
		eventually(t, "what was refused is accepted once there is room", func() bool { return s.send(d, carla, text).status == http.StatusAccepted })
	}
	eventuallyWithin(t, 40*time.Second, "all arrive once", func() bool {
		seen := map[string]int{}
		for _, m := range carla.inbox() {
			seen[m.Text]++
		}
		missing := 0
		for _, text := range texts {
			require.LessOrEqual(t, seen[text], 1, text)
			missing += 1 - seen[text]
		}
		return missing == 0
	})
	incoming := carla.wrote("while the disk was full")
	eventuallyWithin(t, 40*time.Second, "the incoming message is acknowledged", func() bool { return s.isAcknowledged(incoming) })
	n := 0
	for _, m := range s.admin.history(s.admin.chatWith(carla.number).ID) {
		if m.WhatsAppID == incoming {
			n++
		}
	}
	require.Equal(t, 1, n, "and stored before")
	connected(t, s.admin)
}

func TestADataFolderWithoutRoomIsSaidAtTheStart(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	d := newDaemon(t, "the process", "/ready", "serve", "--data", data, "--network", "sim")
	d.onSmallDisk(data, "4k")
	line := d.refused(20 * time.Second)
	require.Contains(t, line, "there is no room left")
	require.Equal(t, 1, strings.Count(d.logs.String(), "\n"), "%s", d.logs)
}
