package id_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
)

func TestFreshIDsParseAndSortInOrderOfMaking(t *testing.T) {
	t.Parallel()
	last := ""
	for range 1000 {
		v := id.NewAppointment()
		require.True(t, strings.HasPrefix(v.String(), "apt_"))
		require.Len(t, v.String(), 30)
		back, err := id.ParseAppointment(v.String())
		require.NoError(t, err)
		require.Equal(t, v, back)
		require.Greater(t, v.String(), last)
		last = v.String()
	}
}

func TestParseRefusesWhatIsNotAnID(t *testing.T) {
	t.Parallel()
	good := id.NewTenant().String()
	for _, bad := range []string{"", "ten_", good[4:], strings.ToUpper(good), good + "0", good[:29], "usr_" + good[4:], good[:29] + "u", "ten_8" + good[5:]} {
		_, err := id.ParseTenant(bad)
		require.Error(t, err, bad)
	}
}

func TestTextAndSQLFormsRoundTrip(t *testing.T) {
	t.Parallel()
	type box struct{ Chat id.Chat }
	in := box{id.NewChat()}
	raw, err := json.Marshal(in)
	require.NoError(t, err)
	var out box
	require.NoError(t, json.Unmarshal(raw, &out))
	require.Equal(t, in, out)

	v, err := in.Chat.Value()
	require.NoError(t, err)
	var back id.Chat
	require.NoError(t, back.Scan(v))
	require.Equal(t, in.Chat, back)
	require.NoError(t, back.Scan(nil))
	require.True(t, back.IsZero())
	require.Error(t, json.Unmarshal([]byte(`{"Chat":"ten_x"}`), &out))
}

func TestRepeatableIDsDependOnKindAndName(t *testing.T) {
	t.Parallel()
	require.Equal(t, id.FromMessage("a"), id.FromMessage("a"))
	require.NotEqual(t, id.FromMessage("a"), id.FromMessage("b"))
}
