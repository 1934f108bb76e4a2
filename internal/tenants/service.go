package tenants

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

// Users makes the people with whom a business begins.
type Users interface {
	// CheckFirstAdmin refuses what CreateFirstAdmin would refuse, by the same faults; it changes nothing.
	CheckFirstAdmin(ctx context.Context, email, name, password string) error
	// CreateFirstAdmin adds the first admin. With an empty password one is made up and returned, this once.
	CreateFirstAdmin(ctx context.Context, tenant id.Tenant, email, name, password string) (user id.User, madeUp string, err error)
	// DiscardUsers removes all people of a business that was never finished; none is no error.
	DiscardUsers(ctx context.Context, tenant id.Tenant) error
}

// Deps are what a Service works with; all but Changed are required.
type Deps struct {
	Store  Store
	Users  Users
	Now    func() time.Time
	Logger *slog.Logger
	// Changed is called after a business was changed, so that other processes can be told; see Forget. May be nil.
	Changed func()
}

// Service holds the rules of this module. Make it with New.
type Service struct {
	store  Store
	users  Users
	now    func() time.Time
	logger *slog.Logger
	known  *knownTenants

	changed func()
}

// New makes the service.
func New(d Deps) *Service {
	now := func() time.Time { return d.Now().UTC().Truncate(time.Microsecond) } // as exact as it is stored
	if d.Changed == nil {
		d.Changed = func() {}
	}
	return &Service{store: d.Store, users: d.Users, now: now, logger: d.Logger, known: newKnownTenants(now), changed: d.Changed}
}

// Forget drops what is believed of businesses: one was changed in another process.
func (s *Service) Forget() { s.known.clear() }

// hasChanged has this process and all others look anew.
func (s *Service) hasChanged(tenant id.Tenant) {
	s.known.forget(tenant)
	s.changed()
}

// IsActive reports whether the tenant exists, is finished and is not suspended.
func (s *Service) IsActive(ctx context.Context, tenant id.Tenant) (bool, error) {
	t, err := s.recall(ctx, tenant)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return t.Status == Active, err
}

// Settings gives the settings of a business, suspended or not. The caller may change what it gets.
func (s *Service) Settings(ctx context.Context, tenant id.Tenant) (Settings, error) {
	t, err := s.recall(ctx, tenant)
	return t.Settings, err
}

// FindTenant gives one business as it is now.
func (s *Service) FindTenant(ctx context.Context, tenant id.Tenant) (Tenant, error) {
	return finished(s.store.FindTenant(ctx, tenant))
}

// FindBySlug gives the business whose booking page has the slug.
func (s *Service) FindBySlug(ctx context.Context, slug string) (Tenant, error) {
	return finished(s.store.FindTenantBySlug(ctx, slug))
}

// ListTenants lists the businesses with the status ("" = all) in the order in which they were added, those after the given
// one, at most limit.
func (s *Service) ListTenants(ctx context.Context, status Status, after id.Tenant, limit int) ([]Tenant, error) {
	visible := []Status{Active, Suspended}
	if status != "" {
		if !slices.Contains(visible, status) {
			return nil, fault.BadField("status", "must be active or suspended")
		}
		visible = []Status{status}
	}
	return s.store.ListTenants(ctx, visible, after, limit)
}

// finished passes on only what exists for others than the creation itself.
func finished(t Tenant, err error) (Tenant, error) {
	if err == nil && !t.isFinished() {
		return Tenant{}, fault.NotFoundf("tenant")
	}
	return t, err
}

// recall gives a business from the cache, or reads it.
func (s *Service) recall(ctx context.Context, tenant id.Tenant) (Tenant, error) {
	return s.known.get(tenant, func() (Tenant, error) { return s.FindTenant(ctx, tenant) })
}

// Patch is what a super-admin may change of a business; nil leaves as it is.
type Patch struct {
	SettingsPatch
	Slug *string
}

// UpdateSettings changes the settings of the caller's business and tells it as events.SettingsChanged. Every broken rule is
// named. A patch that changes nothing tells and records nothing.
func (s *Service) UpdateSettings(ctx context.Context, by Caller, tenant id.Tenant, patch SettingsPatch) (Tenant, error) {
	return s.update(ctx, by, tenant, Patch{SettingsPatch: patch}, ActSettingsChanged)
}

// UpdateTenant changes a business on behalf of the platform's operator; see UpdateSettings.
func (s *Service) UpdateTenant(ctx context.Context, by Caller, tenant id.Tenant, patch Patch) (Tenant, error) {
	return s.update(ctx, by, tenant, patch, ActChanged)
}

func (s *Service) update(ctx context.Context, by Caller, tenant id.Tenant, patch Patch, act string) (Tenant, error) {
	var out Tenant
	err := s.store.InTx(ctx, func(st Store) error {
		t, err := finished(st.LockTenant(ctx, tenant))
		if err != nil {
			return err
		}
		var changed []string
		t.Settings, changed = patch.apply(t.Settings)
		broken := t.Settings.broken()
		if patch.Slug != nil && *patch.Slug != t.Slug {
			t.Slug, changed = *patch.Slug, append(changed, "slug")
			if !isSlug(t.Slug) {
				broken = append(broken, fault.Field{Name: "slug", Rule: slugRule})
			}
		}
		if err = fault.BadFields(broken...); err != nil {
			return err
		}
		if out = t; len(changed) == 0 {
			return nil
		}
		out.UpdatedAt = s.now()
		if err = st.UpdateTenant(ctx, out); err != nil {
			return err
		}
		if err = st.Emit(ctx, &events.SettingsChanged{Tenant: tenant, At: out.UpdatedAt}); err != nil {
			return err
		}
		return s.record(ctx, st, by, tenant, act, map[string]string{"fields": strings.Join(changed, " ")})
	})
	s.hasChanged(tenant)
	if err != nil {
		return Tenant{}, err
	}
	return out, nil
}

// Suspend stops a business: its log-ins and keys at once in this process (in others when they hear of it, within two seconds
// at the latest), its line when whatsapp hears of it. One that is suspended already stays so.
func (s *Service) Suspend(ctx context.Context, by Caller, tenant id.Tenant) (Tenant, error) {
	return s.setStatus(ctx, by, tenant, Suspended, ActSuspended)
}

// Reopen undoes Suspend.
func (s *Service) Reopen(ctx context.Context, by Caller, tenant id.Tenant) (Tenant, error) {
	return s.setStatus(ctx, by, tenant, Active, ActReopened)
}

func (s *Service) setStatus(ctx context.Context, by Caller, tenant id.Tenant, to Status, act string) (Tenant, error) {
	var out Tenant
	err := s.store.InTx(ctx, func(st Store) error {
		var err error
		if out, err = finished(st.LockTenant(ctx, tenant)); err != nil || out.Status == to {
			return err
		}
		if err = out.move(to, s.now()); err != nil {
			return err
		}
		if err = st.UpdateTenant(ctx, out); err != nil {
			return err
		}
		if err = st.Emit(ctx, &events.TenantStatusChanged{Tenant: tenant, Status: string(to), At: out.UpdatedAt}); err != nil {
			return err
		}
		return s.record(ctx, st, by, tenant, act, nil)
	})
	s.hasChanged(tenant)
	if err != nil {
		return Tenant{}, err
	}
	return out, nil
}
