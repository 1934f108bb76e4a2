package wasim_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/wasim"
)

// finished waits until a load script has ended.
func finished(t testing.TB, n *wasim.Network, id int) wasim.LoadReport {
	t.Helper()
	var report wasim.LoadReport
	eventually(t, "the script ends", func() bool {
		var err error
		report, err = n.LoadReport(id)
		require.NoError(t, err)
		return report.State != wasim.LoadRunning && report.State != wasim.LoadDraining
	})
	return report
}

func TestLoadScriptWritesAtItsRateAndMeasures(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	light1, light2 := light(t, n, numberOf(1)), light(t, n, numberOf(2))
	const count = 200
	started, err := n.Load(wasim.Load{First: numberOf(100), Phones: 6, To: []string{numberOf(1), numberOf(2)}, Rate: 200, Count: count,
		Text: "carga {n}, la {i}ª del chat"})
	require.NoError(t, err)
	require.Equal(t, wasim.LoadRunning, started.State)
	r := finished(t, n, started.ID)
	require.Equal(t, wasim.LoadDone, r.State)
	require.Equal(t, count, r.Sent)
	require.Equal(t, count, r.Acknowledged)
	require.Zero(t, r.Waiting+r.Failed)
	require.InDelta(t, 1.0, r.Seconds, 0.9)
	require.Positive(t, r.Latency.P50)
	require.LessOrEqual(t, r.Latency.P50, r.Latency.P99)
	require.LessOrEqual(t, r.Latency.P99, r.Latency.Max)
	require.EqualValues(t, count, light1.Received.Load()+light2.Received.Load()-2, "each also got its phone's key to the app state")
	chat := map[string]int{}
	for _, l := range transcript(t, n, "", 1000) {
		if l.Direction != wasim.DirectionIn {
			continue
		}
		chat[l.From]++
		require.True(t, strings.HasSuffix(l.Text, fmt.Sprintf("la %dª del chat", chat[l.From])), "each chat in its order: %s", l.Text)
		require.Contains(t, []string{numberOf(1), numberOf(2)}, l.To)
	}
	require.Len(t, chat, 6)
}

func TestLoadScriptIsStopped(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	l := light(t, n, numberOf(1))
	started, err := n.Load(wasim.Load{From: []string{numberOf(2)}, To: []string{numberOf(1)}, Rate: 50, Duration: 3600})
	require.NoError(t, err)
	eventually(t, "it writes", func() bool { return l.Received.Load() > 5 })
	r, err := n.StopLoad(started.ID)
	require.NoError(t, err)
	require.Equal(t, wasim.LoadStopped, r.State)
	sent := n.Stats().MessagesWritten
	require.EqualValues(t, sent, r.Sent)
	_, err = n.StopLoad(99)
	require.ErrorIs(t, err, wasim.ErrNotFound)
}

func TestLoadScriptKeepsCountOfWhatNobodyTakes(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	l := light(t, n, numberOf(1))
	l.IsDeaf.Store(true)
	started, err := n.Load(wasim.Load{From: []string{numberOf(2)}, To: []string{numberOf(1)}, Rate: 1000, Count: 20})
	require.NoError(t, err)
	eventually(t, "all are written", func() bool {
		r, err := n.LoadReport(started.ID)
		return err == nil && r.State == wasim.LoadDraining && r.Waiting == 20
	})
	l.IsDeaf.Store(false)
	l.Close()
	require.NoError(t, l.Login(t.Context()))
	r := finished(t, n, started.ID)
	require.Equal(t, wasim.LoadDone, r.State)
	require.Equal(t, 20, r.Acknowledged)
}

func TestLoadScriptsThroughTheControlAPI(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	light(t, a.net, numberOf(1))
	for field, body := range map[string]string{
		"rate":     `{"from":["` + numberOf(2) + `"],"to":["` + numberOf(1) + `"],"count":5}`,
		"count":    `{"from":["` + numberOf(2) + `"],"to":["` + numberOf(1) + `"],"rate":5}`,
		"to":       `{"from":["` + numberOf(2) + `"],"rate":5,"count":5}`,
		"from":     `{"to":["` + numberOf(1) + `"],"rate":5,"count":5}`,
		"from[1]":  `{"from":["` + numberOf(2) + `","x"],"to":["` + numberOf(1) + `"],"rate":5,"count":5}`,
		"phones":   `{"first":"` + numberOf(2) + `","to":["` + numberOf(1) + `"],"rate":5,"count":5}`,
		"duration": `{"duration":"x"}`,
	} {
		answer := a.call(422, "POST", "/sim/load", body)
		require.Equal(t, field, answer["errors"].([]any)[0].(map[string]any)["location"])
	}
	body, err := json.Marshal(wasim.Load{From: []string{numberOf(2)}, To: []string{numberOf(1)}, Rate: 1, Duration: 600})
	require.NoError(t, err)
	for range 16 {
		a.call(201, "POST", "/sim/load", string(body))
	}
	a.call(429, "POST", "/sim/load", string(body))
	reports := list(a.call(200, "GET", "/sim/load", ""))
	require.Len(t, reports, 16)
	for _, r := range reports {
		path := fmt.Sprintf("/sim/load/%.0f", r.(map[string]any)["id"])
		require.Equal(t, "running", a.call(200, "GET", path, "")["state"])
		require.Equal(t, "stopped", a.call(200, "DELETE", path, "")["state"])
	}
	require.EqualValues(t, 17, a.call(201, "POST", "/sim/load", string(body))["id"])
	require.Len(t, list(a.call(200, "GET", "/sim/load", "")), 16)
	a.call(404, "GET", "/sim/load/1", "")
	a.call(422, "GET", "/sim/load/x", "")
}

// light makes a linked and connected light client.
func light(t testing.TB, n *wasim.Network, number string) *wasim.LightClient {
	t.Helper()
	l, err := wasim.LinkLight(t.Context(), n.HTTPClient(), number, func(code string) error { return n.Scan(number, code) })
	require.NoError(t, err)
	require.NoError(t, l.Login(t.Context()))
	t.Cleanup(l.Close)
	return l
}

func TestLoadOfAnUnknownPlaceEndsWithTheNetwork(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	_, err := n.Load(wasim.Load{From: []string{numberOf(2)}, To: []string{numberOf(1)}, Rate: 100, Duration: 600})
	require.NoError(t, err)
	begun := time.Now()
	require.NoError(t, n.Close())
	require.Less(t, time.Since(begun), 10*time.Second)
	require.Equal(t, wasim.LoadStopped, n.Loads()[0].State)
	_, err = n.Load(wasim.Load{From: []string{numberOf(2)}, To: []string{numberOf(1)}, Rate: 100, Duration: 600})
	require.ErrorIs(t, err, wasim.ErrClosed)
}
