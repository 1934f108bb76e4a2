package appointments

import (
	"context"
	"fmt"
	"strings"
	"time"

	"turnero/internal/fault"
	"turnero/internal/id"
)

// CustomerRef says for whom something is booked: an existing customer's ID, or what tells a person apart. A person is the
// same customer when the WhatsApp ID or the folded phone number is the same.
type CustomerRef struct {
	ID       id.Customer
	Name     string
	Phone    string  // as typed or E.164
	WhatsApp string  // canonical WhatsApp ID
	Chat     id.Chat // the chat in which the person writes
}

// Customer is a person for whom appointments are made.
type Customer struct {
	ID        id.Customer
	Name      string
	Phone     string // E.164, "" when not known
	WhatsApp  string // canonical WhatsApp ID, "" when not known
	Chat      id.Chat
	CreatedAt time.Time
}

// Ref is a thing by ID with the name to show.
type Ref[I any] struct {
	ID   I
	Name string
}

// person is a CustomerRef whose phone number was read.
type person struct {
	CustomerRef
	fold string // of Phone, for matching
}

// readCustomer checks the reference and reads its phone number in the business's region.
func (s *Service) readCustomer(ctx context.Context, tenant id.Tenant, ref CustomerRef) (person, error) {
	if !ref.ID.IsZero() {
		return person{CustomerRef: ref}, nil
	}
	var f findings
	ref.Name = f.text("customer.name", ref.Name, maxName)
	f.add(ref.Name == "" && ref.WhatsApp == "", "customer.name", "must be given, or the customer's id")
	if err := f.err(); err != nil {
		return person{}, err
	}
	return s.readPhone(ctx, tenant, ref)
}

func (s *Service) readPhone(ctx context.Context, tenant id.Tenant, ref CustomerRef) (person, error) {
	if ref.Phone = strings.TrimSpace(ref.Phone); ref.Phone == "" {
		return person{CustomerRef: ref}, nil
	}
	region := ""
	if !strings.HasPrefix(ref.Phone, "+") {
		firm, err := s.firms.Business(ctx, tenant)
		if err != nil {
			return person{}, fmt.Errorf("read the business: %w", err)
		}
		region = firm.Region
	}
	e164, err := s.phones.Parse(ref.Phone, region)
	if err != nil {
		return person{}, fault.BadField("customer.phone", "must be a phone number that exists, with its country code or as it is dialled in the country of the business").WithCause(err)
	}
	ref.Phone = e164
	return person{ref, s.phones.Fold(e164)}, nil
}

// matchCustomer finds the customer that a reference without ID means.
func (s *Service) matchCustomer(ctx context.Context, tx Store, tenant id.Tenant, ref CustomerRef) (Customer, bool, error) {
	p, err := s.readPhone(ctx, tenant, ref)
	if err != nil || p.WhatsApp == "" && p.fold == "" {
		return Customer{}, false, err
	}
	return tx.MatchCustomer(ctx, tenant, p.WhatsApp, p.fold)
}

// customerFor gives the customer for a booking: the one who is meant, with what is new about them noted, or a new one.
func (s *Service) customerFor(ctx context.Context, tx Store, tenant id.Tenant, p person, now time.Time) (Customer, error) {
	if !p.ID.IsZero() {
		return tx.FindCustomer(ctx, tenant, p.ID)
	}
	if p.WhatsApp == "" && p.fold == "" {
		return s.newCustomer(ctx, tx, tenant, p, now)
	}
	known, found, err := tx.MatchCustomer(ctx, tenant, p.WhatsApp, p.fold)
	if err != nil {
		return Customer{}, err
	}
	if !found {
		return s.newCustomer(ctx, tx, tenant, p, now)
	}
	return s.learn(ctx, tx, tenant, known, p)
}

func (s *Service) newCustomer(ctx context.Context, tx Store, tenant id.Tenant, p person, now time.Time) (Customer, error) {
	c := Customer{ID: id.NewCustomer(), Name: p.Name, Phone: p.Phone, WhatsApp: p.WhatsApp, Chat: p.Chat, CreatedAt: now}
	if c.Name == "" {
		c.Name = c.Phone
	}
	fresh, err := tx.CreateCustomer(ctx, tenant, c, p.fold)
	if err != nil || fresh {
		return c, err
	}
	// Somebody else has just written this person down.
	known, found, err := tx.MatchCustomer(ctx, tenant, p.WhatsApp, p.fold)
	if err == nil && !found {
		err = fault.New(fault.Conflict, "customer_changed", "this customer is being changed by somebody else; try again")
	}
	return known, err
}

// learn fills in what was not known of a customer. A number that is another customer's stays theirs.
func (s *Service) learn(ctx context.Context, tx Store, tenant id.Tenant, c Customer, p person) (Customer, error) {
	before := c
	if c.Phone == "" && p.fold != "" {
		if _, taken, err := tx.MatchCustomer(ctx, tenant, "", p.fold); err != nil {
			return c, err
		} else if !taken {
			c.Phone = p.Phone
		}
	}
	if p.WhatsApp != "" { // found by phone with another one: WhatsApp's canonical ID of a person changes when it hides the number
		c.WhatsApp = p.WhatsApp
	}
	if !p.Chat.IsZero() {
		c.Chat = p.Chat
	}
	if c.Name == "" || c.Name == c.Phone && p.Name != "" {
		c.Name = p.Name
	}
	if c == before {
		return c, nil
	}
	return c, tx.UpdateCustomer(ctx, tenant, c, s.foldOf(c))
}

func (s *Service) foldOf(c Customer) string {
	if c.Phone == "" {
		return ""
	}
	return s.phones.Fold(c.Phone)
}

// Customer gives one customer.
func (s *Service) Customer(ctx context.Context, tenant id.Tenant, customer id.Customer) (Customer, error) {
	return s.store.FindCustomer(ctx, tenant, customer)
}

// Customers lists the selected customers, the newest first.
func (s *Service) Customers(ctx context.Context, tenant id.Tenant, q CustomerQuery) ([]Customer, error) {
	return s.store.ListCustomers(ctx, tenant, q)
}
