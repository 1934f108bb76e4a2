package live

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
	"turnero/internal/platform/outbox"
)

func TestAnEventArrivesAsItIs(t *testing.T) {
	t.Parallel()
	sent := []outbox.Record{{Seq: 7, ID: id.NewEvent(), Tenant: "a", Name: "test.happened", OrderKey: "k", At: time.UnixMicro(7).UTC(),
		Payload: json.RawMessage("{\"text\":\"ñ <&> \\\" 💇 \u2028\"}")}}
	fields, err := encode(sent)
	require.NoError(t, err)
	require.Equal(t, []any{"to", int64(7), "events"}, fields[:3])
	got, err := decode(map[string]any{"to": "7", "events": string(fields[3].([]byte))}, 6)
	require.NoError(t, err)
	require.Equal(t, sent, got)
}
