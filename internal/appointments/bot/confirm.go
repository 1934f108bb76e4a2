package bot

import (
	"time"

	"turnero/internal/appointments/when"
)

// summarize shows what is about to be booked or moved and asks for the yes.
func (t *turn) summarize(o Option) {
	if o.Start.Before(t.w.Now) {
		t.say(KeyPast)
		t.offerNearest(t.w.Now, false)
		return
	}
	if b, ok := t.w.appointment(t.s.Target); ok && t.s.Task == Reschedule && b.Start.Equal(o.Start) && (o.Staff.IsZero() || o.Staff == b.Staff.ID) {
		t.say(KeySameTime, t.about(b))
		t.listSlots(KeySlots, t.pick(t.search(), when.Option{}))
		return
	}
	t.s.Choice = &o
	t.noteShown(o.Start)
	if b, ok := t.overlapped(); ok {
		t.askAnother(b)
		return
	}
	t.askConfirm()
}

// overlapped gives the customer's own appointment that the one about to be booked would overlap, unless they know of it.
func (t *turn) overlapped() (Booking, bool) {
	if t.s.Task != Book || t.s.Another {
		return Booking{}, false
	}
	return t.ownAt(t.s.Choice.Start)
}

// ownAt gives the customer's own appointment that one of the chosen service would overlap if it began at the instant.
func (t *turn) ownAt(from time.Time) (Booking, bool) {
	service, _ := t.w.service(t.s.Service)
	to := from.Add(max(service.Duration, time.Minute))
	for _, b := range t.w.Appointments {
		if b.Start.Before(to) && from.Before(b.Start.Add(max(b.Service.Duration, time.Minute))) {
			return b, true
		}
	}
	return Booking{}, false
}

// askAnother asks whether the customer wants an appointment at the time of one that they have: it may be for somebody else,
// or the same wish said twice.
func (t *turn) askAnother(b Booking) {
	t.ask(AskedAnother, KeyOverlaps, t.about(b), Option{Kind: OptYes}, Option{Kind: OptOtherTime}, Option{Kind: OptNo})
}

// askConfirm asks the question whose yes books, moves or cancels.
func (t *turn) askConfirm() {
	switch b, found := t.w.appointment(t.s.Target); {
	case t.s.Task == Cancel && found:
		t.ask(AskedConfirm, KeyConfirmCancel, t.about(b), Option{Kind: OptYes}, Option{Kind: OptOtherTime}, Option{Kind: OptNo})
	case t.s.Task == Reschedule && found && t.s.Choice != nil:
		t.ask(AskedConfirm, KeyConfirmMove, Vars{"service": b.Service.Name, "old": b.Start, "start": t.s.Choice.Start, "staff": t.staffName(t.s.Choice.Staff)},
			Option{Kind: OptYes}, Option{Kind: OptOtherTime}, Option{Kind: OptNo})
	case t.s.Task == Book && t.s.Choice != nil:
		service, _ := t.w.service(t.s.Service)
		t.ask(AskedConfirm, KeyConfirmBook, Vars{"service": service.Name, "price": service.Price, "start": t.s.Choice.Start, "staff": t.staffName(t.s.Choice.Staff),
			"business": t.w.Business, "address": t.w.Address}, Option{Kind: OptYes}, Option{Kind: OptOtherTime}, Option{Kind: OptNo})
	default:
		t.gone()
	}
}

// accept asks for what the summary says to be done.
func (t *turn) accept() {
	switch {
	case t.s.Asked == AskedAnother && t.s.Choice != nil:
		t.s.Another = true
		t.summarize(*t.s.Choice)
	case t.s.Asked != AskedConfirm:
		t.miss()
	case t.s.Task == Cancel:
		t.do(Action{Kind: DoCancel, Appointment: t.s.Target})
	case t.s.Choice == nil:
		t.gone()
	case t.s.Task == Reschedule:
		t.do(Action{Kind: DoMove, Appointment: t.s.Target, Start: t.s.Choice.Start, Staff: t.s.Choice.Staff})
	case t.s.Task == Book:
		if b, ok := t.overlapped(); ok { // made elsewhere since the summary
			t.askAnother(b)
			return
		}
		t.do(Action{Kind: DoBook, Service: t.s.Service, Start: t.s.Choice.Start, Staff: t.s.Choice.Staff})
	}
}

// decline takes a no to the summary: other times for a booking or a move, and all as it was for a cancellation.
func (t *turn) decline() {
	if t.s.Task == Cancel {
		t.drop()
		return
	}
	t.say(map[Task]Key{Book: KeyNotBooked, Reschedule: KeyNotMoved}[t.s.Task])
	t.more()
}

// drop ends what is being done; nothing was changed.
func (t *turn) drop() {
	task, target := t.s.Task, t.s.Target
	t.s = t.s.settled()
	if b, ok := t.w.appointment(target); ok && task != Book {
		t.say(KeyKept, t.about(b))
		return
	}
	t.say(KeyDropped)
	if task == Book && len(t.w.Appointments) > 0 {
		t.say(KeyHowToCancel, t.about(t.w.Appointments[0]))
	}
}
