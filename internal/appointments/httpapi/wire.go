package httpapi

import (
	"time"

	"turnero/internal/appointments"
	"turnero/internal/appointments/when"
	"turnero/internal/fault"
	"turnero/internal/platform/idempotency"
)

// KeyInput is the header of an operation that creates something; its name is exported because Huma passes over others.
type KeyInput struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"a repeated request with the same key and body gives what the first one made"`
}

func (k KeyInput) key(body any) appointments.Idempotency {
	return appointments.Idempotency{Key: k.IdempotencyKey, BodyHash: idempotency.Hash(body)}
}

// IDInput is the path of an operation on one thing; see KeyInput for its name.
type IDInput struct {
	ID string `path:"id"`
}

// inPath reads an ID of a path; what is no ID is nobody's.
func inPath[I any](text, thing string, parse func(string) (I, error)) (I, error) {
	v, err := parse(text)
	if err != nil {
		return v, fault.NotFoundf(thing)
	}
	return v, nil
}

// inField reads an optional ID of a body or query.
func inField[I any](field, text string, parse func(string) (I, error)) (I, error) {
	if text == "" {
		var none I
		return none, nil
	}
	v, err := parse(text)
	if err != nil {
		return v, fault.BadField(field, "must be an ID as this API gives them")
	}
	return v, nil
}

type refBody struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type placeBody struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Zone string `json:"zone" doc:"IANA name"`
}

func placeOf(l *appointments.Location) placeBody {
	return placeBody{ID: l.ID.String(), Name: l.Name, Zone: l.Zone}
}

type moneyBody struct {
	Amount   int64  `json:"amount" doc:"in the minor unit of the currency: 150000 is 1500.00" minimum:"0"`
	Currency string `json:"currency" doc:"ISO 4217" example:"ARS" maxLength:"10"`
}

func moneyOf(m appointments.Money) *moneyBody {
	if m == (appointments.Money{}) {
		return nil
	}
	return &moneyBody{Amount: m.Amount, Currency: m.Currency}
}

func (m *moneyBody) money() appointments.Money {
	if m == nil {
		return appointments.Money{}
	}
	return appointments.Money{Amount: m.Amount, Currency: m.Currency}
}

func minutes(d time.Duration) int { return int(d / time.Minute) }

// length is a duration in minutes, bounded so that no number overflows before it is refused.
func length(minutes int) time.Duration {
	const most = 10 * 366 * 24 * 60
	return time.Duration(max(-most, min(minutes, most))) * time.Minute
}

// instantIn writes the instant with the offset of the location's zone.
func instantIn(l *appointments.Location, t time.Time) string { return l.In(t).Format(time.RFC3339) }

// dateOf reads "2026-03-26".
func dateOf(field, text string) (when.Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return when.Date{}, fault.BadField(field, "must be a date that exists, such as 2026-03-26")
	}
	return when.DateOf(t), nil
}

// instantOf reads an RFC 3339 instant.
func instantOf(field, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fault.BadField(field, "must be an RFC 3339 date and time, such as 2026-03-26T10:00:00-03:00")
	}
	return t.UTC(), nil
}

// rangeOf reads the bounds of a search: two dates, both included, or two instants, the second excluded.
func rangeOf(from, to string) (span appointments.Span, first, last when.Date, err error) {
	if len(from) == len(time.DateOnly) && len(to) == len(time.DateOnly) {
		if first, err = dateOf("from", from); err == nil {
			last, err = dateOf("to", to)
		}
		return span, first, last, err
	}
	if span.From, err = boundOf("from", from); err == nil {
		span.To, err = boundOf("to", to)
	}
	return span, first, last, err
}

func boundOf(field, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, fault.BadField(field, "must be a date such as 2026-03-26, or an RFC 3339 date and time such as 2026-03-26T10:00:00-03:00 (write + as %2B in a URL); both bounds alike")
	}
	return t.UTC(), nil
}

// toWire gives a fault's details the form that they have in this API.
func toWire(err error) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	for name, value := range f.Details {
		switch v := value.(type) {
		case []appointments.Slot:
			f.Details[name] = slotsOf(v)
		case []appointments.Appointment:
			f.Details[name] = appointmentsOf(v)
		}
	}
	return f
}
