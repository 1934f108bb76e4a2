package wasim

import (
	"go.mau.fi/whatsmeow/types"
)

// query is one kind of question that clients ask in an <iq>, and what answers it.
type query struct {
	xmlns  string
	kind   string // get, set or empty for either
	tag    string // of the first child, empty for any
	isOpen bool   // may be asked before login
	answer func(c *conn, n, child *node) error
}

// queries is searched from the top. What is not in it is refused at once, because a client waits more than a minute for an
// answer that does not come.
var queries = []query{
	{xmlns: "w:p", isOpen: true, answer: answerEmpty},
	{xmlns: "md", kind: "set", tag: "link_code_companion_reg", isOpen: true, answer: (*conn).answerLinkCode},
	{xmlns: "md", kind: "set", tag: "remove-companion-device", answer: (*conn).answerRemoveDevice},
	{xmlns: "encrypt", kind: "get", tag: "count", answer: (*conn).answerKeyCount},
	{xmlns: "encrypt", kind: "get", tag: "key", answer: (*conn).answerBundles},
	{xmlns: "encrypt", kind: "set", tag: "rotate", answer: (*conn).answerRotate},
	{xmlns: "encrypt", kind: "set", answer: (*conn).answerUpload},
	{xmlns: "passive", kind: "set", answer: (*conn).handlePassive},
	{xmlns: "usync", kind: "get", tag: "usync", answer: (*conn).answerUsync},
	{xmlns: "w:mex", kind: "get", tag: "query", answer: (*conn).answerStored},
	{xmlns: "w:m", tag: "media_conn", answer: answerMediaConn},
	{xmlns: "w:sync:app:state", kind: "set", tag: "sync", answer: (*conn).answerAppState},
	{xmlns: "w:g2", kind: "get", tag: "query", answer: (*conn).answerGroup},
	{xmlns: "w:g2", kind: "get", tag: "participating", answer: (*conn).answerGroups},
	{xmlns: "w:g2", kind: "set", tag: "create", answer: (*conn).answerCreateGroup},
	{xmlns: "privacy", kind: "set", tag: "tokens", answer: (*conn).answerTokens},
	{xmlns: "privacy", kind: "get", answer: answerPrivacy},
	{xmlns: "blocklist", kind: "get", answer: answerBlocklist},
	{xmlns: "disappearing_mode", kind: "get", answer: answerDisappearing},
	{xmlns: "w", kind: "get", tag: "props", answer: answerProps},
	{xmlns: "abt", kind: "get", tag: "props", answer: answerProps},
	{xmlns: "urn:xmpp:whatsapp:push", answer: answerEmpty},
	{xmlns: "urn:xmpp:whatsapp:dirty", kind: "set", answer: answerEmpty},
	{xmlns: "w:profile:picture", kind: "get", answer: answerNotFound},
	{xmlns: "status", kind: "get", tag: "privacy", answer: answerNotFound},
	{xmlns: "w:biz", kind: "get", answer: answerNotFound},
}

// handleQuery answers an <iq> of the client, or takes its answer to one of ours.
func (c *conn) handleQuery(n *node) error {
	kind := text(n.Attrs["type"])
	if kind == "result" || kind == "error" {
		return c.handleResult(n)
	}
	c.net.stats.Queries.Add(1)
	xmlns := text(n.Attrs["xmlns"])
	child := &node{}
	if children := n.GetChildren(); len(children) > 0 {
		child = &children[0]
	}
	switch code, isSilent := c.net.faults.onQuery(c, xmlns, child.Tag); {
	case isSilent:
		c.net.frames.add(c, "dropped", n, "answer")
		return nil
	case code != 0:
		c.replyError(n, code, "injected")
		return nil
	}
	for i := range queries {
		q := &queries[i]
		if q.xmlns != xmlns || (q.kind != "" && q.kind != kind) || (q.tag != "" && q.tag != child.Tag) {
			continue
		}
		if c.device == nil && !q.isOpen {
			c.replyError(n, 401, "not-authorized")
			return nil
		}
		return q.answer(c, n, child)
	}
	c.net.stats.UnknownQueries.Add(1)
	c.net.log.Warn("query not implemented", "xmlns", xmlns, "type", kind, "child", child.Tag)
	c.replyError(n, 501, "feature-not-implemented")
	return nil
}

// handleResult takes an answer to a query of the network. Only linking has any.
func (c *conn) handleResult(n *node) error {
	if c.link != nil {
		return c.link.confirm(n)
	}
	return nil
}

func (c *conn) reply(n *node, children ...node) {
	answer := node{Tag: "iq", Attrs: attrs{"from": answerer(n), "type": "result", "id": n.Attrs["id"]}}
	if len(children) > 0 {
		answer.Content = children
	}
	c.send(answer)
}

func (c *conn) replyError(n *node, code int, reason string) {
	c.send(node{Tag: "iq", Attrs: attrs{"from": answerer(n), "type": "error", "id": n.Attrs["id"]},
		Content: []node{{Tag: "error", Attrs: attrs{"code": code, "text": reason}}}})
}

// answerer is the address that a query was put to.
func answerer(n *node) types.JID {
	if to, ok := n.Attrs["to"].(types.JID); ok {
		return to
	}
	return types.ServerJID
}

func answerEmpty(c *conn, n, _ *node) error {
	c.reply(n)
	return nil
}

func answerNotFound(c *conn, n, _ *node) error {
	c.replyError(n, 404, "item-not-found")
	return nil
}

func answerProps(c *conn, n, child *node) error {
	c.reply(n, node{Tag: "props", Attrs: attrs{"protocol": text(child.Attrs["protocol"]), "hash": "", "refresh": 86400}})
	return nil
}

func answerDisappearing(c *conn, n, _ *node) error {
	c.reply(n, node{Tag: "disappearing_mode", Attrs: attrs{"duration": 0, "t": 0}})
	return nil
}

func answerBlocklist(c *conn, n, _ *node) error {
	c.reply(n, node{Tag: "list", Attrs: attrs{"dhash": "0"}})
	return nil
}

func answerPrivacy(c *conn, n, _ *node) error {
	settings := [][2]string{{"readreceipts", "all"}, {"last", "all"}, {"online", "all"}, {"profile", "all"}, {"status", "all"},
		{"groupadd", "all"}, {"calladd", "all"}, {"messages", "all"}, {"defense", "off"}, {"stickers", "contacts"}}
	categories := make([]node, len(settings))
	for i, s := range settings {
		categories[i] = node{Tag: "category", Attrs: attrs{"name": s[0], "value": s[1]}}
	}
	c.reply(n, node{Tag: "privacy", Content: categories})
	return nil
}

// answerRemoveDevice unlinks a device of the account at the request of one of them: logging out.
func (c *conn) answerRemoveDevice(n, child *node) error {
	jid := jidOf(child.Attrs["jid"])
	target := c.device
	if jid.Device != 0 {
		target = c.device.account.device(jid.Device)
	}
	if target == nil || jid.User != c.device.jid.User && jid.User != c.device.lid.User {
		c.replyError(n, 404, "item-not-found")
		return nil
	}
	c.reply(n)
	return c.net.unlink(target, target != c.device)
}
