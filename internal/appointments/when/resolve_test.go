package when

import (
	"testing"
	"time"
	_ "time/tzdata" // the cases are those of the zones' real clocks, whatever the machine knows

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func zone(t require.TestingT, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func TestResolveTellsGapsAndOverlaps(t *testing.T) {
	t.Parallel()
	cases := []struct {
		zone    string
		date    Date
		minute  int
		clocks  Clocks
		instant string // UTC; that at which the clocks go on, in a gap
		second  string
	}{
		{"America/Argentina/Buenos_Aires", Date{2026, 3, 26}, 600, Normal, "2026-03-26T13:00:00Z", ""},
		{"America/Santiago", Date{2026, 9, 6}, 0, Gap, "2026-09-06T04:00:00Z", ""},
		{"America/Santiago", Date{2026, 9, 6}, 59, Gap, "2026-09-06T04:00:00Z", ""},
		{"America/Santiago", Date{2026, 9, 6}, 60, Normal, "2026-09-06T04:00:00Z", ""},
		{"America/Santiago", Date{2026, 9, 5}, 23*60 + 59, Normal, "2026-09-06T03:59:00Z", ""},
		{"America/Santiago", Date{2026, 9, 5}, 25 * 60, Normal, "2026-09-06T04:00:00Z", ""},
		{"America/Santiago", Date{2026, 9, 5}, 24 * 60, Gap, "2026-09-06T04:00:00Z", ""},
		{"America/Santiago", Date{2026, 4, 4}, 23*60 + 30, Overlap, "2026-04-05T02:30:00Z", "2026-04-05T03:30:00Z"},
		{"America/Havana", Date{2026, 3, 8}, 0, Gap, "2026-03-08T05:00:00Z", ""},
		{"America/Havana", Date{2026, 11, 1}, 0, Overlap, "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z"},
		{"Europe/Madrid", Date{2026, 3, 29}, 150, Gap, "2026-03-29T01:00:00Z", ""},
		{"Europe/Madrid", Date{2026, 3, 29}, 180, Normal, "2026-03-29T01:00:00Z", ""},
		{"Europe/Madrid", Date{2026, 10, 25}, 150, Overlap, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
		{"America/New_York", Date{2026, 3, 8}, 150, Gap, "2026-03-08T07:00:00Z", ""},
		{"America/New_York", Date{2026, 11, 1}, 90, Overlap, "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"},
		{"America/Tijuana", Date{2026, 3, 8}, 60, Normal, "2026-03-08T09:00:00Z", ""},
		{"America/Tijuana", Date{2026, 3, 8}, 120, Gap, "2026-03-08T10:00:00Z", ""},
		{"America/Tijuana", Date{2026, 3, 8}, 180, Normal, "2026-03-08T10:00:00Z", ""},
		{"America/Mexico_City", Date{2026, 3, 8}, 150, Normal, "2026-03-08T08:30:00Z", ""},
		{"Pacific/Apia", Date{2011, 12, 30}, 720, Gap, "2011-12-30T10:00:00Z", ""},
		{"UTC", Date{2028, 2, 29}, 0, Normal, "2028-02-29T00:00:00Z", ""},
	}
	for _, c := range cases {
		at, how := Resolve(c.date, c.minute, zone(t, c.zone))
		require.Equal(t, c.clocks, how.Clocks, "%s %s %d", c.zone, c.date, c.minute)
		if c.clocks == Gap {
			require.True(t, at.IsZero(), "no instant is invented for %s %s %d", c.zone, c.date, c.minute)
			at = how.Resumes
		} else {
			require.True(t, how.Resumes.IsZero())
		}
		require.Equal(t, c.instant, at.UTC().Format(time.RFC3339), "%s %s %d", c.zone, c.date, c.minute)
		if c.second == "" {
			require.True(t, how.Second.IsZero())
			continue
		}
		require.Equal(t, c.second, how.Second.UTC().Format(time.RFC3339), "%s %s %d", c.zone, c.date, c.minute)
	}
}

func TestStartOfDayIsOnItsOwnDate(t *testing.T) {
	t.Parallel()
	cases := []struct{ zone, date, start string }{
		{"America/Santiago", "2026-09-06", "2026-09-06T01:00:00-03:00"},
		{"America/Santiago", "2026-09-05", "2026-09-05T00:00:00-04:00"},
		{"America/Havana", "2026-03-08", "2026-03-08T01:00:00-04:00"},
		{"America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"},
		{"Europe/Madrid", "2026-03-29", "2026-03-29T00:00:00+01:00"},
		{"America/New_York", "2026-03-08", "2026-03-08T00:00:00-05:00"},
		{"America/Tijuana", "2026-03-08", "2026-03-08T00:00:00-08:00"},
		{"America/Argentina/Buenos_Aires", "2026-03-25", "2026-03-25T00:00:00-03:00"},
	}
	for _, c := range cases {
		day, err := time.Parse(time.DateOnly, c.date)
		require.NoError(t, err)
		require.Equal(t, c.start, StartOfDay(DateOf(day), zone(t, c.zone)).Format(time.RFC3339), "%s %s", c.zone, c.date)
	}
}

var zonesWithJumps = []string{"America/Santiago", "America/Havana", "Europe/Madrid", "America/New_York", "America/Tijuana", "America/Asuncion",
	"America/Sao_Paulo", "America/Argentina/Buenos_Aires", "Australia/Lord_Howe", "Asia/Beirut", "Africa/Casablanca", "America/St_Johns", "UTC"}

func TestResolveGivesTheWallClockThatWasAsked(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		loc := zone(t, rapid.SampledFrom(zonesWithJumps).Draw(t, "zone"))
		date := Date{2010, 1, 1}.AddDays(rapid.IntRange(0, 9000).Draw(t, "day"))
		minute := rapid.IntRange(0, 2000).Draw(t, "minute")
		want := date.utc().Add(time.Duration(minute) * time.Minute).Format("2006-01-02T15:04:05")
		at, how := Resolve(date, minute, loc)
		switch how.Clocks {
		case Gap:
			before := how.Resumes.Add(-time.Second).In(loc)
			require.Less(t, before.Format("2006-01-02T15:04:05"), want)
			require.Greater(t, how.Resumes.Format("2006-01-02T15:04:05"), want)
		case Overlap:
			require.Equal(t, want, how.Second.Format("2006-01-02T15:04:05"))
			require.True(t, at.Before(how.Second))
			fallthrough
		case Normal:
			require.Equal(t, want, at.Format("2006-01-02T15:04:05"))
		}
	})
}

func TestStartOfDayIsTheFirstInstantOfTheDate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		loc := zone(t, rapid.SampledFrom(zonesWithJumps).Draw(t, "zone"))
		date := Date{2010, 1, 1}.AddDays(rapid.IntRange(0, 9000).Draw(t, "day"))
		start := StartOfDay(date, loc)
		require.Equal(t, date, DateOf(start))
		require.True(t, DateOf(start.Add(-time.Second)).Before(date) || DateOf(start.Add(-time.Second)) == date && overlapsMidnight(date, loc))
	})
}

// overlapsMidnight reports whether the clocks go back across the date's midnight, so that the date begins twice.
func overlapsMidnight(date Date, loc *time.Location) bool {
	_, how := Resolve(date.AddDays(-1), 23*60+59, loc)
	return how.Clocks == Overlap
}

func TestDateArithmetic(t *testing.T) {
	t.Parallel()
	require.Equal(t, Date{2028, 3, 1}, Date{2028, 2, 28}.AddDays(2))
	require.Equal(t, Date{2026, 2, 28}, Date{2026, 1, 31}.AddMonths(1))
	require.Equal(t, Date{2027, 1, 15}, Date{2026, 12, 15}.AddMonths(1))
	require.Equal(t, Date{2026, 3, 23}, Date{2026, 3, 25}.monday())
	require.Equal(t, Date{2026, 3, 23}, Date{2026, 3, 29}.monday())
	require.Equal(t, 7, Date{2026, 4, 1}.DaysSince(Date{2026, 3, 25}))
	require.False(t, Date{2026, 2, 29}.Exists())
	require.True(t, Date{2028, 2, 29}.Exists())
	require.False(t, Date{2026, 4, 31}.Exists())
	require.Empty(t, Date{}.String())
	require.True(t, Date{2026, 3, 25}.Before(Date{2026, 4, 1}))
	require.True(t, Date{2026, 4, 1}.After(Date{2026, 3, 25}))
}
