package bot

// wantsSeveral answers who wants more than one appointment: they are booked one after the other. It reports false when the
// words are about one only.
func (t *turn) wantsSeveral() bool {
	w := t.r.words
	oneMore := w.has(t.lex.forOther...) && w.has(t.lex.oneMore...)
	switch {
	case t.s.Task == Reschedule && t.s.Asked != AskedNothing, t.s.Task == Cancel, !oneMore && !w.has(t.lex.forTwo...), w.has(t.lex.haveOwn...), w.has(t.lex.cannotCome...):
		return false
	case t.s.Asked == AskedNext: // what they have said already
		t.next()
		return true
	case !t.isChoosing():
		t.greet(false)
		t.s = t.s.begin(Book)
		if oneMore && len(t.w.Appointments) > 0 {
			t.s.Another = true
			t.takeNamed()
			t.proceed()
			return true
		}
	case oneMore && t.s.Asked == AskedAnother:
		t.s.Another = true
		t.takeNamed()
		t.proceed()
		return true
	}
	t.s.More = true
	t.say(KeyOneAtATime)
	if t.takeNamed() || len(t.s.Menu) == 0 {
		t.proceed()
		return true
	}
	t.repeat()
	return true
}

// takeNamed notes the service, the time and the person that the words name, and reports whether there were any.
func (t *turn) takeNamed() bool {
	named := t.takeService()
	t.takeWish()
	return named || t.r.hasWhen() || t.r.staff != nil
}

// askNext offers to book the next appointment, once the first is made.
func (t *turn) askNext() {
	t.ask(AskedNext, KeyAskNext, nil, Option{Kind: OptBook}, Option{Kind: OptNo})
}

// answersNext reads the answer to "shall we book the next one".
func (t *turn) answersNext() bool {
	w, lex := t.r.words, t.lex
	switch {
	case t.r.isNo(lex), w.only(lex.leave, lex.no, lex.leaveFillers, lex.fillers):
		t.enough()
	case t.r.hasWhen(), len(t.r.services) > 0, t.r.isYes(lex), w.only(lex.another, lex.yes, lex.yesFillers, lex.fillers), w.has(lex.forOther...):
		t.next()
	default:
		return false
	}
	return true
}

func (t *turn) next() {
	t.s = t.s.begin(Book)
	t.takeNamed()
	t.proceed()
}

// enough ends what was about several appointments with those that were made.
func (t *turn) enough() {
	t.s = t.s.settled()
	t.say(KeyWelcome)
}
