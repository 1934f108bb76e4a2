package appointments

import (
	"strings"
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

// DefaultStep is the step of an offering that names none: half an hour, or its duration when that is shorter.
func (o *Offering) DefaultStep() time.Duration { return max(MinStep, min(o.Duration, 30*time.Minute)) }

// check trims what people typed and returns every rule that the offering breaks.
func (o *Offering) check() error {
	var f findings
	o.Name = f.name("name", o.Name)
	o.Description = f.text("description", o.Description, maxNotes)
	f.add(o.Duration < time.Minute || o.Duration > MaxDuration || o.Duration%time.Minute != 0, "duration", "must be from 1 to 1440 minutes")
	f.add(o.Before < 0 || o.Before > MaxBuffer || o.Before%time.Minute != 0, "bufferBefore", "must be from 0 to 720 minutes")
	f.add(o.After < 0 || o.After > MaxBuffer || o.After%time.Minute != 0, "bufferAfter", "must be from 0 to 720 minutes")
	f.add(o.Step < MinStep || o.Step > MaxDuration || o.Step%time.Minute != 0, "step", "must be from 5 to 1440 minutes")
	f.add(o.Price.Amount < 0, "price.amount", "must not be negative")
	f.add(o.Price != Money{} && !isCurrency(o.Price.Currency), "price.currency", "must be three capital letters (ISO 4217), such as ARS")
	return f.err()
}

func isCurrency(code string) bool {
	return len(code) == 3 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
