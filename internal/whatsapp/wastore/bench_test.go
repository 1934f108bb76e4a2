package wastore_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/store"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit/sqltest"
)

// BenchmarkMessages stores what 200 sessions receive and send at the same time and tells how much faster that is than with the library's own
// store on the same kind of database, in the same run. One operation is one message in and one out, of each session.
func BenchmarkMessages(b *testing.B) {
	for _, kind := range sqltest.Databases {
		b.Run(kind, func(b *testing.B) {
			const sessions = 200
			db := sqltest.Fresh(b, kind)
			s, tenant := openStore(b, db), id.NewTenant()
			ours := make([]*store.Device, sessions)
			for i := range ours {
				d, err := s.Load(b.Context(), newTerm(b, db, tenant))
				require.NoError(b, err)
				link(b, d)
				ours[i] = d
			}
			mine := exchange(b, ours, b.N)
			b.ReportMetric(float64(2*sessions*b.N)/mine.Seconds(), "msg/s")
			b.ReportMetric(0, "ns/op")
			if kind == "mariadb" { // the library knows no such database
				return
			}
			reference := newLibrary(b, kind)
			theirs := make([]*store.Device, sessions)
			for i := range theirs {
				theirs[i] = reference.container.NewDevice()
				link(b, theirs[i])
			}
			b.ReportMetric(float64(exchange(b, theirs, b.N))/float64(mine), "x-library")
		})
	}
}

func exchange(b *testing.B, devices []*store.Device, rounds int) time.Duration {
	b.Helper()
	var work sync.WaitGroup
	errs := make(chan error, 2*len(devices))
	began := time.Now()
	for i, d := range devices {
		work.Go(func() { errs <- receive(b.Context(), d, i, rounds) })
		work.Go(func() { errs <- send(b.Context(), d, rounds) })
	}
	work.Wait()
	took := time.Since(began)
	close(errs)
	for err := range errs {
		require.NoError(b, err, fmt.Sprint(rounds, " rounds"))
	}
	return took
}
