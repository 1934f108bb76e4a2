package bot_test

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/appointments"
	"turnero/internal/appointments/bot"
	"turnero/internal/appointments/when"
	"turnero/internal/id"
)

// desk is a business without a database: the pure Agenda over bookings in memory. It shows a Step its World and carries out
// what the Step asks for, by the same rules as the Service.
type desk struct {
	t        require.TestingT
	now      time.Time
	zone     *time.Location
	location appointments.Location
	services []appointments.Offering
	staff    []appointments.Staff
	booked   []entry
	reminded id.Appointment
}

// entry is an appointment of the desk.
type entry struct {
	id       id.Appointment
	customer string
	service  id.Service
	staff    id.Staff
	start    time.Time
	status   string
}

func newDesk(t require.TestingT) *desk {
	zone, err := time.LoadLocation("America/Argentina/Buenos_Aires")
	require.NoError(t, err)
	d := &desk{t: t, zone: zone, now: time.Date(2026, 3, 25, 10, 0, 0, 0, zone)}
	d.location = appointments.Location{ID: id.NewLocation(), Name: "Centro", Zone: zone.String(), Address: "Corrientes 1234", Policy: appointments.DefaultPolicy()}
	return d
}

func (d *desk) addService(name string, minutes int) id.Service {
	o := appointments.Offering{ID: id.NewService(), Name: name, Duration: time.Duration(minutes) * time.Minute, Step: 30 * time.Minute,
		Price: appointments.Money{Amount: 800000, Currency: "ARS"}, Active: true}
	d.services = append(d.services, o)
	for i := range d.staff {
		d.staff[i].Services = append(d.staff[i].Services, o.ID)
	}
	return o.ID
}

// addStaff adds a person who works on all days but Sunday and performs everything.
func (d *desk) addStaff(name string, from, to int) id.Staff {
	m := appointments.Staff{ID: id.NewStaff(), Name: name, Location: d.location.ID, Active: true}
	for day := time.Monday; day <= time.Saturday; day++ {
		m.Hours = append(m.Hours, appointments.Shift{Day: day, From: appointments.Clock(from * 60), To: appointments.Clock(to * 60)})
	}
	for _, o := range d.services {
		m.Services = append(m.Services, o.ID)
	}
	d.staff = append(d.staff, m)
	return m.ID
}

func (d *desk) offering(want id.Service) appointments.Offering {
	for _, o := range d.services {
		if o.ID == want {
			return o
		}
	}
	return appointments.Offering{}
}

func (d *desk) person(want id.Staff) bot.Person {
	for _, m := range d.staff {
		if m.ID == want {
			return bot.Person{ID: m.ID, Name: m.Name}
		}
	}
	return bot.Person{}
}

func (d *desk) agenda(service id.Service, staff id.Staff, moving id.Appointment) *appointments.Agenda {
	plan := appointments.Plan{Location: d.location, Offering: d.offering(service), Busy: map[id.Staff][]appointments.Span{}}
	for _, m := range d.staff {
		if staff.IsZero() || staff == m.ID {
			plan.Staff = append(plan.Staff, m)
		}
	}
	for _, e := range d.booked {
		if e.status != "cancelled" && e.id != moving {
			span := appointments.Span{From: e.start, To: e.start.Add(d.offering(e.service).Duration)}
			plan.Busy[e.staff] = append(plan.Busy[e.staff], span)
		}
	}
	for staff := range plan.Busy {
		slices.SortFunc(plan.Busy[staff], func(a, b appointments.Span) int { return a.From.Compare(b.From) })
	}
	a, err := appointments.NewAgenda(plan, d.now)
	require.NoError(d.t, err)
	return a
}

// world is what the customer's conversation may look at.
func (d *desk) world(customer string) *bot.World {
	w := &bot.World{Now: d.now, Zone: d.zone, Business: "Peluquería Demo", Address: d.location.Address, Language: "es", Name: customer, Reminded: d.reminded}
	for _, o := range d.services {
		w.Services = append(w.Services, bot.Offering{ID: o.ID, Name: o.Name, Duration: o.Duration, Price: o.Price})
	}
	for _, m := range d.staff {
		w.Staff = append(w.Staff, bot.Person{ID: m.ID, Name: m.Name})
	}
	for _, e := range d.booked {
		if e.customer == customer && e.status != "cancelled" && e.start.After(d.now) {
			w.Appointments = append(w.Appointments, d.booking(e))
		}
	}
	slices.SortFunc(w.Appointments, func(a, b bot.Booking) int { return a.Start.Compare(b.Start) })
	w.Slots = func(q bot.SlotQuery) []bot.Slot {
		var out []bot.Slot
		for _, s := range d.agenda(q.Service, q.Staff, q.Moving).Slots(appointments.Span{From: q.From, To: q.To}, 0) {
			out = append(out, bot.Slot{Start: s.Start, Staff: bot.Person{ID: s.Staff.ID, Name: s.Staff.Name}})
		}
		return out
	}
	w.Open = func(day when.Date) []when.Span {
		var out []when.Span
		for _, s := range d.staff[0].Hours {
			if s.Day == day.Weekday() {
				out = append(out, when.Span{From: int(s.From), To: int(s.To)})
			}
		}
		return out
	}
	return w
}

func (d *desk) booking(e entry) bot.Booking {
	o := d.offering(e.service)
	return bot.Booking{ID: e.id, Start: e.start, Service: bot.Offering{ID: o.ID, Name: o.Name, Duration: o.Duration, Price: o.Price}, Staff: d.person(e.staff)}
}

// book writes an appointment down, without asking whether it may be.
func (d *desk) book(customer string, service id.Service, staff id.Staff, start time.Time) id.Appointment {
	e := entry{id: id.NewAppointment(), customer: customer, service: service, staff: staff, start: start, status: "booked"}
	d.booked = append(d.booked, e)
	return e.id
}

// carryOut does what an action asks for.
func (d *desk) carryOut(customer string, a bot.Action) bot.Outcome {
	if a.Kind == bot.DoBook {
		staff, ok := d.free(a.Service, a.Staff, a.Start, id.Appointment{})
		if !ok {
			return bot.Outcome{Action: a, Result: bot.NotFree}
		}
		d.book(customer, a.Service, staff, a.Start)
		return bot.Outcome{Action: a, Result: bot.Done, Booking: d.booking(d.booked[len(d.booked)-1])}
	}
	i := slices.IndexFunc(d.booked, func(e entry) bool { return e.id == a.Appointment })
	if i < 0 || d.booked[i].customer != customer {
		return bot.Outcome{Action: a, Result: bot.Gone}
	}
	e := &d.booked[i]
	switch {
	case e.status == "cancelled":
		return bot.Outcome{Action: a, Result: bot.Refused}
	case a.Kind == bot.DoCancel:
		e.status = "cancelled"
	case a.Kind == bot.DoConfirm:
		e.status = "confirmed"
	case a.Kind == bot.DoMove:
		want := a.Staff
		if want.IsZero() {
			want = e.staff
		}
		staff, ok := d.free(e.service, want, a.Start, e.id)
		if !ok {
			return bot.Outcome{Action: a, Result: bot.NotFree}
		}
		e.start, e.staff = a.Start, staff
	}
	return bot.Outcome{Action: a, Result: bot.Done, Booking: d.booking(*e)}
}

func (d *desk) free(service id.Service, staff id.Staff, start time.Time, moving id.Appointment) (id.Staff, bool) {
	ref, why := d.agenda(service, staff, moving).Choose(start)
	return ref.ID, why == appointments.Bookable
}
