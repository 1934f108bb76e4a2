package wasim_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/wasim"
)

// api is the control API of a network, over HTTP.
type api struct {
	t   *testing.T
	net *wasim.Network
	url string
}

func newAPI(t *testing.T) *api {
	t.Helper()
	n := newNetwork(t)
	server := httptest.NewServer(n.Handler())
	t.Cleanup(server.Close)
	return &api{t: t, net: n, url: server.URL}
}

// call makes a request, checks the status and returns the answer.
func (a *api) call(status int, method, path, body string) map[string]any {
	a.t.Helper()
	request, err := http.NewRequest(method, a.url+path, strings.NewReader(body))
	require.NoError(a.t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(a.t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(a.t, err)
	require.Equal(a.t, status, response.StatusCode, "%s", raw)
	if len(raw) == 0 {
		return nil
	}
	kind := "application/json"
	if status >= 400 {
		kind = "application/problem+json"
	}
	require.Equal(a.t, kind, response.Header.Get("Content-Type"))
	var answer map[string]any
	require.NoError(a.t, json.Unmarshal(raw, &answer))
	return answer
}

func list(answer map[string]any) []any { return answer["items"].([]any) }

func TestControlAPITellsTheWholeStory(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	phone := a.call(201, "POST", "/sim/phones", `{"number":"+54 9 11 5550-0001","name":"Peluquería"}`)
	require.Equal(t, "5491155500001", phone["number"])
	a.call(200, "POST", "/sim/phones", `{"number":"5491155500001","name":"Peluquería Demo"}`)
	require.Equal(t, "Peluquería Demo", a.call(200, "GET", "/sim/phones/5491155500001", "")["name"])
	a.call(201, "POST", "/sim/phones", `{"number":"5491155500002","name":"Ana"}`)
	require.Len(t, list(a.call(200, "GET", "/sim/phones", "")), 2)

	c := newClientAt(t, wasim.DialClient(strings.TrimPrefix(a.url, "http://")))
	require.NoError(t, c.Connect())
	code := await(c, func(*events.QR) bool { return true }).Codes[0]
	scan, err := json.Marshal(map[string]string{"qr": code})
	require.NoError(t, err)
	linked := a.call(200, "POST", "/sim/phones/+5491155500001/scan", string(scan))
	require.Len(t, linked["devices"], 1)
	await(c, func(*events.Connected) bool { return true })
	used := a.call(409, "POST", "/sim/phones/5491155500001/scan", string(scan))
	require.Equal(t, "code_used", used["code"])
	require.Equal(t, []any{map[string]any{"location": "qr", "message": "this code has been used"}}, used["errors"])

	id := a.call(201, "POST", "/sim/phones/5491155500002/messages", `{"to":"5491155500001","text":"hola"}`)["id"].(string)
	c.awaitText("hola")
	c.say("5491155500002", "buenas")
	shows(t, a.net, "5491155500002", hasText("buenas"))
	after := list(a.call(200, "GET", "/sim/phones/5491155500002/messages?after="+id, ""))
	require.Len(t, after, 1)
	first := after[0].(map[string]any)
	for _, field := range []string{"id", "direction", "from", "to", "type", "text", "timestamp", "receipts"} {
		require.Contains(t, first, field)
	}
	require.Equal(t, "in", first["direction"])
	require.Equal(t, "buenas", first["text"])
	require.Len(t, list(a.call(200, "GET", "/sim/phones/5491155500002/messages?limit=1", "")), 1)
	require.Empty(t, list(a.call(200, "GET", "/sim/phones/5491155500002/messages?after=2", "")))

	require.EqualValues(t, 1, a.call(200, "POST", "/sim/phones/5491155500002/read", `{"chat":"+5491155500001"}`)["read"])
	a.call(204, "POST", "/sim/phones/5491155500002/typing", `{"to":"5491155500001","state":"composing"}`)
	a.call(204, "POST", "/sim/phones/5491155500002/presence", `{"online":true}`)
	require.Equal(t, true, a.call(200, "PATCH", "/sim/phones/5491155500002", `{"autoRead":true}`)["autoRead"])

	group := a.call(201, "POST", "/sim/groups", `{"subject":"Vecinos","members":["5491155500002","+5491155500001"]}`)
	a.call(201, "POST", "/sim/phones/5491155500002/messages", `{"to":"`+group["id"].(string)+`","text":"al grupo"}`)
	c.awaitText("al grupo")
	require.Len(t, list(a.call(200, "GET", "/sim/groups", "")), 1)

	fault := a.call(201, "POST", "/sim/faults", `{"kind":"nack","number":"5491155500001","count":1,"code":463}`)
	require.EqualValues(t, 463, fault["code"])
	require.Len(t, list(a.call(200, "GET", "/sim/faults", "")), 1)
	a.call(204, "DELETE", "/sim/faults", "")
	require.Empty(t, list(a.call(200, "GET", "/sim/faults", "")))

	stats := a.call(200, "GET", "/sim/stats", "")
	require.EqualValues(t, 1, stats["connections"])
	require.EqualValues(t, 0, stats["ratchetReuse"])
	frames := list(a.call(200, "GET", "/sim/log?limit=5", ""))
	require.Len(t, frames, 5)
	last := frames[4].(map[string]any)["seq"].(float64)
	next := list(a.call(200, "GET", "/sim/log?limit=1&after=5", ""))
	require.Equal(t, last+1, next[0].(map[string]any)["seq"])

	a.call(200, "POST", "/sim/phones/5491155500001/unlink", "")
	await(c, func(*events.LoggedOut) bool { return true })
	a.call(404, "POST", "/sim/phones/5491155500001/unlink", `{"device":1}`)
}

func TestControlAPILinksByCode(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := newClientAt(t, wasim.DialClient(strings.TrimPrefix(a.url, "http://")))
	require.NoError(t, c.Connect())
	await(c, func(*events.QR) bool { return true })
	code, err := c.PairPhone(t.Context(), numberOf(1), true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	require.NoError(t, err)
	a.call(200, "POST", "/sim/phones/"+numberOf(1)+"/pair", `{"code":"`+code+`"}`)
	await(c, func(*events.Connected) bool { return true })
}

func TestControlAPIRefusesBadInput(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, x := range []struct {
		method, path, body string
		status             int
		field              string
	}{
		{"POST", "/sim/phones", `{"number":"hola"}`, 422, "number"},
		{"POST", "/sim/phones", `{"number":"12"}`, 422, "number"},
		{"POST", "/sim/phones", `{"number":"0111234567"}`, 422, "number"},
		{"POST", "/sim/phones", `{"number":5}`, 422, "number"},
		{"POST", "/sim/phones", `{"phone":"5491155500001"}`, 422, "phone"},
		{"POST", "/sim/phones", `{`, 422, ""},
		{"PATCH", "/sim/phones/5491155500001", `{"addressing":"mail"}`, 422, "addressing"},
		{"GET", "/sim/phones/9991155500001", ``, 422, "number"},
		{"POST", "/sim/phones/5491155500001/scan", `{"qr":""}`, 422, "qr"},
		{"POST", "/sim/phones/5491155500001/pair", `{"code":"ABCD-EFGH"}`, 422, "code"},
		{"POST", "/sim/phones/5491155500001/messages", `{"to":"5491155500002","text":""}`, 422, "text"},
		{"POST", "/sim/phones/5491155500001/messages", `{"to":"x","text":"hola"}`, 422, "to"},
		{"POST", "/sim/phones/5491155500001/messages", `{"to":"9991155500002","text":"hola"}`, 422, "to"},
		{"POST", "/sim/phones/5491155500001/messages", `{"to":"1@g.us","text":"hola"}`, 404, "to"},
		{"POST", "/sim/phones/5491155500001/messages", `{"to":"1@lid","text":"hola"}`, 404, "to"},
		{"POST", "/sim/phones/5491155500001/messages", `{"to":"5491155500002","media":{"type":"image"}}`, 422, "media.data"},
		{"GET", "/sim/phones/5491155500001/messages?after=NADA", ``, 404, "after"},
		{"GET", "/sim/phones/5491155500001/messages?limit=0", ``, 422, "limit"},
		{"GET", "/sim/phones/5491155500001/messages/NADA/media", ``, 404, "id"},
		{"GET", "/sim/log?after=x", ``, 422, "after"},
		{"POST", "/sim/groups", `{"subject":"","members":["5491155500001"]}`, 422, "subject"},
		{"POST", "/sim/groups", `{"subject":"a","members":["5491155500001","x"]}`, 422, "members[1]"},
		{"POST", "/sim/faults", `{"kind":"earthquake"}`, 422, "kind"},
		{"POST", "/sim/faults", `{"kind":"delay"}`, 422, "delay"},
		{"GET", "/sim/nothing", ``, 404, ""},
		{"PUT", "/sim/stats", ``, 404, ""},
	} {
		answer := a.call(x.status, x.method, x.path, x.body)
		require.Equal(t, "about:blank", answer["type"])
		require.NotEmpty(t, answer["detail"])
		if x.field == "" {
			require.Nil(t, answer["errors"], "%s %s", x.method, x.path)
			continue
		}
		require.Equal(t, x.field, answer["errors"].([]any)[0].(map[string]any)["location"], "%s %s %s", x.method, x.path, x.body)
	}
	require.Empty(t, list(a.call(200, "GET", "/sim/groups", "")))
}

func TestFilesGoThroughTheControlAPI(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	file := `{"type":"document","fileName":"a.txt","mimeType":"text/plain","data":"aG9sYQ=="}`
	answer := a.call(201, "POST", "/sim/phones/"+numberOf(1)+"/messages", `{"to":"`+numberOf(2)+`","text":"leé","media":`+file+`}`)
	id := answer["id"].(string)
	response, err := http.Get(a.url + "/sim/phones/" + numberOf(2) + "/messages/" + id + "/media")
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "hola", string(body))
	require.Equal(t, "text/plain", response.Header.Get("Content-Type"))
}

func TestEventsAreStreamed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first := write(t, a.net, numberOf(2), numberOf(1), "antes")
	write(t, a.net, numberOf(2), numberOf(1), "perdido")
	request, err := http.NewRequest("GET", a.url+"/sim/phones/"+numberOf(1)+"/events?after="+first, nil)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(response.Body)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
	}()
	next := func() (id, kind, data string) {
		for {
			select {
			case line, ok := <-lines:
				require.True(t, ok)
				switch key, value, _ := strings.Cut(line, ": "); {
				case line == "":
					return id, kind, data
				case key == "id":
					id = value
				case key == "event":
					kind = value
				case key == "data":
					data = value
				}
			case <-time.After(patience):
				require.FailNow(t, "no event")
			}
		}
	}
	id, kind, data := next()
	require.Equal(t, "2", id)
	require.Equal(t, "message", kind)
	require.Contains(t, data, "perdido")
	write(t, a.net, numberOf(2), numberOf(1), "en vivo")
	id, _, data = next()
	require.Equal(t, "3", id)
	require.Contains(t, data, "en vivo")
	write(t, a.net, numberOf(1), numberOf(2), "respuesta")
	_, kind, _ = next()
	require.Equal(t, "message", kind)
	_, kind, data = next()
	require.Equal(t, "receipt", kind)
	require.Contains(t, data, `"delivered"`)
	require.NoError(t, a.net.Close())
	for range lines { // ends when the network does
	}
}

func TestHandlersOfTheNetwork(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	for path, want := range map[string]int{"/sim/stats": 200, "/ws/chat": 426, "/mms/image/abcdefgh": 410, "/mms/image/a.b": 400, "/": 404} {
		response, err := n.HTTPClient().Get("https://anything.example" + path)
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, want, response.StatusCode, path)
	}
	recorder := httptest.NewRecorder()
	n.ControlHandler().ServeHTTP(recorder, httptest.NewRequest("GET", "/ws/chat", bytes.NewReader(nil)))
	require.Equal(t, 404, recorder.Code, "the control handler serves the control API alone")
	require.NoError(t, n.Close())
	_, err := n.HTTPClient().Get("https://anything.example/sim/stats")
	require.Error(t, err)
}
