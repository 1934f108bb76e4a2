package wasim

import (
	"strings"

	"go.mau.fi/whatsmeow/types"
)

// answerUsync answers the look-up of people: which numbers are on WhatsApp, their LIDs, their devices.
func (c *conn) answerUsync(n, child *node) error {
	asked := child.GetChildByTag("query")
	wanted := map[string]*node{}
	questions := asked.GetChildren()
	for i := range questions {
		wanted[questions[i].Tag] = &questions[i]
	}
	list := child.GetChildByTag("list")
	users := list.GetChildren()
	answers := make([]node, 0, len(users))
	for i := range users {
		answers = append(answers, c.net.describe(&users[i], wanted))
	}
	results := make([]node, 0, len(questions))
	for _, q := range questions {
		results = append(results, node{Tag: q.Tag})
	}
	c.reply(n, node{Tag: "usync", Attrs: attrs{"sid": text(child.Attrs["sid"]), "mode": text(child.Attrs["mode"]),
		"context": text(child.Attrs["context"]), "index": "0", "last": "true"},
		Content: []node{{Tag: "result", Content: results}, {Tag: "list", Content: answers}}})
	return nil
}

// describe answers what is wanted about one person, asked for by address or by number.
func (n *Network) describe(user *node, wanted map[string]*node) node {
	jid := jidOf(user.Attrs["jid"])
	contact := string(content(user, "contact"))
	if jid.IsEmpty() {
		jid = contactJID(contact)
	}
	a := n.lookup(jid)
	answer := node{Tag: "user", Attrs: attrs{"jid": jid}}
	if q := wanted["contact"]; q != nil {
		kind := "out"
		if a != nil {
			kind = "in"
			answer.Attrs["jid"] = a.addressed(jid)
			if text(q.Attrs["addressing_mode"]) == "lid" {
				answer.Attrs["jid"], answer.Attrs["pn_jid"] = a.lid, a.pn
			}
		}
		answer.Content = []node{{Tag: "contact", Attrs: attrs{"type": kind}, Content: []byte(contact)}}
	}
	if a == nil {
		return answer
	}
	about := answer.GetChildren()
	if wanted["devices"] != nil {
		about = append(about, a.deviceList(n.now().Unix()))
	}
	if wanted["lid"] != nil {
		about = append(about, node{Tag: "lid", Attrs: attrs{"val": a.lid}})
	}
	if wanted["status"] != nil {
		about = append(about, node{Tag: "status", Content: []byte("Hey there! I am using WhatsApp.")})
	}
	if wanted["disappearing_mode"] != nil {
		about = append(about, node{Tag: "disappearing_mode", Attrs: attrs{"duration": 0, "t": 0}})
	}
	answer.Content = about
	return answer
}

// contactJID reads a number as clients put it into <contact>: "+5491155550001", with or without a server behind it.
func contactJID(contact string) types.JID {
	user, _, _ := strings.Cut(contact, "@")
	number, err := parseNumber("contact", user)
	if err != nil {
		return types.NewJID(strings.TrimPrefix(user, "+"), types.DefaultUserServer)
	}
	return types.NewJID(number, types.DefaultUserServer)
}

func (a *account) deviceList(now int64) node {
	list := []node{{Tag: "device", Attrs: attrs{"id": 0}}}
	for _, d := range a.linked() {
		list = append(list, node{Tag: "device", Attrs: attrs{"id": int(d.number), "key-index": int(d.number)}})
	}
	return node{Tag: "devices", Content: []node{{Tag: "device-list", Content: list}, {Tag: "key-index-list", Attrs: attrs{"ts": now}}}}
}
