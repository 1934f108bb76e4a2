package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The suite itself takes minutes; this is its shortest run, with the commonest faults.
func TestAShortRunFindsNothingWrong(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "turnero")
	out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", binary, "turnero/cmd/turnero").CombinedOutput()
	require.NoError(t, err, "%s", out)
	o := options{seed: 1, duration: 11 * time.Second, calm: 60 * time.Second, rest: 500 * time.Millisecond, sessions: 6, people: 2, tenants: 1, instances: 3, rate: 15,
		connections: 8, database: "postgres", binary: binary, logLevel: "info", hasRedis: true, audits: true}
	require.NoError(t, o.complete("kill,term,redis-flush"))
	var said bytes.Buffer
	c, err := newCampaign(t.Context(), o, &said)
	defer func() { require.NoError(t, c.close(t.Failed())) }()
	require.NoError(t, err)
	require.NoError(t, c.run(t.Context()), "%s", &said)
	sent, written := c.counts()
	require.Greater(t, sent, 50)
	require.Greater(t, written, 50)
	t.Log(said.String())
	require.Contains(t, said.String(), "rows compared with the owners")
	require.Empty(t, c.watch.stale)
}

func TestWhatIsWrongWithAChatIsFound(t *testing.T) {
	t.Parallel()
	want := []text{{Text: "a", ID: "1"}, {Text: "b", ID: "2"}, {Text: "c", ID: "3"}}
	is := func(texts string) (got []arrived) {
		for _, s := range strings.Fields(texts) {
			got = append(got, arrived{Text: s[:1], ID: s[1:]})
		}
		return got
	}
	for texts, kinds := range map[string]string{
		"a1 b2 c3":       "",
		"a1 c3":          "lost",
		"":               "lost lost lost",
		"a1 b2 c3 b9":    "doubled",
		"b2 a1 c3":       "order",
		"a1 b7 c3":       "renamed",
		"a1 b2 c3 d4":    "unexpected",
		"c3 b2 a1 a1 x0": "order order doubled unexpected",
	} {
		var found []string
		for _, f := range compare(want, is(texts), "there") {
			found = append(found, f.kind)
		}
		require.Equal(t, kinds, strings.Join(found, " "), texts)
	}
}

func TestAFrameOfAReplacedConnectionIsFound(t *testing.T) {
	t.Parallel()
	w, err := newWatcher(nil, "")
	require.NoError(t, err)
	for i, f := range []frame{
		{Conn: 1, Direction: "event", Tag: "connected"}, {Conn: 1, Direction: "in", Tag: "message"},
		{Conn: 2, Direction: "event", Tag: "connected"}, {Conn: 2, Direction: "in", Tag: "message"},
		{Conn: 1, Direction: "refused", Tag: "message"}, {Conn: 1, Direction: "in", Tag: "receipt", ID: "late"},
	} {
		f.Seq, f.Device = uint64(i+1), "5491110000000:1@s.whatsapp.net"
		w.take(f)
	}
	require.Len(t, w.stale, 1)
	require.Equal(t, "late", w.stale[0].ID)
	require.Len(t, w.logins["5491110000000"], 2)
	require.Zero(t, w.lost)
}

func TestEqualSeedsGiveEqualPlans(t *testing.T) {
	t.Parallel()
	a := plan(7, 10*time.Minute, 3, kindNames(), 4*time.Second)
	require.Equal(t, a, plan(7, 10*time.Minute, 3, kindNames(), 4*time.Second))
	require.NotEqual(t, a, plan(8, 10*time.Minute, 3, kindNames(), 4*time.Second))
	seen := map[string]bool{}
	for _, x := range a {
		seen[x.Kind] = true
		require.LessOrEqual(t, x.At+x.Length, 10*time.Minute)
	}
	require.Len(t, seen, len(kinds), "ten minutes hold every kind of fault")
	for _, x := range soakPlan(7, time.Hour, soakEvery, 3, kindNames()) {
		require.False(t, x.Who == 0 && (x.Kind == "kill" || x.Kind == "term"), "%s", x)
	}
}

func TestFaultsAreChosenByName(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]int{"": len(kinds), "kill,term": 2, "kill,kill": 1, "-kill,-term": len(kinds) - 2} {
		chosen, err := chooseKinds(list)
		require.NoError(t, err)
		require.Len(t, chosen, want, list)
	}
	_, err := chooseKinds("kil")
	require.ErrorContains(t, err, "kill, ")
}

func TestARelayCutsAndSwallows(t *testing.T) {
	t.Parallel()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); conn.Close() }()
		}
	}()
	r, err := newRelay(server.Addr().String())
	require.NoError(t, err)
	defer r.close()
	conn, err := net.Dial("tcp", r.address())
	require.NoError(t, err)
	defer conn.Close()
	echo := func(within time.Duration) error {
		require.NoError(t, conn.SetDeadline(time.Now().Add(within)))
		if _, err := fmt.Fprint(conn, "x"); err != nil {
			return err
		}
		_, err := conn.Read(make([]byte, 1))
		return err
	}
	require.NoError(t, echo(5*time.Second))
	r.set(relayHole, 0)
	require.ErrorIs(t, echo(50*time.Millisecond), os.ErrDeadlineExceeded)
	r.set(relayOpen, 0)
	require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	_, err = conn.Read(make([]byte, 1))
	require.NoError(t, err, "what the hole swallowed comes when it is gone")
	r.strike()
	require.Error(t, echo(5*time.Second))
	again, err := net.Dial("tcp", r.address())
	require.NoError(t, err)
	defer again.Close()
	conn = again
	require.NoError(t, echo(5*time.Second))
	r.set(relayCut, 0)
	require.Error(t, echo(5*time.Second))
}

func TestATrendIsToldFromTheNumberOfSessions(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	measure := func(grow float64) (slope, deviation float64) {
		var all []sample
		for i := range 100 {
			sessions := 100 + i%7
			all = append(all, sample{begin.Add(time.Duration(i) * 36 * time.Second), size{sessions: sessions,
				goroutines: int64(1000 + 3*sessions + int(grow*float64(i)/100) + i%3)}})
		}
		_, slope, deviation = trend(all, func(s size) float64 { return float64(s.goroutines) })
		return slope, deviation
	}
	slope, deviation := measure(0)
	require.InDelta(t, 0, slope, 1)
	require.Less(t, deviation, 1.0)
	slope, _ = measure(200)
	require.InDelta(t, 200, slope, 3)
}
