package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/platform/cluster"
	"turnero/internal/platform/redisconn"
	"turnero/internal/platform/redisconn/redistest"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func join(t *testing.T, db *sqlkit.DB, conn *redisconn.Conn) (*cluster.Member, error) {
	t.Helper()
	return cluster.Join(t.Context(), db, conn)
}

func TestOneClusterServesADatabase(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		here, elsewhere := redistest.Shared(t), redistest.Start(t)
		first, err := join(t, db, here)
		require.NoError(t, err)
		second, err := join(t, db, here)
		require.NoError(t, err, "they share a Redis")
		require.Equal(t, first.Installation(), second.Installation())

		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ended := make(chan error, 1)
		go func() { ended <- first.Run(ctx) }()
		_, err = join(t, db, redistest.Dial(t, elsewhere.URL()))
		require.ErrorIs(t, err, cluster.ErrServed, "its Redis is another")
		stop()
		require.NoError(t, <-ended)
		start := time.Now()
		third, err := join(t, db, nil)
		require.NoError(t, err, "nobody serves it any more")
		require.Less(t, time.Since(start), 8*time.Second)
		require.Equal(t, first.Installation(), third.Installation())
		require.ErrorIs(t, second.Run(t.Context()), cluster.ErrServed, "who was away for long finds that another has it")
	})
}

func TestAnEmptiedRedisKeepsTheClustersName(t *testing.T) {
	t.Parallel()
	sqltest.EachFresh(t, func(t *testing.T, db *sqlkit.DB) {
		server := redistest.Start(t)
		first, err := join(t, db, redistest.Dial(t, server.URL()))
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- first.Run(ctx) }()
		defer func() { stop(); require.NoError(t, <-ended) }()

		conn := redistest.Dial(t, server.URL())
		require.NoError(t, conn.Client().FlushAll(ctx).Err())
		require.Eventually(t, func() bool {
			n, err := conn.Client().Exists(ctx, "turnero:cluster:"+first.Installation()).Result()
			return err == nil && n == 1
		}, 10*time.Second, 50*time.Millisecond)
		_, err = join(t, db, conn)
		require.NoError(t, err)
	})
}
