package wasim

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// Group is a group of numbers. The first member made it and is its administrator.
type Group struct {
	ID      string    `json:"id"` // its address, "…@g.us"
	Subject string    `json:"subject"`
	Members []string  `json:"members"`
	Created time.Time `json:"created"`
}

// group is a Group as the network keeps it. It does not change.
type group struct {
	Group
	jid types.JID
}

// AddGroup makes a group. Errors: ErrInvalid, ErrNoWhatsApp.
func (n *Network) AddGroup(subject string, members []string) (Group, error) {
	if subject == "" {
		return Group{}, invalid("subject", "the subject is empty")
	}
	if len(members) == 0 {
		return Group{}, invalid("members", "a group has at least one member")
	}
	numbers := make([]string, 0, len(members))
	for i, m := range members {
		a, err := n.phoneAt("members["+strconv.Itoa(i)+"]", m)
		if err != nil {
			return Group{}, err
		}
		if !slices.Contains(numbers, a.number()) {
			numbers = append(numbers, a.number())
		}
	}
	g, generation := n.makeGroup(subject, numbers)
	out := n.newOutgoing()
	out.after(generation)
	n.announceGroup(g, out)
	return g.Group, out.release()
}

func (n *Network) makeGroup(subject string, numbers []string) (*group, uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id := 120_363_000_000_000_000 + uint64(len(n.groups)) + 1
	g := &group{jid: types.NewJID(strconv.FormatUint(id, 10), types.GroupServer)}
	g.Group = Group{ID: g.jid.String(), Subject: subject, Members: numbers, Created: n.now().UTC()}
	n.groups[g.jid.User] = g
	var c changes
	if raw, err := json.Marshal(g.Group); err == nil {
		c.put("grp/"+g.jid.User, raw)
	}
	return g, n.store.apply(c)
}

func (n *Network) findGroup(jid types.JID) *group {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.groups[jid.User]
}

// announceGroup tells all linked devices of the members that they are in a group.
func (n *Network) announceGroup(g *group, out *outgoing) {
	creation := []node{{Tag: "create", Attrs: attrs{"type": "new"}, Content: []node{n.describeGroup(g)}}}
	for _, number := range g.Members {
		for _, d := range n.account(number).linked() {
			out.add(d, node{Tag: "notification", Attrs: attrs{"from": g.jid, "type": "w:gp2", "id": n.newStanzaID(), "t": n.now().Unix(),
				"participant": n.account(g.Members[0]).pn}, Content: creation}, nil)
		}
	}
}

func (n *Network) describeGroup(g *group) node {
	members := make([]node, 0, len(g.Members))
	for i, number := range g.Members {
		a := n.account(number)
		m := attrs{"jid": a.pn, "lid": a.lid}
		if i == 0 {
			m["type"] = "superadmin"
		}
		members = append(members, node{Tag: "participant", Attrs: m})
	}
	owner := n.account(g.Members[0]).pn
	return node{Tag: "group", Attrs: attrs{"id": g.jid.User, "creator": owner, "creation": g.Created.Unix(), "subject": g.Subject,
		"s_t": g.Created.Unix(), "s_o": owner, "addressing_mode": "pn"}, Content: members}
}

func (c *conn) answerGroup(n, _ *node) error {
	g := c.net.findGroup(jidOf(n.Attrs["to"]))
	switch {
	case g == nil:
		c.replyError(n, 404, "item-not-found")
	case !slices.Contains(g.Members, c.device.account.number()):
		c.replyError(n, 403, "forbidden")
	default:
		c.reply(n, c.net.describeGroup(g))
	}
	return nil
}

func (c *conn) answerGroups(n, _ *node) error {
	var list []node
	for _, g := range c.net.allGroups() {
		if slices.Contains(g.Members, c.device.account.number()) {
			list = append(list, c.net.describeGroup(g))
		}
	}
	c.reply(n, node{Tag: "groups", Content: list})
	return nil
}

func (n *Network) allGroups() []*group {
	n.mu.RLock()
	defer n.mu.RUnlock()
	list := make([]*group, 0, len(n.groups))
	for _, g := range n.groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(x, y *group) int { return x.Created.Compare(y.Created) })
	return list
}

func (c *conn) answerCreateGroup(n, child *node) error {
	numbers := []string{c.device.account.number()}
	for _, p := range child.GetChildrenByTag("participant") {
		if a := c.net.lookup(jidOf(p.Attrs["jid"])); a != nil && !slices.Contains(numbers, a.number()) {
			numbers = append(numbers, a.number())
		}
	}
	g, generation := c.net.makeGroup(text(child.Attrs["subject"]), numbers)
	out := c.net.newOutgoing()
	out.after(generation)
	c.net.announceGroup(g, out)
	if err := out.release(); err != nil {
		return err
	}
	c.reply(n, c.net.describeGroup(g))
	return nil
}

// Groups returns all groups, the oldest first.
func (n *Network) Groups() []Group {
	groups := n.allGroups()
	list := make([]Group, 0, len(groups))
	for _, g := range groups {
		list = append(list, g.Group)
	}
	return list
}
