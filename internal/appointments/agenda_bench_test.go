package appointments

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/id"
)

// BenchmarkAgenda lists a month of a business, bookings spread evenly, without any database.
func BenchmarkAgenda(b *testing.B) {
	for _, staff := range []int{10, 100} {
		b.Run(fmt.Sprintf("staff=%d", staff), func(b *testing.B) {
			s := shop{zone: "America/Santiago", hours: week("09:00-18:00"), breaks: week("13:00-14:00"), minutes: 30, step: 15, after: 5, horizon: 60, now: "2026-09-01T00:00:00Z"}
			p := s.plan()
			now := instant(s.now)
			for i := range staff {
				m := p.Staff[0]
				m.ID = id.NewStaff()
				p.Staff = append(p.Staff, m)
				for n := range 300 {
					from := now.AddDate(0, 0, n%31).Add(12*time.Hour + time.Duration(n/31+i%2)*45*time.Minute)
					p.Busy[m.ID] = append(p.Busy[m.ID], Span{from, from.Add(35 * time.Minute)})
				}
			}
			p.Staff = p.Staff[1:]
			span := Span{now, now.AddDate(0, 0, 31)}
			b.ReportAllocs()
			slots := 0
			for b.Loop() {
				a, err := NewAgenda(p, now)
				require.NoError(b, err)
				slots = len(a.Slots(span, 0))
			}
			require.NotZero(b, slots)
			b.ReportMetric(float64(slots), "slots")
		})
	}
}
