package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"turnero/internal/appointments"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
)

type customerRow struct {
	bun.BaseModel `bun:"table:customers"`
	TenantID      id.Tenant   `bun:"tenant_id,pk"`
	ID            id.Customer `bun:"id,pk"`
	Name          string      `bun:"name"`
	Phone         string      `bun:"phone"`
	PhoneFold     string      `bun:"phone_fold,nullzero"`
	WhatsApp      string      `bun:"whatsapp,nullzero"`
	ChatID        id.Chat     `bun:"chat_id"`
	Search        string      `bun:"search"` // the name as foldText has it
	CreatedAt     int64       `bun:"created_at"`
}

func newCustomerRow(tenant id.Tenant, c appointments.Customer, fold string) *customerRow {
	return &customerRow{TenantID: tenant, ID: c.ID, Name: c.Name, Phone: c.Phone, PhoneFold: fold, WhatsApp: c.WhatsApp, ChatID: c.Chat,
		Search: clip(foldText(c.Name), 255), CreatedAt: sqlkit.Micros(c.CreatedAt)}
}

func (r *customerRow) customer() appointments.Customer {
	return appointments.Customer{ID: r.ID, Name: r.Name, Phone: r.Phone, WhatsApp: r.WhatsApp, Chat: r.ChatID, CreatedAt: sqlkit.Time(r.CreatedAt)}
}

// FindCustomer implements appointments.CustomerStore.
func (s *Store) FindCustomer(ctx context.Context, tenant id.Tenant, customer id.Customer) (appointments.Customer, error) {
	var r customerRow
	if err := s.find(ctx, "customer", tenant, customer.String(), &r); err != nil {
		return appointments.Customer{}, err
	}
	return r.customer(), nil
}

// MatchCustomer implements appointments.CustomerStore.
func (s *Store) MatchCustomer(ctx context.Context, tenant id.Tenant, whatsapp, fold string) (appointments.Customer, bool, error) {
	for _, by := range [][2]string{{"whatsapp", whatsapp}, {"phone_fold", fold}} {
		if by[1] == "" {
			continue
		}
		var r customerRow
		err := s.h.Read().NewSelect().Model(&r).Where("tenant_id = ?", tenant).Where("? = ?", bun.Ident(by[0]), by[1]).Scan(ctx)
		if err == nil {
			return r.customer(), true, nil
		}
		if !sqlkit.IsNoRows(err) {
			return appointments.Customer{}, false, fmt.Errorf("match customer: %w", err)
		}
	}
	return appointments.Customer{}, false, nil
}

// CreateCustomer implements appointments.CustomerStore.
func (s *Store) CreateCustomer(ctx context.Context, tenant id.Tenant, c appointments.Customer, fold string) (bool, error) {
	fresh, err := s.h.InsertIfAbsent(ctx, newCustomerRow(tenant, c, fold))
	if err != nil {
		return false, fmt.Errorf("create customer: %w", err)
	}
	return fresh, nil
}

// UpdateCustomer implements appointments.CustomerStore.
func (s *Store) UpdateCustomer(ctx context.Context, tenant id.Tenant, c appointments.Customer, fold string) error {
	return s.update(ctx, "customer", tenant, c.ID.String(), newCustomerRow(tenant, c, fold), "name", "phone", "phone_fold", "whatsapp", "chat_id", "search")
}

// ListCustomers implements appointments.CustomerStore.
func (s *Store) ListCustomers(ctx context.Context, tenant id.Tenant, q appointments.CustomerQuery) ([]appointments.Customer, error) {
	var rows []*customerRow
	sel := s.h.Read().NewSelect().Model(&rows).Where("tenant_id = ?", tenant)
	if !q.After.IsZero() {
		sel = sel.Where("id < ?", q.After)
	}
	if text := foldText(strings.TrimSpace(q.Search)); text != "" {
		sel = sel.Where("(search LIKE ? ESCAPE '!' OR phone LIKE ? ESCAPE '!')", pattern(text), pattern(text))
	}
	if err := sel.Order("id DESC").Limit(int64(q.Limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list customers: %w", err)
	}
	return collect(rows, (*customerRow).customer), nil
}

// pattern matches texts that contain the given one, whose own wildcards mean themselves.
func pattern(text string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text) + "%"
}
