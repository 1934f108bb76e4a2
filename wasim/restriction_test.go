package wasim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types/events"

	"turnero/wasim"
)

func TestRestrictedAccountIsToldAndRefusedUntilTheEnd(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.client.say(s.customer, "antes")
	phone, err := s.net.Restrict(s.business, "", 2*time.Second)
	require.NoError(t, err)
	require.Equal(t, wasim.RestrictAllCompanions, phone.Restriction.Type)
	e := await(s.client, func(*events.NotifyAccountReachoutTimelock) bool { return true })
	require.True(t, e.IsActive)
	require.Equal(t, "NotificationUserReachoutTimelockUpdate", e.Mex.OpName)
	require.Equal(t, phone.Restriction.Until.Unix(), e.TimeEnforcementEnds.Unix())
	_, err = s.client.trySay(s.customer, "durante")
	require.ErrorContains(t, err, "463")
	write(t, s.net, s.business, s.customer, "desde el teléfono sí")
	shows(t, s.net, s.customer, hasText("desde el teléfono sí"))
	write(t, s.net, s.customer, s.business, "lo que llega, llega")
	s.client.awaitText("lo que llega, llega")

	await(s.client, func(e *events.NotifyAccountReachoutTimelock) bool { return !e.IsActive })
	s.client.say(s.customer, "después")
	got := shows(t, s.net, s.customer, hasText("después"))
	require.False(t, got.Timestamp.Before(phone.Restriction.Until))
	phone, err = s.net.Phone(s.business)
	require.NoError(t, err)
	require.Nil(t, phone.Restriction)
	require.EqualValues(t, 1, s.net.Stats().Restricted)
	list, err := s.net.Messages(s.customer, "")
	require.NoError(t, err)
	for _, m := range list {
		require.NotEqual(t, "durante", m.Text)
	}
}

func TestRestrictionOfNewChatsSparesWhoHasWritten(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	write(t, s.net, s.customer, s.business, "escribí yo")
	s.client.awaitText("escribí yo")
	_, err := s.net.Restrict(s.business, wasim.RestrictNewChats, time.Hour)
	require.NoError(t, err)
	s.client.say(s.customer, "respuesta")
	_, err = s.client.trySay(numberOf(9), "de la nada")
	require.ErrorContains(t, err, "463")
	_, err = s.net.Lift(s.business)
	require.NoError(t, err)
	s.client.say(numberOf(9), "de la nada")
}

func TestRestrictionOutlivesTheNetworkAndReachesWhoWasAway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keep := func(o *wasim.Options) { o.Dir = dir }
	n := newNetwork(t, keep)
	c := linked(t, n, numberOf(1))
	c.Disconnect()
	phone, err := n.Restrict(numberOf(1), "", time.Hour)
	require.NoError(t, err)
	require.NoError(t, n.Close())

	n = newNetwork(t, keep)
	after, err := n.Phone(numberOf(1))
	require.NoError(t, err)
	require.Equal(t, phone.Restriction, after.Restriction)
	c.reopen(n)
	require.NoError(t, c.Connect())
	require.True(t, await(c, func(*events.NotifyAccountReachoutTimelock) bool { return true }).IsActive)
	_, err = c.trySay(numberOf(2), "no")
	require.ErrorContains(t, err, "463")
}

func TestClientMayAskWhetherItsAccountIsRestricted(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	l := light(t, n, numberOf(1))
	const lock = "23983697327930364"
	body, err := l.AskStored(t.Context(), lock)
	require.NoError(t, err)
	require.JSONEq(t, `{"data":{"xwa2_fetch_account_reachout_timelock":{"is_active":false}}}`, body)
	_, err = n.Restrict(numberOf(1), wasim.RestrictNewChats, time.Hour)
	require.NoError(t, err)
	body, err = l.AskStored(t.Context(), lock)
	require.NoError(t, err)
	require.Contains(t, body, `"enforcement_type":"DEFAULT","is_active":true,"time_enforcement_ends":"`)
	_, err = l.AskStored(t.Context(), "1")
	require.ErrorContains(t, err, "501")
}

func TestAccountIsRestrictedThroughTheControlAPI(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := "/sim/phones/" + numberOf(1) + "/restriction"
	phone := a.call(200, "POST", path, `{"type":"DEFAULT","seconds":60}`)
	require.Equal(t, "DEFAULT", phone["restriction"].(map[string]any)["type"])
	require.Nil(t, a.call(200, "DELETE", path, "")["restriction"])
	a.call(422, "POST", path, `{"type":"x"}`)
	a.call(422, "POST", path, `{"seconds":-1}`)
	a.call(422, "POST", path, `{"seconds":1e20}`)
}
