package sqlstore

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/whatsapp"
)

type contactRow struct {
	bun.BaseModel `bun:"table:whatsapp_contacts,alias:k"`
	TenantID      id.Tenant  `bun:"tenant_id,pk"`
	ID            id.Contact `bun:"id,pk"`
	Number        *string    `bun:"number"`
	LID           *string    `bun:"lid"`
	NumberFold    string     `bun:"number_fold"`
	Name          string     `bun:"name"`
	CreatedAt     int64      `bun:"created_at"`
}

func toContactRow(c whatsapp.Contact, fold string) *contactRow {
	return &contactRow{TenantID: c.Tenant, ID: c.ID, Number: orNull(c.IDs.Number), LID: orNull(c.IDs.LID), NumberFold: fold, Name: c.Name,
		CreatedAt: sqlkit.Micros(c.CreatedAt)}
}

func orNull(a whatsapp.Address) *string {
	if a.IsZero() {
		return nil
	}
	text := a.String()
	return &text
}

func (r *contactRow) contact() whatsapp.Contact {
	c := whatsapp.Contact{Tenant: r.TenantID, ID: r.ID, Name: r.Name, CreatedAt: sqlkit.Time(r.CreatedAt)}
	if r.Number != nil {
		c.IDs.Number = address(*r.Number)
	}
	if r.LID != nil {
		c.IDs.LID = address(*r.LID)
	}
	return c
}

// personColumns are a joined contact's, under the names that personCols reads; a missing contact is empty.
const personColumns = "COALESCE(k.id, '') AS p_id, COALESCE(k.number, '') AS p_number, COALESCE(k.lid, '') AS p_lid, " +
	"COALESCE(k.name, '') AS p_name, COALESCE(k.created_at, 0) AS p_created_at"

type personCols struct {
	ID        id.Contact `bun:"id"`
	Number    string     `bun:"number"`
	LID       string     `bun:"lid"`
	Name      string     `bun:"name"`
	CreatedAt int64      `bun:"created_at"`
}

func (p *personCols) contact(tenant id.Tenant) whatsapp.Contact {
	if p.ID.IsZero() {
		return whatsapp.Contact{}
	}
	return whatsapp.Contact{Tenant: tenant, ID: p.ID, Name: p.Name, CreatedAt: sqlkit.Time(p.CreatedAt),
		IDs: whatsapp.ContactIDs{Number: address(p.Number), LID: address(p.LID)}}
}

// AddContact implements whatsapp.Store.
func (s *Store) AddContact(ctx context.Context, c whatsapp.Contact, fold string) (bool, error) {
	return s.insert(ctx, "contact", toContactRow(c, fold))
}

// SaveContact implements whatsapp.Store.
func (s *Store) SaveContact(ctx context.Context, c whatsapp.Contact, fold string) error {
	return mustMatch("contact")(s.h.Write().NewUpdate().Model(toContactRow(c, fold)).ExcludeColumn("tenant_id", "id", "created_at").
		Where("tenant_id = ?", c.Tenant).Where("id = ?", c.ID).Exec(ctx))
}

// DeleteContact implements whatsapp.Store.
func (s *Store) DeleteContact(ctx context.Context, tenant id.Tenant, contact id.Contact) error {
	_, err := s.h.Write().NewDelete().Model((*contactRow)(nil)).Where("tenant_id = ?", tenant).Where("id = ?", contact).Exec(ctx)
	if err != nil {
		return fmt.Errorf("delete contact: %w", err)
	}
	return nil
}

// LockContact implements whatsapp.Store.
func (s *Store) LockContact(ctx context.Context, tenant id.Tenant, contact id.Contact) (whatsapp.Contact, error) {
	var r contactRow
	q := s.h.Read().NewSelect().Model(&r).Where("k.tenant_id = ?", tenant).Where("k.id = ?", contact)
	if err := found("contact", s.lock(q, "k").Scan(ctx)); err != nil {
		return whatsapp.Contact{}, err
	}
	return r.contact(), nil
}

// FindContacts implements whatsapp.Store. It asks for each address by itself: MariaDB reads all of a tenant's contacts for
// "this number or that LID", and locks them on its way.
func (s *Store) FindContacts(ctx context.Context, tenant id.Tenant, ids whatsapp.ContactIDs) ([]whatsapp.Contact, error) {
	out, err := s.contactsWith(ctx, tenant, "lid", ids.LID)
	if err != nil {
		return nil, err
	}
	byNumber, err := s.contactsWith(ctx, tenant, "number", ids.Number)
	if err != nil {
		return nil, err
	}
	if len(out) == 0 || len(byNumber) > 0 && byNumber[0].ID != out[0].ID {
		out = append(out, byNumber...)
	}
	return out, nil
}

func (s *Store) contactsWith(ctx context.Context, tenant id.Tenant, column string, address whatsapp.Address) ([]whatsapp.Contact, error) {
	if address.IsZero() {
		return nil, nil
	}
	var rows []contactRow
	q := s.h.Read().NewSelect().Model(&rows).Where("k.tenant_id = ?", tenant).Where("k.? = ?", bun.Ident(column), address.String())
	if s.h.InsideTx() {
		q = s.lock(q, "k")
	}
	err := q.Scan(ctx)
	return contacts(rows, err)
}

// FindContactsByFold implements whatsapp.Store.
func (s *Store) FindContactsByFold(ctx context.Context, tenant id.Tenant, fold string, limit int) ([]whatsapp.Contact, error) {
	var rows []contactRow
	err := s.h.Read().NewSelect().Model(&rows).Where("k.tenant_id = ?", tenant).Where("k.number_fold = ?", fold).Order("k.id").Limit(int64(limit)).Scan(ctx)
	return contacts(rows, err)
}

func contacts(rows []contactRow, err error) ([]whatsapp.Contact, error) {
	if err != nil {
		return nil, fmt.Errorf("find contacts: %w", err)
	}
	out := make([]whatsapp.Contact, len(rows))
	for i := range rows {
		out[i] = rows[i].contact()
	}
	return out, nil
}
