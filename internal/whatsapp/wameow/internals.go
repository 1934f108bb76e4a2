package wameow

import (
	"context"
	"encoding/json"

	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// The library has no public way to do what stands in this file; a new version of it has to be checked here first.

func internals(client *whatsmeow.Client) *whatsmeow.DangerousInternalClient {
	return client.DangerousInternals() //nolint:staticcheck // marked as deprecated to warn, not because there is another way
}

// isAlive asks WhatsApp for a sign of life.
func isAlive(ctx context.Context, client *whatsmeow.Client) bool {
	ok, _ := internals(client).SendKeepAlive(ctx)
	return ok
}

// expectEnd says that nobody will connect this client again: whoever waits for that inside of the library stops waiting.
func expectEnd(client *whatsmeow.Client) { internals(client).ExpectDisconnect() }

// fetchKeys asks WhatsApp for keys of devices and reports whether it answered.
func fetchKeys(ctx context.Context, client *whatsmeow.Client, devices []types.JID) error {
	_, err := internals(client).FetchPreKeys(ctx, devices)
	return err
}

// timelockQuery is WhatsApp's number for the stored query that tells whether the account is kept from writing first to new people.
const timelockQuery = "23983697327930364"

// askTimelock asks WhatsApp for the account's restriction. The answer is the "data" of a GraphQL response.
func askTimelock(ctx context.Context, client *whatsmeow.Client) (json.RawMessage, error) {
	return internals(client).SendMexIQ(ctx, timelockQuery, map[string]any{})
}

// removeDevice asks WhatsApp to remove the client's own device. The library's own way would delete the keys as well, and close the
// socket while it is being read.
func removeDevice(ctx context.Context, client *whatsmeow.Client) error {
	_, err := internals(client).SendIQ(ctx, whatsmeow.DangerousInfoQuery{
		Namespace: "md", Type: "set", To: types.ServerJID, NoRetry: true,
		Content: []waBinary.Node{{Tag: "remove-companion-device", Attrs: waBinary.Attrs{"jid": client.Store.GetJID(), "reason": "user_initiated"}}},
	})
	return err
}
