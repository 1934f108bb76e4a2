package whatsapp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/whatsapp"
)

func TestEmployeesSeeAndAnswerOnlyWhatTheyWereGranted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	line := b.linked()
	require.NoError(t, line.sink.Received(t.Context(), text("A", ana, "hola")))
	require.NoError(t, line.sink.Received(t.Context(), text("B", whatsapp.ContactIDs{LID: lid("2002")}, "hola")))
	employee := id.Principal{Tenant: b.tenant, User: id.NewUser(), Role: id.Employee}
	b.users[employee.User] = true
	calls := map[string]func(p id.Principal, chat string) error{
		"find": func(p id.Principal, c string) error {
			_, err := b.svc.FindChat(t.Context(), p, id.Session{}, c)
			return err
		},
		"messages": func(p id.Principal, c string) error {
			_, err := b.svc.ListMessages(t.Context(), p, id.Session{}, c, whatsapp.MessageCursor{}, 10)
			return err
		},
		"message": func(p id.Principal, c string) error {
			_, err := b.svc.FindMessage(t.Context(), p, id.Session{}, c, b.messages("1001@lid")[0].ID)
			return err
		},
		"send": func(p id.Principal, c string) error {
			_, err := b.svc.Queue(t.Context(), p, whatsapp.SendCommand{Chat: c, Text: "hola"})
			return err
		},
		"read":   func(p id.Principal, c string) error { return b.svc.MarkRead(t.Context(), p, id.Session{}, c) },
		"typing": func(p id.Principal, c string) error { return b.svc.Typing(t.Context(), p, id.Session{}, c, true) },
		"handoff": func(p id.Principal, c string) error {
			_, err := b.svc.HandOff(t.Context(), p, id.Session{}, c)
			return err
		},
		"release": func(p id.Principal, c string) error {
			_, err := b.svc.Release(t.Context(), p, id.Session{}, c)
			return err
		},
	}
	stranger := id.Principal{Tenant: id.NewTenant(), User: id.NewUser(), Role: id.Admin}
	chat := b.chats()[1].ID.String()
	for what, call := range calls {
		for _, name := range []string{chat, "1001@lid", "5491122334455"} {
			require.True(t, fault.Is(call(employee, name), fault.NotFound), "%s %s: %v", what, name, call(employee, name))
		}
		require.True(t, fault.Is(call(stranger, chat), fault.NotFound), what)
	}
	list, err := b.svc.ListChats(t.Context(), employee, whatsapp.ChatQuery{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, list)
	_, err = b.svc.Queue(t.Context(), employee, whatsapp.SendCommand{Chat: "5491144444444", Text: "hola"})
	require.True(t, fault.Is(err, fault.NotFound), "nor may they begin a chat: %v", err)
	require.Len(t, b.chats(), 2)

	require.True(t, fault.Is(b.svc.Grant(t.Context(), b.admin, id.Session{}, chat, id.NewUser()), fault.NotFound), "nobody of this business")
	for range 2 {
		require.NoError(t, b.svc.Grant(t.Context(), b.admin, id.Session{}, chat, employee.User))
	}
	for what, call := range calls {
		require.NoError(t, call(employee, "1001@lid"), what)
		require.Error(t, call(employee, "2002@lid"), what)
	}
	list, err = b.svc.ListChats(t.Context(), employee, whatsapp.ChatQuery{Limit: 10})
	require.NoError(t, err)
	require.Len(t, list, 1)
	for range 2 {
		require.NoError(t, b.svc.Revoke(t.Context(), b.admin, id.Session{}, chat, employee.User))
	}
	require.Error(t, calls["find"](employee, chat))
}

func TestLiveOperationsNeedAConnectedLine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	check := func(phone string) (whatsapp.ContactCheck, error) {
		return b.svc.CheckContact(t.Context(), b.admin, id.Session{}, phone)
	}
	_, err := check("5491122334455")
	require.True(t, fault.HasReason(err, "session_not_linked"), err)
	line := b.linked()
	got, err := check("+54 9 11 2233-4455")
	require.NoError(t, err)
	require.Equal(t, whatsapp.ContactCheck{Phone: "+5491122334455", IsOn: true, IDs: whatsapp.ContactIDs{Number: number("5491122334455"), LID: lid("77")}}, got)
	got, err = check("5491100000404")
	require.NoError(t, err)
	require.False(t, got.IsOn)
	_, err = check("5491100000500")
	require.True(t, fault.HasReason(err, "session_offline"), err)
	_, err = check("pepe")
	require.True(t, fault.Is(err, fault.Invalid), err)
	require.NoError(t, line.sink.Received(t.Context(), text("A", ana, "hola")))
	require.NoError(t, b.svc.Typing(t.Context(), b.admin, id.Session{}, "1001@lid", true))
	require.Equal(t, []bool{true}, line.typing)
	line.sink.Changed(t.Context(), whatsapp.LinkChange{State: whatsapp.LinkConnecting})
	_, err = check("5491122334455")
	f, _ := fault.As(err)
	require.Equal(t, "session_offline", f.Reason)
	require.Positive(t, f.RetryAfter)
	require.Error(t, b.svc.Typing(t.Context(), b.admin, id.Session{}, "1001@lid", true))
}
