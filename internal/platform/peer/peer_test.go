package peer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"turnero/internal/fault"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/peer"
	"turnero/internal/platform/secret"
	"turnero/test/port"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var key = secret.Master{7}.DeriveKey(peer.KeyPurpose)

type question struct {
	Text string `json:"text"`
}

type answer struct {
	Text      string `json:"text"`
	RequestID string `json:"requestId"`
}

const echo = "/internal/test/echo"

// serve starts a process that answers echo with fn.
func serve(t testing.TB, fn func(ctx context.Context, in question) (answer, error)) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	peer.Handle(peer.NewServer(mux, key, time.Now, slog.New(slog.DiscardHandler)), echo, fn)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func client(t testing.TB) *peer.Client {
	c := peer.NewClient(key, time.Now)
	t.Cleanup(c.Close)
	return c
}

func repeat(ctx context.Context, in question) (answer, error) {
	return answer{in.Text + "!", httpkit.RequestID(ctx)}, nil
}

func TestAQuestionIsAnswered(t *testing.T) {
	t.Parallel()
	server, c := serve(t, repeat), client(t)
	for _, address := range []string{server.URL, strings.TrimPrefix(server.URL, "http://")} {
		var out answer
		require.NoError(t, c.Call(httpkit.WithRequestID(t.Context(), "req-1"), address, echo, question{"hola"}, &out))
		require.Equal(t, answer{"hola!", "req-1"}, out)
	}
	require.NoError(t, c.Call(t.Context(), server.URL, echo, question{}, nil), "an answer need not be wanted")
}

func TestAFaultArrivesAsItWasMade(t *testing.T) {
	t.Parallel()
	made := []*fault.Error{
		fault.New(fault.Conflict, "slot_taken", "gone").WithDetail("alternatives", []any{"a", 2.5}).WithDetail("status", "pending").WithRetryAfter(1500 * time.Millisecond),
		fault.NotFoundf("chat"), fault.BadField("to", "must be a number"), fault.New(fault.TooMany, "slow_down", "wait").WithRetryAfter(3 * time.Second),
		fault.New(fault.Unavailable, "line_offline", "later"), fault.New(fault.Forbidden, "no", "no"), fault.New(fault.TooLarge, "big", "big"),
		fault.New(fault.Unauthenticated, "who", "who are you"), fault.New(fault.Internal, "odd", "odd"),
	}
	n := -1
	server, c := serve(t, func(context.Context, question) (answer, error) { n++; return answer{}, made[n] }), client(t)
	for _, want := range made {
		err := c.Call(t.Context(), server.URL, echo, question{}, nil)
		got, ok := fault.As(err)
		require.True(t, ok, err)
		if want.RetryAfter == 1500*time.Millisecond {
			want.RetryAfter = 2 * time.Second // whole seconds, rounded up
		}
		require.Equal(t, want, got)
		require.NotErrorIs(t, err, peer.ErrNotSent)
	}
}

func TestWhatIsNoFaultTellsNothing(t *testing.T) {
	t.Parallel()
	for name, fn := range map[string]func(context.Context, question) (answer, error){
		"error": func(context.Context, question) (answer, error) { return answer{}, errors.New("password is hunter2") },
		"panic": func(context.Context, question) (answer, error) { panic("hunter2") },
	} {
		server := serve(t, fn)
		err := client(t).Call(t.Context(), server.URL, echo, question{}, nil)
		require.True(t, fault.Is(err, fault.Internal), name)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestNothingAnswersWithoutATokenOfTheInstallation(t *testing.T) {
	t.Parallel()
	handled := false
	server := serve(t, func(context.Context, question) (answer, error) { handled = true; return answer{}, nil })
	sign := func(method jwt.SigningMethod, with any, audience string, age, life time.Duration) string {
		claims := jwt.RegisteredClaims{Issuer: "turnero", Audience: jwt.ClaimStrings{audience}}
		if life != 0 {
			claims.ExpiresAt = jwt.NewNumericDate(time.Now().Add(life - age))
		}
		text, err := jwt.NewWithClaims(method, claims).SignedString(with)
		require.NoError(t, err)
		return "Bearer " + text
	}
	for name, credentials := range map[string]string{
		"nothing": "", "no token": "Bearer x", "another key": sign(jwt.SigningMethodHS256, []byte("another key of thirty-two bytes.."), "peer", 0, time.Minute),
		"unsigned": sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "peer", 0, time.Minute), "another algorithm": sign(jwt.SigningMethodHS512, key, "peer", 0, time.Minute),
		"another audience": sign(jwt.SigningMethodHS256, key, "turnero-api", 0, time.Minute), "expired": sign(jwt.SigningMethodHS256, key, "peer", 2*time.Minute, time.Minute),
		"no end": sign(jwt.SigningMethodHS256, key, "peer", 0, 0), "too long": sign(jwt.SigningMethodHS256, key, "peer", 0, time.Hour),
	} {
		for _, path := range []string{echo, "/internal/none"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(`{}`))
			require.NoError(t, err)
			r.Header.Set("Authorization", credentials)
			resp, err := server.Client().Do(r)
			require.NoError(t, err)
			raw, err := io.ReadAll(resp.Body)
			require.NoError(t, errors.Join(err, resp.Body.Close()))
			require.Equal(t, http.StatusUnauthorized, resp.StatusCode, name)
			require.Contains(t, string(raw), "peer_refused", name)
		}
	}
	require.False(t, handled)

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+echo, strings.NewReader(`{}`))
	require.NoError(t, err)
	r.Header.Set("Authorization", sign(jwt.SigningMethodHS256, key, "peer", 70*time.Second, time.Minute))
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode, "clocks may differ a little")
}

func TestWhoeverIsNotTrustedOrNotUnderstoodWasNotHeard(t *testing.T) {
	t.Parallel()
	server := serve(t, repeat)
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/internal/missing" {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(foreign.Close)
	stranger := peer.NewClient(secret.Master{8}.DeriveKey(peer.KeyPurpose), time.Now)
	t.Cleanup(stranger.Close)

	err := stranger.Call(t.Context(), server.URL, echo, question{}, nil)
	require.True(t, fault.HasReason(err, "peer_refused") && fault.Is(err, fault.Unavailable), err)
	require.ErrorIs(t, err, peer.ErrNotSent)
	for _, address := range []string{server.URL, foreign.URL} {
		err = client(t).Call(t.Context(), address, "/internal/missing", question{}, nil)
		require.True(t, fault.HasReason(err, "target_unavailable") && fault.Is(err, fault.Unavailable), "a question nobody knows is not a thing that does not exist: %v", err)
		require.ErrorIs(t, err, peer.ErrNotSent)
	}
	require.True(t, fault.Is(client(t).Call(t.Context(), foreign.URL, echo, question{}, nil), fault.Unavailable), "the 200 of another program is no answer")
}

// gone is an address at which nobody listens.
func gone(t *testing.T) string {
	n, err := port.Free()
	require.NoError(t, err)
	return fmt.Sprintf("127.0.0.1:%d", n)
}

func TestAQuestionThatNeverLeftIsToldFromOneWhoseOutcomeIsUnknown(t *testing.T) {
	t.Parallel()
	c := client(t)
	err := c.Call(t.Context(), gone(t), echo, question{}, nil)
	f, ok := fault.As(err)
	require.True(t, ok)
	require.Equal(t, "target_unavailable", f.Reason)
	require.Equal(t, 2*time.Second, f.RetryAfter)
	require.ErrorIs(t, err, peer.ErrNotSent)

	var heard atomic.Int64
	raw := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		heard.Add(1)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(raw.Close)
	err = c.Call(t.Context(), raw.URL, echo, question{}, nil)
	require.True(t, fault.HasReason(err, "target_unavailable"), err)
	require.NotErrorIs(t, err, peer.ErrNotSent)
	require.EqualValues(t, 1, heard.Load(), "it is not repeated behind the caller's back")
}

func TestTheTimeOfWhoAsksIsTheTimeOfWhoAnswers(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	server := serve(t, func(ctx context.Context, _ question) (answer, error) {
		<-ctx.Done()
		close(ended)
		return answer{}, ctx.Err()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := client(t).Call(ctx, server.URL, echo, question{}, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, peer.ErrNotSent)
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the other side goes on")
	}
}

func TestATargetOfSeveralProcessesAnswersWhileOneDoes(t *testing.T) {
	t.Parallel()
	var asked [2]atomic.Int64
	one := serve(t, func(context.Context, question) (answer, error) { asked[0].Add(1); return answer{}, nil })
	two := serve(t, func(context.Context, question) (answer, error) { asked[1].Add(1); return answer{}, nil })
	broken := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(broken.Close)
	target := peer.NewTarget(client(t), []string{one.URL, gone(t), two.URL}, time.Now)
	for range 20 {
		require.NoError(t, target.Do(t.Context(), echo, question{}, nil))
	}
	require.Positive(t, asked[0].Load())
	require.Positive(t, asked[1].Load())

	var outcomes []error
	for range 2 {
		outcomes = append(outcomes, peer.NewTarget(client(t), []string{broken.URL}, time.Now).Do(t.Context(), echo, question{}, nil))
	}
	require.False(t, slices.Contains(outcomes, nil))
	target = peer.NewTarget(client(t), []string{broken.URL, one.URL}, time.Now)
	for range 4 {
		require.NoError(t, target.Ask(t.Context(), echo, question{}, nil), "what may be repeated is")
	}
	unsure := peer.NewTarget(client(t), []string{one.URL, broken.URL}, time.Now)
	require.Error(t, unsure.Do(t.Context(), echo, question{}, nil), "what must not be repeated is not")
}

func TestARequestThatIsPassedOnShowsWhoPassedIt(t *testing.T) {
	t.Parallel()
	server := peer.NewServer(http.NewServeMux(), key, time.Now, slog.New(slog.DiscardHandler))
	request := func(c *peer.Client) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/api/x", nil)
		if c != nil {
			require.NoError(t, c.Mark(r.Header))
		}
		return r
	}
	require.True(t, server.IsMarked(request(client(t))))
	require.False(t, server.IsMarked(request(nil)))
	require.False(t, server.IsMarked(request(peer.NewClient(secret.Master{8}.DeriveKey(peer.KeyPurpose), time.Now))))
}

// BenchmarkCall is what a question adds to the work of answering it.
func BenchmarkCall(b *testing.B) {
	server, c := serve(b, repeat), client(b)
	var spent []time.Duration
	for b.Loop() {
		var out answer
		start := time.Now()
		if err := c.Call(b.Context(), server.URL, echo, question{"hola"}, &out); err != nil {
			b.Fatal(err)
		}
		spent = append(spent, time.Since(start))
	}
	slices.Sort(spent)
	b.ReportMetric(float64(spent[len(spent)/2].Microseconds()), "µs/median")
	b.ReportMetric(float64(spent[len(spent)*99/100].Microseconds()), "µs/p99")
}
