package httpapi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit/sqltest"
)

// busyFront is a business with the staff and bookings given, spread over 31 days from tomorrow.
func busyFront(t testing.TB, database string, staff, bookings int) (*front, string) {
	t.Helper()
	db := sqltest.Fresh(t, database)
	f := newFront(t, db)
	tenant := f.callers["admin"].Tenant
	service := f.must(201, "POST", "/api/services", object{"name": "Corte", "duration": 30, "bufferAfter": 5, "step": 15})["id"].(string)
	location := list(f.must(200, "GET", "/api/locations", nil), "items")[0]["id"].(string)
	people := make([]string, staff)
	for i := range people {
		people[i] = f.must(201, "POST", "/api/staff", object{"name": fmt.Sprintf("Persona %03d", i), "services": []string{service}, "hours": everyDay("09:00", "18:00"),
			"breaks": everyDay("13:00", "14:00")})["id"].(string)
	}
	type row struct {
		bun.BaseModel `bun:"table:appointments"`
		TenantID      string `bun:"tenant_id"`
		ID            string `bun:"id"`
		Status        string `bun:"status"`
		LocationID    string `bun:"location_id"`
		ServiceID     string `bun:"service_id"`
		StaffID       string `bun:"staff_id"`
		CustomerID    string `bun:"customer_id"`
		StartsAt      int64  `bun:"starts_at"`
		EndsAt        int64  `bun:"ends_at"`
		OccupiedFrom  int64  `bun:"occupied_from"`
		OccupiedTo    int64  `bun:"occupied_to"`
		PriceAmount   int64  `bun:"price_amount"`
		PriceCurrency string `bun:"price_currency"`
		Origin        string `bun:"origin"`
		Notes         string `bun:"notes"`
		BookedBy      string `bun:"booked_by"`
		BookedAt      int64  `bun:"booked_at"`
		CancelledBy   string `bun:"cancelled_by"`
		CancelledAt   int64  `bun:"cancelled_at"`
		CancelReason  string `bun:"cancel_reason"`
		Version       int64  `bun:"version"`
	}
	customer := id.NewCustomer().String()
	var rows []row
	midnight := time.Date(2026, 3, 21, 3, 0, 0, 0, time.UTC)
	for i := range bookings {
		who, n := i%staff, i/staff
		start := midnight.AddDate(0, 0, n%31).Add(9*time.Hour + time.Duration(n/31%12)*45*time.Minute)
		rows = append(rows, row{TenantID: tenant.String(), ID: id.NewAppointment().String(), Status: "booked", LocationID: location, ServiceID: service, StaffID: people[who],
			CustomerID: customer, StartsAt: start.UnixMicro(), EndsAt: start.Add(30 * time.Minute).UnixMicro(), OccupiedFrom: start.UnixMicro(),
			OccupiedTo: start.Add(35 * time.Minute).UnixMicro(), Origin: "api", Version: 1})
	}
	for chunk := range slices.Chunk(rows, 500) {
		_, err := db.Handle().Write().NewInsert().Model(&chunk).Exec(t.Context())
		require.NoError(t, err)
	}
	if database == "postgres" {
		_, err := db.SQL().Exec("ANALYZE")
		require.NoError(t, err)
	}
	return f, "/api/availability?service=" + service + "&from=2026-03-21&to=2026-04-20"
}

// BenchmarkAvailability reads a month of a whole business over HTTP, connection included, and tells the 95th percentile, the
// processor time of this process (server, client and, for SQLite, database) and the ratio to a fixed answer of the same size,
// fetched in turns with it.
func BenchmarkAvailability(b *testing.B) {
	for _, c := range []struct {
		staff, bookings int
	}{{10, 3000}, {100, 3000}, {100, 30000}} {
		for _, database := range sqltest.Databases {
			b.Run(fmt.Sprintf("%s/staff=%d/bookings=%d", database, c.staff, c.bookings), func(b *testing.B) {
				f, path := busyFront(b, database, c.staff, c.bookings)
				server := httptest.NewServer(f.handler)
				defer server.Close()
				_, body := fetch(b, server.URL+path)
				fixed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
				defer fixed.Close()
				var took, reference []time.Duration
				var spent time.Duration
				for b.Loop() {
					before := processorTime(b)
					d, _ := fetch(b, server.URL+path)
					spent += processorTime(b) - before
					took = append(took, d)
					d, _ = fetch(b, fixed.URL)
					reference = append(reference, d)
				}
				b.ReportMetric(milliseconds(p95(took)), "p95-ms")
				b.ReportMetric(milliseconds(spent)/float64(b.N), "cpu-ms")
				b.ReportMetric(float64(p95(took))/float64(p95(reference)), "x-reference")
				b.ReportMetric(float64(len(body))/1024, "KiB")
			})
		}
	}
}

func fetch(b *testing.B, url string) (time.Duration, []byte) {
	b.Helper()
	begun := time.Now()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	require.NoError(b, err)
	r.Header.Set("X-Caller", "employee")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(b, err)
	body, err := io.ReadAll(answer.Body)
	require.NoError(b, err)
	require.NoError(b, answer.Body.Close())
	require.Equal(b, 200, answer.StatusCode)
	return time.Since(begun), body
}

func p95(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)*95/100]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBooking books free slots of a busy business one after another over HTTP and tells the 95th percentile.
func BenchmarkBooking(b *testing.B) {
	for _, database := range sqltest.Databases {
		b.Run(database, func(b *testing.B) {
			f, path := busyFront(b, database, 10, 3000)
			slots := list(f.must(200, "GET", path, nil), "slots")
			service := f.must(200, "GET", "/api/services", nil)
			body := object{"service": list(service, "items")[0]["id"], "customer": object{"name": "Eva", "phone": "+5491122334455"}}
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				slot := slots[i*7%len(slots)] // apart from one another; the few that meet are refused, which is work too
				body["start"], body["staff"] = slot["start"], slot["staff"].(object)["id"]
				begun := time.Now()
				status, answer := f.call("employee", "POST", "/api/appointments", body)
				took = append(took, time.Since(begun))
				require.Contains(b, []int{201, 409}, status, "%v", answer)
			}
			b.ReportMetric(milliseconds(p95(took)), "p95-ms")
		})
	}
}
