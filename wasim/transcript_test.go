package wasim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/wasim"
)

func TestMessageMayBeBackdated(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, a.net, business)
	at := time.Now().Add(-50 * time.Hour).UTC().Truncate(time.Second)
	path := "/sim/phones/" + customer + "/messages"
	a.call(201, "POST", path, `{"to":"`+business+`","text":"de anteayer","timestamp":"`+at.Format(time.RFC3339)+`"}`)
	require.Equal(t, at, c.awaitText("de anteayer").Info.Timestamp.UTC())
	require.Equal(t, at, shows(t, a.net, business, hasText("de anteayer")).Timestamp)
	future := time.Now().Add(time.Hour).Format(time.RFC3339)
	refused := a.call(422, "POST", path, `{"to":"`+business+`","text":"de mañana","timestamp":"`+future+`"}`)
	require.Equal(t, "timestamp", refused["errors"].([]any)[0].(map[string]any)["location"])
}

func TestWritingUnderAnIDIsRepeatable(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	business, customer := numberOf(1), numberOf(2)
	c := linked(t, a.net, business)
	path, id := "/sim/phones/"+customer+"/messages", "CHAOS-0000000000000001"
	for range 3 {
		require.Equal(t, id, a.call(201, "POST", path, `{"to":"`+business+`","text":"una vez","id":"`+id+`"}`)["id"])
	}
	require.Equal(t, "id_taken", a.call(409, "POST", path, `{"to":"`+business+`","text":"otra","id":"`+id+`"}`)["code"])
	a.call(422, "POST", path, `{"to":"`+business+`","text":"x","id":"corta"}`)
	write(t, a.net, customer, business, "fin")
	require.Equal(t, id, c.awaitText("una vez").Info.ID)
	c.awaitText("fin")
	list, err := a.net.Messages(business, "")
	require.NoError(t, err)
	require.Len(t, list, 2)
}

// transcript reads a whole transcript in small pages.
func transcript(t testing.TB, n *wasim.Network, number string, limit int) []wasim.Line {
	t.Helper()
	var all []wasim.Line
	after := ""
	for {
		page, err := n.Transcript(number, after, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Items), limit)
		require.Zero(t, page.Forgotten)
		all = append(all, page.Items...)
		if after = page.Next; after == "" {
			return all
		}
	}
}

func TestTranscriptHasEveryMessageOfEveryPhone(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	business := numberOf(1)
	c := linked(t, n, business)
	type message struct{ phone, id, direction, text string }
	want := map[string][]message{}
	for i := range 30 {
		customer := numberOf(2 + i%5)
		id := write(t, n, customer, business, fmt.Sprint("pregunta ", i))
		c.awaitText(fmt.Sprint("pregunta ", i))
		want[customer] = append(want[customer], message{customer, id, "out", fmt.Sprint("pregunta ", i)})
		want[business] = append(want[business], message{business, id, "in", fmt.Sprint("pregunta ", i)})
		if i%2 == 0 {
			id = c.say(customer, fmt.Sprint("respuesta ", i))
			want[customer] = append(want[customer], message{customer, id, "in", fmt.Sprint("respuesta ", i)})
			want[business] = append(want[business], message{business, id, "out", fmt.Sprint("respuesta ", i)})
		}
	}
	eventually(t, "everything is acknowledged", func() bool { return n.Stats().Waiting == 0 })
	for _, limit := range []int{1, 7, 1000} {
		got := map[string][]message{}
		seq := map[string]uint64{}
		for _, l := range transcript(t, n, "", limit) {
			require.Greater(t, l.Seq, seq[l.Phone], "as shown")
			seq[l.Phone] = l.Seq
			got[l.Phone] = append(got[l.Phone], message{l.Phone, l.ID, l.Direction, l.Text})
			if l.Phone != business && l.Direction == wasim.DirectionOut {
				require.Equal(t, []int{1}, l.Delivered, "the linked device has it")
			}
		}
		require.Equal(t, want, got)
	}
	require.Len(t, transcript(t, n, numberOf(3), 4), len(want[numberOf(3)]))
	_, err := n.Transcript("", "nowhere", 10)
	require.ErrorIs(t, err, wasim.ErrInvalid)
	require.EqualValues(t, 90, n.Stats().Messages)
}

func TestPhonesThatHaveNoRoomSaySoLoudly(t *testing.T) {
	t.Parallel()
	var log lines
	n := newNetwork(t, func(o *wasim.Options) { o.Messages, o.Logger = 20, log.logger() })
	for i := range 15 {
		write(t, n, numberOf(1), numberOf(2), fmt.Sprint(i))
	}
	s := n.Stats()
	require.EqualValues(t, 20, s.Messages)
	require.EqualValues(t, 10, s.Forgotten)
	page, err := n.Transcript("", "", 100)
	require.NoError(t, err)
	require.EqualValues(t, 10, page.Forgotten)
	require.Len(t, page.Items, 20)
	require.Equal(t, 1, strings.Count(log.String(), "messages forgotten"))
}

// TestHundredThousandMessagesAreKept writes as many messages as a long run of a checker has and reads all of them.
func TestHundredThousandMessagesAreKept(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	const count, phones = 100_000, 100
	for i := range count {
		_, err := n.Send(context.Background(), numberOf(i%phones), numberOf(phones+i%phones), fmt.Sprint("mensaje ", i))
		require.NoError(t, err)
	}
	all := transcript(t, n, "", 10_000)
	require.Len(t, all, 2*count)
	next := map[string]int{}
	for _, l := range all {
		var place int
		_, err := fmt.Sscanf(l.Text, "mensaje %d", &place)
		require.NoError(t, err)
		require.Equal(t, next[l.Phone], place/phones)
		next[l.Phone]++
	}
	require.Zero(t, n.Stats().Forgotten)
}

func TestFrameLogIsBoundedAndTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	n, err := wasim.New(context.Background(), wasim.Options{Seed: seed, FastPair: true, Frames: 50, FrameLog: &file})
	require.NoError(t, err)
	c := linked(t, n, numberOf(1))
	for i := range 40 {
		c.say(numberOf(2), fmt.Sprint(i))
	}
	require.Len(t, n.Frames(0, 0), 50)
	answer := get(t, n, "/sim/log?after=10&limit=20")
	require.Len(t, answer["items"], 20)
	first := answer["first"].(float64)
	require.Equal(t, first-11, answer["missed"])
	require.Equal(t, answer["last"].(float64)-49, first)
	require.Zero(t, get(t, n, fmt.Sprintf("/sim/log?after=%d", int(answer["last"].(float64))))["missed"])
	c.Disconnect()
	require.NoError(t, n.Close())

	var seq uint64
	for line := range bytes.Lines(file.Bytes()) {
		var f wasim.Frame
		require.NoError(t, json.Unmarshal(line, &f))
		seq++
		require.Equal(t, seq, f.Seq, "the writer gets every entry")
	}
	require.Greater(t, seq, uint64(100))
}

func TestFrameLogThatCannotBeWrittenIsGivenUp(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, func(o *wasim.Options) { o.FrameLog = fullDisk{} })
	c := linked(t, n, numberOf(1))
	eventually(t, "it is noticed", func() bool { return n.Stats().LogErrors == 1 })
	c.say(numberOf(2), "sigue")
	await(c, func(*events.Receipt) bool { return true })
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }
