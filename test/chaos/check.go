package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"turnero/test/drive"
)

// arrived is a message where it was to arrive.
type arrived struct {
	Text, ID, Status string
	At               time.Time
}

// isOn are the states of a message that the network has taken.
var isOn = []string{"sent", "delivered", "read", "played"}

// flaw is one thing that is wrong with a chat.
type flaw struct {
	what string
	at   time.Time // of what it is about
	kind string
}

// compare finds what is lost, doubled, unexpected, under another ID or out of order.
func compare(want []text, got []arrived, where string) (flaws []flaw) {
	place := make(map[string]int, len(want))
	for i, x := range want {
		place[x.Text] = i
	}
	found := make(map[string]arrived, len(got))
	highest, highestText := -1, ""
	for _, g := range got {
		i, isKnown := place[g.Text]
		if !isKnown {
			flaws = append(flaws, flaw{fmt.Sprintf("%q (ID %s) is %s and was never accepted", g.Text, g.ID, where), g.At, "unexpected"})
			continue
		}
		if first, isAgain := found[g.Text]; isAgain {
			flaws = append(flaws, flaw{fmt.Sprintf("%q is %s twice, with the IDs %s (%s) and %s (%s)", g.Text, where, first.ID, first.At.Format(clock), g.ID, g.At.Format(clock)), want[i].At, "doubled"})
			continue
		}
		found[g.Text] = g
		if want[i].ID != g.ID {
			flaws = append(flaws, flaw{fmt.Sprintf("%q is %s under the ID %s, not %s", g.Text, where, g.ID, want[i].ID), want[i].At, "renamed"})
		}
		if i < highest {
			flaws = append(flaws, flaw{fmt.Sprintf("%q (ID %s) is %s behind %q", g.Text, g.ID, where, highestText), want[i].At, "order"})
		} else {
			highest, highestText = i, g.Text
		}
	}
	for _, x := range want {
		if _, ok := found[x.Text]; !ok {
			flaws = append(flaws, flaw{fmt.Sprintf("%q (ID %s, accepted at %s after %d tries) is not %s", x.Text, x.ID, x.Accepted.UTC().Format(clock), x.Tries, where), x.At, "lost"})
		}
	}
	return flaws
}

// flaws compares both ends of a chat with what was accepted.
func (c *campaign) flaws(ctx context.Context, chat *chat) ([]flaw, error) {
	out, in := chat.texts()
	inbox, err := c.sim.inbox(ctx, chat.number())
	if err != nil {
		return nil, err
	}
	var atPhone []arrived
	for _, m := range inbox {
		atPhone = append(atPhone, arrived{m.Text, m.ID, "", m.Timestamp})
	}
	outgoing, incoming, err := c.messages(ctx, chat)
	if err != nil {
		return nil, err
	}
	flaws := compare(out, atPhone, "at the phone "+chat.number())
	flaws = append(flaws, compare(out, outgoing, "in the API's chat")...)
	flaws = append(flaws, compare(in, incoming, "in the API's chat")...)
	for _, m := range outgoing {
		if !slices.Contains(isOn, m.Status) {
			flaws = append(flaws, flaw{fmt.Sprintf("%q (ID %s) is %q in the API", m.Text, m.ID, m.Status), m.At, "status"})
		}
	}
	return flaws, nil
}

// messages lists what the API has of a chat, oldest first.
func (c *campaign) messages(ctx context.Context, chat *chat) (outgoing, incoming []arrived, err error) {
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				WhatsAppID string    `json:"whatsappId"`
				Direction  string    `json:"direction"`
				Text       string    `json:"text"`
				Status     string    `json:"status"`
				Timestamp  time.Time `json:"timestamp"`
			} `json:"items"`
			NextCursor string `json:"nextCursor"`
		}
		_, err := c.insist(ctx, chat.session.tenant, "GET", chat.path()+"&limit=100&cursor="+url.QueryEscape(cursor), nil, &page)
		if err != nil {
			if out, in := chat.texts(); len(out)+len(in) == 0 {
				return nil, nil, nil // nobody has written: there is no such chat
			}
			return nil, nil, err
		}
		for _, m := range page.Items {
			a := arrived{m.Text, m.WhatsAppID, m.Status, m.Timestamp}
			if m.Direction == "out" {
				outgoing = append(outgoing, a)
			} else {
				incoming = append(incoming, a)
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			slices.Reverse(outgoing)
			slices.Reverse(incoming)
			return outgoing, incoming, nil
		}
	}
}

// check waits until every chat is as it must be, or long enough, and notes what is not. Then it looks once more at all of them: what
// arrives twice may do so late.
func (c *campaign) check(ctx context.Context) {
	deadline, left := time.Now().Add(c.o.calm), c.chats
	for len(left) > 0 && time.Now().Before(deadline) && ctx.Err() == nil {
		left = c.flawed(ctx, left, func(*chat, []flaw, error) {})
		if len(left) > 0 {
			last(ctx, time.Second)
		}
	}
	last(ctx, 2*time.Second)
	counts := map[string]int{}
	c.flawed(ctx, c.chats, func(chat *chat, flaws []flaw, err error) {
		if err != nil {
			c.blame("chat %d cannot be read: %v", chat.index, err)
		}
		for _, f := range flaws {
			if counts[f.kind]++; counts[f.kind] <= 20 {
				c.blame("line %d (%s, %s): %s%s", chat.session.index, chat.session.id, chat.session.number(), f.what, c.around(f.at))
			}
		}
	})
	for kind, n := range counts {
		if n > 20 {
			c.blame("%d texts are %s in all", n, kind)
		}
	}
}

// flawed gives the chats that are not as they must be, and tells each.
func (c *campaign) flawed(ctx context.Context, chats []*chat, tell func(*chat, []flaw, error)) []*chat {
	results := make([]struct {
		flaws []flaw
		err   error
	}, len(chats))
	_ = drive.InParallel(len(chats), 4, func(i int) error { // errors are told below
		results[i].flaws, results[i].err = c.flaws(ctx, chats[i])
		return nil
	})
	var left []*chat
	for i, r := range results {
		if len(r.flaws) > 0 || r.err != nil {
			left = append(left, chats[i])
			tell(chats[i], r.flaws, r.err)
		}
	}
	return left
}

// checkEvents compares what the listeners saw with the whole log, and the log with what was written.
func (c *campaign) checkEvents(ctx context.Context) (total int) {
	for _, t := range c.tenants {
		log, err := t.listener.log(ctx)
		if err != nil {
			c.blame("events cannot be read: %v", err)
			continue
		}
		total += len(log)
		unseen := t.listener.unseen(log)
		for deadline := time.Now().Add(10 * time.Second); len(unseen) > 0 && time.Now().Before(deadline); unseen = t.listener.unseen(log) {
			last(ctx, 100*time.Millisecond)
		}
		received := map[string][]arrived{}
		for _, e := range log {
			if e.name == "message.received" {
				chat, _, _ := strings.Cut(e.text, ".")
				received[chat] = append(received[chat], arrived{Text: e.text})
			}
		}
		if len(unseen) > 0 {
			c.blame("%d of %d events did not reach the listener that resumed from its cursor:%s", len(unseen), len(log),
				joined(unseen, 5, func(e event) string { return fmt.Sprintf("event %d %s %s", e.seq, e.name, e.text) }))
		}
		for _, chat := range c.chats {
			if chat.session.tenant != t {
				continue
			}
			_, in := chat.texts()
			for i := range in {
				in[i].ID = "" // events of the stream are compared by their texts
			}
			for _, f := range compare(in, received[fmt.Sprintf("in %d", chat.index)], "in the events") {
				c.blame("line %d (%s): %s%s", chat.session.index, chat.session.id, f.what, c.around(f.at))
			}
		}
	}
	return total
}
