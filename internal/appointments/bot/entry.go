package bot

import (
	"time"

	"turnero/internal/appointments/when"
)

// entry is the line of a menu's entry.
func (t *turn) entry(o Option, n int) Line {
	vars := Vars{"n": n}
	switch o.Kind {
	case OptService:
		s, _ := t.w.service(o.Service)
		vars["service"], vars["minutes"], vars["price"] = s.Name, int(s.Duration/time.Minute), s.Price
		return Line{keyEntryService, vars}
	case OptSlot:
		vars["start"], vars["staff"] = o.Start, t.staffName(o.Staff)
		return Line{keyEntrySlot, vars}
	case OptAppointment:
		b, _ := t.w.appointment(o.Appointment)
		vars["service"], vars["start"] = b.Service.Name, b.Start
		return Line{keyEntryAppointment, vars}
	case OptWhen:
		return t.entryWhen(*o.When, vars)
	}
	return Line{t.entryKey(o.Kind), vars}
}

func (t *turn) entryKey(kind OptionKind) Key {
	switch kind {
	case OptYes:
		if t.s.Asked == AskedAnother {
			return keyEntryYesAnother
		}
		return map[Task]Key{Book: keyEntryYesBook, Reschedule: keyEntryYesMove, Cancel: keyEntryYesCancel}[t.s.Task]
	case OptNo:
		if t.s.Asked == AskedNext {
			return keyEntryNoNext
		}
		if t.s.Task == Book {
			return keyEntryNoBook
		}
		return keyEntryNoKeep
	case OptOtherTime:
		if t.s.Task == Cancel {
			return keyEntryOtherCancel
		}
		return keyEntryOtherTime
	}
	return map[OptionKind]Key{OptMore: keyEntryMore, OptBook: keyEntryBook, OptMine: keyEntryMine, OptMove: keyEntryMove, OptCancel: keyEntryCancel, OptPerson: keyEntryPerson}[kind]
}

// entryWhen is the line of one reading of a date or an hour.
func (t *turn) entryWhen(o when.Option, vars Vars) Line {
	vars["date"] = o.From
	date, single := o.Date()
	minute, isTime := o.Hours.Minute()
	switch {
	case isTime && single:
		vars["date"], vars["minute"] = date, minute
		return Line{keyEntryWhenBoth, vars}
	case isTime:
		vars["minute"] = minute
		return Line{keyEntryWhenHour, vars}
	case o.Hours.Shape != when.AnyHour:
		vars["minute"], vars["end"] = o.Hours.From, o.Hours.To
		if o.Hours.Shape == when.NotBefore {
			vars["end"] = 24*60 - 1
		}
		return Line{keyEntryWhenPart, vars}
	case !single && !o.To.IsZero():
		vars["until"] = o.To
		return Line{keyEntryWhenRange, vars}
	}
	return Line{keyEntryWhenDate, vars}
}
