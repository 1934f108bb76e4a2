package bot

// conclude says what became of an action.
func (t *turn) conclude(o Outcome) {
	if o.Result == Done {
		t.done(o)
		return
	}
	switch {
	case o.Result == NotFree && (o.Action.Kind == DoBook || o.Action.Kind == DoMove):
		t.s.Choice = nil
		t.say(KeyTaken, Vars{"start": o.Action.Start})
		t.offerNearest(o.Action.Start, false)
	case o.Result == Refused:
		t.s = t.s.settled()
		t.ask(AskedPerson, KeyRefused, nil, Option{Kind: OptPerson}, Option{Kind: OptBook})
	default:
		t.gone()
	}
}

func (t *turn) done(o Outcome) {
	key := map[ActionKind]Key{DoBook: KeyBooked, DoMove: KeyMoved, DoCancel: KeyCancelled, DoConfirm: KeyConfirmed}[o.Action.Kind]
	more := t.s.More && o.Action.Kind == DoBook
	t.s = t.s.settled()
	t.say(key, t.about(o.Booking))
	if more {
		t.askNext()
	}
}

// gone answers what refers to an appointment or a service that is not there any more.
func (t *turn) gone() {
	t.s = t.s.settled()
	t.ask(AskedTask, KeyGone, nil, t.tasks()...)
}
