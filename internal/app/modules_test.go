package app

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/config"

	"turnero/internal/auth"
)

func TestEveryOperationLiesUnderAPathOfATarget(t *testing.T) {
	t.Parallel()
	api, err := describeAPI("1")
	require.NoError(t, err, "every operation names its roles")
	require.Greater(t, len(api.Operations()), 40)
	ids := map[string]bool{}
	for _, op := range api.Operations() {
		owners := 0
		for _, target := range targets {
			for _, path := range target.paths {
				if op.Path == path || strings.HasPrefix(op.Path, path+"/") {
					owners++
				}
			}
		}
		require.Equal(t, 1, owners, "%s %s has one target", op.Method, op.Path)
		require.False(t, ids[op.ID], "the ID %s is taken", op.ID)
		ids[op.ID] = true
		require.NotEmpty(t, op.Summary, op.ID)
		require.NotEmpty(t, op.Tag, op.ID)
	}
}

func TestAnAPIKeyCanBeGivenWhateverAnOperationNeeds(t *testing.T) {
	t.Parallel()
	api, err := describeAPI("1")
	require.NoError(t, err)
	for _, op := range api.Operations() {
		if op.Scope != "" {
			require.Contains(t, auth.KnownScopes(), op.Scope, op.ID)
		}
	}
}

func TestEveryTargetCanBeNamed(t *testing.T) {
	t.Parallel()
	var names []string
	for _, target := range targets {
		names = append(names, target.name)
	}
	require.ElementsMatch(t, config.Targets, names)
	require.Equal(t, "127.0.0.1:3004", listenByDefault([]string{"whatsapp"}))
	for _, selected := range [][]string{{"all"}, {"gateway"}, {"gateway", "auth"}} {
		require.Equal(t, serveListen, listenByDefault(selected))
	}
}

func TestOtherProcessesAreWhereTheRoutesSay(t *testing.T) {
	t.Parallel()
	c := &core{cfg: &config.Config{Route: []string{"whatsapp=http://10.0.0.1:1", "whatsapp=https://10.0.0.2"}}}
	require.Equal(t, []string{"http://10.0.0.1:1", "https://10.0.0.2"}, c.addresses("whatsapp"))
	require.Equal(t, []string{"http://127.0.0.1:3001"}, c.addresses("auth"))
}
