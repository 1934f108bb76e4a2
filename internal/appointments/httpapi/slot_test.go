package httpapi

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"turnero/internal/appointments"
	"turnero/internal/id"
)

func TestSlotsAreWrittenAsEncodingJSONWouldWriteThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"UTC", "America/Santiago", "Europe/Madrid", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Havana"}).Draw(t, "zone")
		loc, err := time.LoadLocation(zone)
		require.NoError(t, err)
		people := []appointments.Ref[id.Staff]{{ID: id.NewStaff(), Name: rapid.String().Draw(t, "name")}, {ID: id.NewStaff(), Name: "Ana \"la\" <Zurda> ñ"}}
		b := availabilityBody{Service: refBody{ID: "svc_x", Name: rapid.String().Draw(t, "service")}, Location: placeBody{ID: "loc_x", Name: "a\u2028b", Zone: zone}}
		at := rapid.Int64Range(0, 4_000_000_000).Draw(t, "at")
		for range rapid.IntRange(0, 60).Draw(t, "slots") {
			at += rapid.Int64Range(-100, 40_000).Draw(t, "step")
			start := time.Unix(max(0, at), 0).In(loc)
			b.found = append(b.found, appointments.Slot{Start: start, End: start.Add(time.Hour), Staff: rapid.SampledFrom(people).Draw(t, "staff")})
		}
		want, err := json.Marshal(struct {
			Service  refBody    `json:"service"`
			Location placeBody  `json:"location"`
			Slots    []slotBody `json:"slots"`
		}{b.Service, b.Location, slotsOf(b.found)})
		require.NoError(t, err)
		require.Equal(t, string(want), string(bytes.TrimSpace(b.AppendJSON(nil))))
	})
}
