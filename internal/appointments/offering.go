package appointments

import (
	"time"

	"turnero/internal/id"
)

// Offering is one service that a business offers; the API and the people say "service", which in this code is the name of
// the module's use cases.
type Offering struct {
	ID          id.Service
	Name        string
	Description string
	Duration    time.Duration // whole minutes
	Before      time.Duration // kept free before the start, for preparing
	After       time.Duration // kept free after the end, for cleaning
	Step        time.Duration // distance of the starts on a shift's grid
	Price       Money
	Active      bool // can be booked
	CreatedAt   time.Time
}

// Money is an amount in the minor unit of its currency: {150000, "ARS"} is 1,500 pesos. The zero value means "no price told".
type Money struct {
	Amount   int64
	Currency string // ISO 4217
}

// The bounds of an offering. They bound how far an occupied range can reach, which keeps the search for overlaps an index range.
const (
	MaxDuration = 24 * time.Hour
	MaxBuffer   = 12 * time.Hour
	MinStep     = 5 * time.Minute
	maxOccupied = MaxDuration + 2*MaxBuffer
)
