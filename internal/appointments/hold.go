package appointments

import (
	"time"

	"turnero/internal/id"
)

// Hold keeps a slot for a short time while a customer decides. Until it expires it occupies time as an appointment does.
type Hold struct {
	ID         id.Hold
	Location   id.Location
	Service    id.Service
	Staff      Ref[id.Staff]
	Start, End time.Time
	Occupied   Span
	Origin     string
	By         string
	CreatedAt  time.Time
	ExpiresAt  time.Time // no longer held from this instant on
}

// How long a hold lasts.
const (
	DefaultHold = 5 * time.Minute
	MaxHold     = 15 * time.Minute
)
