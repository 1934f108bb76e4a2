package wameow

import (
	"context"
	"reflect"
	"unsafe"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
)

// recentTable is the library's table of what a client sent last, by its name there.
const recentTable = "recentMessagesMap"

// slim gives a client that is not used yet an empty table of recent messages instead of one with room for 256, which is 45 KiB for each session, a quarter of
// all it takes, whether it ever sends or not. Nothing depends on it: a library that no longer has such a table is left as it is.
func slim(client *whatsmeow.Client) {
	table := reflect.ValueOf(client).Elem().FieldByName(recentTable)
	if table.IsValid() && table.Kind() == reflect.Map && table.Len() == 0 {
		reflect.NewAt(table.Type(), unsafe.Pointer(table.UnsafeAddr())).Elem().Set(reflect.MakeMap(table.Type()))
	}
}

// forget has the library drop the text of a message from its table, where it would take a KiB until 256 others were sent. Who asks for it again gets it from
// the session (messageForRetry).
func (c *connection) forget(to types.JID, waID types.MessageID) {
	_ = c.client.DangerousInternals().AddRecentMessage(context.Background(), to, waID, nil, nil) //nolint:staticcheck // the one way in; without a retry store it cannot fail
}
