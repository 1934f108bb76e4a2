package wasim

import (
	"encoding/json"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow/types"
)

const (
	// RestrictAllCompanions refuses every one-to-one message of an account's linked devices. The phone itself may go on writing.
	RestrictAllCompanions = "RESTRICT_ALL_COMPANIONS"
	// RestrictNewChats refuses the messages of linked devices to people who have never written to the account.
	RestrictNewChats = "DEFAULT"

	// codeRestricted is the error of a message that a restriction refuses.
	codeRestricted = 463
	// defaultRestriction is how long an account is restricted unless it is said.
	defaultRestriction = time.Hour
	// timelockQuery names the question about an account's restriction among the stored queries of w:mex.
	timelockQuery = "23983697327930364"
)

// Restriction is the lock by which the network keeps an account from reaching out ("reach-out time lock"): messages are refused
// with error 463 and the linked devices are told until when, by a notification of w:mex.
type Restriction struct {
	Type  string    `json:"type"` // RestrictAllCompanions or RestrictNewChats
	Until time.Time `json:"until"`
}

// Restrict locks an account for a time; kind is RestrictAllCompanions when empty, the time an hour when zero. It ends by itself,
// also over a restart of the network. Errors: ErrInvalid, ErrNoWhatsApp.
func (n *Network) Restrict(number, kind string, d time.Duration) (Phone, error) {
	a, err := n.phoneOf(number)
	if err != nil {
		return Phone{}, err
	}
	if err = n.restrict(a, kind, d); err != nil {
		return Phone{}, err
	}
	return a.public(), nil
}

// Lift ends an account's restriction; one that has none stays as it is. Errors: ErrInvalid, ErrNoWhatsApp.
func (n *Network) Lift(number string) (Phone, error) {
	a, err := n.phoneOf(number)
	if err != nil {
		return Phone{}, err
	}
	if err = n.lift(a, time.Time{}); err != nil {
		return Phone{}, err
	}
	return a.public(), nil
}

func (n *Network) restrict(a *account, kind string, d time.Duration) error {
	if err := checkRestriction(kind); err != nil {
		return err
	}
	if kind == "" {
		kind = RestrictAllCompanions
	}
	if d < 0 || d > maxFaultDuration*time.Second {
		return invalid("seconds", "must be from 0 to a year")
	}
	if d == 0 {
		d = defaultRestriction
	}
	until := n.now().Add(d).UTC().Truncate(time.Second)
	a.mu.Lock()
	a.restriction = &Restriction{kind, until}
	var c changes
	a.save(&c)
	generation := n.store.apply(c)
	a.mu.Unlock()
	n.log.Info("account restricted", "type", kind, "until", until)
	n.liftLater(a, until)
	return n.announceRestriction(a, generation)
}

func checkRestriction(kind string) error {
	if kind != "" && kind != RestrictAllCompanions && kind != RestrictNewChats {
		return invalid("type", "must be "+RestrictAllCompanions+" or "+RestrictNewChats)
	}
	return nil
}

// lift ends a restriction: the one that ends at a time, or any when the time is zero.
func (n *Network) lift(a *account, until time.Time) error {
	a.mu.Lock()
	if a.restriction == nil || !until.IsZero() && !a.restriction.Until.Equal(until) {
		a.mu.Unlock()
		return nil
	}
	a.restriction = nil
	var c changes
	a.save(&c)
	generation := n.store.apply(c)
	a.mu.Unlock()
	n.log.Info("restriction lifted")
	return n.announceRestriction(a, generation)
}

// liftLater ends a restriction when its time is over, unless the network has ended before.
func (n *Network) liftLater(a *account, until time.Time) {
	time.AfterFunc(max(until.Sub(n.now()), 0), func() {
		if !n.enter() {
			return
		}
		defer n.wg.Done()
		if err := n.lift(a, until); err != nil {
			n.log.Error("restriction not lifted", "error", err)
		}
	})
}

// restricted returns the restriction in force, or nil.
func (a *account) restricted() *Restriction {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.restriction == nil || !a.net.now().Before(a.restriction.Until) {
		return nil
	}
	r := *a.restriction
	return &r
}

// refuses says whether a message of the account's linked devices to another account must be refused.
func (r *Restriction) refuses(from, to *account) bool {
	if r == nil || to == from {
		return false
	}
	return r.Type == RestrictAllCompanions || !from.phone.hasHeardFrom(to)
}

// timelock is a restriction as clients read it. Times are seconds since 1970 as text.
type timelock struct {
	Type   string `json:"enforcement_type,omitempty"`
	Active bool   `json:"is_active"`
	Ends   string `json:"time_enforcement_ends,omitempty"`
}

func (r *Restriction) timelock() timelock {
	if r == nil {
		return timelock{}
	}
	return timelock{r.Type, true, strconv.FormatInt(r.Until.Unix(), 10)}
}

// announceRestriction tells an account's linked devices whether it is restricted, once the change is kept.
func (n *Network) announceRestriction(a *account, generation uint64) error {
	body, err := json.Marshal(map[string]any{"data": map[string]any{"xwa2_notify_account_reachout_timelock": a.restricted().timelock()}})
	if err != nil {
		return err
	}
	out := n.newOutgoing()
	out.after(generation)
	for _, d := range a.linked() {
		out.add(d, node{Tag: "notification", Attrs: attrs{"from": types.ServerJID, "type": "mex", "id": n.newStanzaID(), "t": n.now().Unix()},
			Content: []node{{Tag: "update", Attrs: attrs{"op_name": "NotificationUserReachoutTimelockUpdate"}, Content: body}}}, nil)
	}
	return out.release()
}

// answerStored answers the one stored query of w:mex that the network knows: is the account restricted?
func (c *conn) answerStored(n, child *node) error {
	if text(child.Attrs["query_id"]) != timelockQuery {
		c.net.stats.UnknownQueries.Add(1)
		c.replyError(n, 501, "feature-not-implemented")
		return nil
	}
	body, err := json.Marshal(map[string]any{"data": map[string]any{
		"xwa2_fetch_account_reachout_timelock": c.device.account.restricted().timelock()}})
	if err != nil {
		return err
	}
	c.reply(n, node{Tag: "result", Content: body})
	return nil
}
