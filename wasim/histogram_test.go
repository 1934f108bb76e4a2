package wasim

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHistogramIsCloseToTheTruth(t *testing.T) {
	t.Parallel()
	var h histogram
	require.Zero(t, h.quantiles())
	chance := rand.New(rand.NewPCG(1, 1))
	values := make([]time.Duration, 10_000)
	for i := range values {
		values[i] = time.Duration(chance.ExpFloat64() * float64(20*time.Millisecond)).Truncate(time.Microsecond)
		h.add(values[i])
	}
	slices.Sort(values)
	for part, got := range map[float64]float64{0.5: h.quantiles().P50, 0.9: h.quantiles().P90, 0.99: h.quantiles().P99} {
		require.InEpsilon(t, milliseconds(values[int(part*float64(len(values)))]), got, 0.02)
	}
	require.Equal(t, milliseconds(values[len(values)-1]), h.quantiles().Max)
	for _, us := range []uint64{0, 1, 63, 64, 127, 128, 129, 255, 256, 1 << 20, 1<<36 - 1} {
		bucket := bucketOf(us)
		require.GreaterOrEqual(t, bucketEnd(bucket), us)
		if bucket > 0 {
			require.Less(t, bucketEnd(bucket-1), us)
		}
	}
	h.add(-time.Second)
	h.add(1000 * time.Hour)
}
