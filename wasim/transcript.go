package wasim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Line is one message at one phone, as a transcript has it. A message between two phones is a line of each.
type Line struct {
	Phone     string    `json:"phone"` // whose phone shows it
	Seq       uint64    `json:"seq"`   // its place at that phone: lines with a greater one were shown later
	ID        string    `json:"id"`
	Direction string    `json:"direction"` // DirectionIn or DirectionOut
	Chat      string    `json:"chat"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Device    int       `json:"device"` // which of the sender's devices wrote it; 0 is the phone itself
	Type      string    `json:"type"`
	Text      string    `json:"text"`
	Timestamp time.Time `json:"timestamp"`
	Delivered []int     `json:"delivered"` // linked devices of the other side that have confirmed a message of this phone
}

// Transcript is a page of what phones have shown.
type Transcript struct {
	Items []Line `json:"items"` // by phone and, of each phone, in the order in which they were shown
	// Next continues behind the last line; empty when there is nothing more.
	Next string `json:"next,omitempty"`
	// Forgotten is how many messages all phones have forgotten: nothing can be concluded from what is missing unless it is zero.
	Forgotten int64 `json:"forgotten"`
}

// Transcript returns up to limit lines behind a point: the Next of an earlier page, or the beginning when it is empty. number
// narrows it down to one phone. What is shown meanwhile at phones that earlier pages have passed is not in it: a complete one is
// read when nothing moves. Errors: ErrInvalid, ErrNoWhatsApp.
func (n *Network) Transcript(number, after string, limit int) (Transcript, error) {
	everybody := n.everybody()
	if number != "" {
		a, err := n.phoneOf(number)
		if err != nil {
			return Transcript{}, err
		}
		everybody = []*account{a}
	}
	phone, place, _ := strings.Cut(after, ":")
	seq, err := strconv.ParseUint(place, 10, 64)
	if after != "" && err != nil {
		return Transcript{}, invalid("after", "is no place in a transcript")
	}
	first, isThere := slices.BinarySearchFunc(everybody, phone, func(a *account, phone string) int { return cmp.Compare(a.number(), phone) })
	t := Transcript{Items: []Line{}, Forgotten: n.stats.Forgotten.Load()}
	for i, a := range everybody[first:] {
		if i > 0 || !isThere {
			seq = 0
		}
		t.Items = a.phone.lines(t.Items, seq, limit)
		if len(t.Items) == limit {
			last := t.Items[limit-1]
			t.Next = last.Phone + ":" + strconv.FormatUint(last.Seq, 10)
			break
		}
	}
	return t, nil
}

// lines appends the phone's lines behind a place until there are limit of them.
func (p *phone) lines(list []Line, seq uint64, limit int) []Line {
	p.mu.Lock()
	defer p.mu.Unlock()
	number := p.account.number()
	for _, e := range p.history.after(seq) {
		if len(list) == limit {
			break
		}
		l := Line{Phone: number, Seq: e.Seq, ID: e.ID, Direction: e.Direction, Chat: e.Chat, From: e.From, To: e.To, Device: e.Device,
			Type: e.Type, Text: e.Text, Timestamp: e.Timestamp, Delivered: []int{}}
		for _, r := range e.Receipts {
			if r.By != number && r.Device != 0 && !slices.Contains(l.Delivered, r.Device) {
				l.Delivered = append(l.Delivered, r.Device)
			}
		}
		list = append(list, l)
	}
	return list
}
