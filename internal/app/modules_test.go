package app

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
)

func TestEveryOperationLiesUnderAPathOfATarget(t *testing.T) {
	t.Parallel()
	api, err := describeAPI()
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
	api, err := describeAPI()
	require.NoError(t, err)
	for _, op := range api.Operations() {
		if op.Scope != "" {
			require.Contains(t, auth.KnownScopes(), op.Scope, op.ID)
		}
	}
}

func TestAProcessRunsWhatItIsTold(t *testing.T) {
	t.Parallel()
	require.True(t, runs([]string{"all"}, "auth"))
	require.True(t, runs([]string{"gateway", "auth"}, "auth"))
	require.False(t, runs([]string{"gateway"}, "auth"))
}
