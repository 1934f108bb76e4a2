package wameow

import (
	"context"
	"fmt"

	"go.mau.fi/whatsmeow/types"

	"turnero/internal/whatsapp"
)

// jidOf turns an address into the library's form.
func jidOf(a whatsapp.Address) (types.JID, error) {
	jid, err := types.ParseJID(a.String())
	if err != nil || jid.User == "" {
		return types.JID{}, fmt.Errorf("%q is not a WhatsApp ID", a)
	}
	return jid, nil
}

// addressOf drops the device of a JID. Servers that the product has no word for (bots, Messenger) give the zero address.
func addressOf(jid types.JID) whatsapp.Address {
	switch jid.Server {
	case types.HostedServer:
		jid.Server = types.DefaultUserServer
	case types.HostedLIDServer:
		jid.Server = types.HiddenUserServer
	}
	a, err := whatsapp.ParseAddress(jid.ToNonAD().String())
	if err != nil {
		return whatsapp.Address{}
	}
	return a
}

// contactOf sorts the addresses of one person, in any order, some perhaps empty.
func contactOf(jids ...types.JID) whatsapp.ContactIDs {
	var c whatsapp.ContactIDs
	for _, jid := range jids {
		switch a := addressOf(jid); {
		case a.IsNumber():
			c.Number = a
		case a.IsLID():
			c.LID = a
		}
	}
	return c
}

// complete looks the missing one of a person's two addresses up among those that the store knows.
func (c *connection) complete(ctx context.Context, who whatsapp.ContactIDs) (whatsapp.ContactIDs, error) {
	known := who.Number
	if known.IsZero() {
		known = who.LID
	}
	if known.IsZero() || !who.Number.IsZero() && !who.LID.IsZero() {
		return who, nil
	}
	jid, err := jidOf(known)
	if err != nil {
		return who, err
	}
	other, err := c.client.Store.GetAltJID(ctx, jid)
	if err != nil {
		return who, fmt.Errorf("look the other address of a contact up: %w", err)
	}
	return contactOf(jid, other), nil
}
