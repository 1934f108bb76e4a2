package tenants

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"turnero/internal/events"
	"turnero/internal/fault"
	"turnero/internal/id"
)

const (
	// creationLimit is how long auth may take to make the first admin.
	creationLimit = 20 * time.Second
	// discardAfter is when an unfinished creation is given up; it must be well behind creationLimit.
	discardAfter = 2 * time.Minute
	// discardLimit is how long undoing a creation may take within the request that failed.
	discardLimit = 10 * time.Second
	// mostSlugs is how many numbered slugs are tried for one name.
	mostSlugs = 200
)

// NewTenant is what a business is made of.
type NewTenant struct {
	Name     string
	Slug     string // "" = made from the name
	Zone     string
	Language string // "" = es
	Country  string // "" = that of the zone, or AR
	Address  string
	Admin    FirstAdmin
	// IdempotencyKey and BodyHash make a repeated request give the business made by the first. The hash must not depend on
	// the password.
	IdempotencyKey string
	BodyHash       string
}

// FirstAdmin is the person with whom a business begins.
type FirstAdmin struct {
	Email    string
	Name     string
	Password string // "" = one is made up and returned once
}

// CreatedTenant is a business just made.
type CreatedTenant struct {
	Tenant
	Password string // the password made up for the first admin, shown this once; "" when one was given or the request was a repetition
}

// CreateTenant makes a business with its first admin, both or neither (see the package comment). Faults: Invalid naming
// each broken rule, those of the admin as "admin.email" and so on; Conflict "slug_taken", "email_taken", or
// "creation_in_progress" while a request with the same idempotency key is still at work.
func (s *Service) CreateTenant(ctx context.Context, by Caller, in NewTenant) (CreatedTenant, error) {
	t, err := in.check()
	if err != nil {
		return CreatedTenant{}, s.withAdmin(ctx, in.Admin, err)
	}
	before, err := s.earlier(ctx, in)
	if err != nil {
		return CreatedTenant{}, err
	}
	if err = resume(ctx, s.store, before, &t); err != nil || t.isFinished() {
		return CreatedTenant{Tenant: t}, err
	}
	if err = s.users.CheckFirstAdmin(ctx, in.Admin.Email, in.Admin.Name, in.Admin.Password); err != nil {
		return CreatedTenant{}, ofAdmin(err)
	}
	if t, err = s.begin(ctx, in, t); err != nil || t.isFinished() {
		return CreatedTenant{Tenant: t}, err
	}
	out, err := s.finish(ctx, by, in, t)
	if err != nil {
		s.giveUp(ctx, t.ID)
		return CreatedTenant{}, err
	}
	return out, nil
}

// withAdmin adds the rules that the first admin breaks to those that the business does, so that all are told at once.
func (s *Service) withAdmin(ctx context.Context, admin FirstAdmin, err error) error {
	business, ok := fault.As(err)
	of, alsoWrong := fault.As(ofAdmin(s.users.CheckFirstAdmin(ctx, admin.Email, admin.Name, admin.Password)))
	if !ok || !alsoWrong || of.Code != fault.Invalid {
		return err
	}
	return fault.BadFields(slices.Concat(business.Fields, of.Fields)...)
}

// check reads the fields into a pending business; all broken rules at once.
func (in NewTenant) check() (Tenant, error) {
	if in.Language == "" {
		in.Language = Languages[0]
	}
	if in.Country == "" {
		in.Country = countryOf(in.Zone)
	}
	settings, _ := SettingsPatch{Name: &in.Name, Zone: &in.Zone, Language: &in.Language, Country: &in.Country, Address: &in.Address}.apply(
		Settings{ReminderOffsets: defaultReminders(), BotEnabled: true})
	broken := settings.broken()
	if in.Slug != "" && !isSlug(in.Slug) {
		broken = append(broken, fault.Field{Name: "slug", Rule: slugRule})
	}
	return Tenant{Slug: in.Slug, Status: Pending, Settings: settings}, fault.BadFields(broken...)
}

var errNotBefore = errors.New("this idempotency key was not used before")

// earlier gives the ID of the business that the idempotency key has made, "" when the key is new. It claims nothing.
func (s *Service) earlier(ctx context.Context, in NewTenant) (string, error) {
	if in.IdempotencyKey == "" {
		return "", nil
	}
	before := ""
	err := s.store.InTx(ctx, func(st Store) error {
		var err error
		before, err = st.ClaimKey(ctx, "tenants.create", in.IdempotencyKey, in.BodyHash, id.NewTenant().String(), s.now())
		if err == nil && before == "" {
			return errNotBefore // takes the claim back
		}
		return err
	})
	if errors.Is(err, errNotBefore) {
		return "", nil
	}
	return before, err
}

// resume settles what a key that was used before means: its finished business is put into t; an unfinished one is a fault;
// a discarded one lends its ID to the new attempt.
func resume(ctx context.Context, st Store, before string, t *Tenant) error {
	if before == "" {
		t.ID = id.NewTenant()
		return nil
	}
	tenant, err := id.ParseTenant(before)
	if err != nil {
		return err
	}
	old, err := st.FindTenant(ctx, tenant)
	switch {
	case fault.Is(err, fault.NotFound):
		t.ID = tenant
		return nil
	case err != nil:
		return err
	case !old.isFinished():
		return errInProgress()
	}
	*t = old
	return nil
}

func errInProgress() error {
	return fault.New(fault.Conflict, "creation_in_progress", "this business is being created at this moment").WithRetryAfter(5 * time.Second)
}

// begin stores the business as pending, beside the job that discards it should nobody finish it. When another request with
// the same key has overtaken this one, it gives that one's business.
func (s *Service) begin(ctx context.Context, in NewTenant, t Tenant) (Tenant, error) {
	var out Tenant
	err := s.store.InTx(ctx, func(st Store) error {
		now := s.now()
		out = t
		out.CreatedAt, out.UpdatedAt = now, now
		before, err := st.ClaimKey(ctx, "tenants.create", in.IdempotencyKey, in.BodyHash, t.ID.String(), now)
		if err != nil {
			return err
		}
		if before != "" {
			if err = resume(ctx, st, before, &out); err != nil || out.isFinished() {
				return err
			}
		}
		if err = insert(ctx, st, &out); err != nil {
			return err
		}
		return st.EnqueueAt(ctx, &events.DiscardTenant{Tenant: out.ID}, now.Add(discardAfter))
	})
	return out, err
}

// insert stores a business, under the first free slug made of its name when it has none.
func insert(ctx context.Context, st Store, t *Tenant) error {
	if t.Slug != "" {
		return st.InsertTenant(ctx, *t)
	}
	base := slugOf(t.Settings.Name)
	for n := 1; n <= mostSlugs; n++ {
		t.Slug = numbered(base, n)
		_, err := st.FindTenantBySlug(ctx, t.Slug)
		if err == nil {
			continue
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		if err = st.InsertTenant(ctx, *t); !fault.HasReason(err, "slug_taken") {
			return err
		}
	}
	return ErrSlugTaken()
}

// finish makes the first admin and opens the business.
func (s *Service) finish(ctx context.Context, by Caller, in NewTenant, t Tenant) (CreatedTenant, error) {
	limited, cancel := context.WithTimeout(ctx, creationLimit)
	defer cancel()
	admin, password, err := s.users.CreateFirstAdmin(limited, t.ID, in.Admin.Email, in.Admin.Name, in.Admin.Password)
	if err != nil {
		return CreatedTenant{}, ofAdmin(err)
	}
	err = s.store.InTx(ctx, func(st Store) error {
		if t, err = st.LockTenant(ctx, t.ID); err != nil {
			return err
		}
		if err = t.move(Active, s.now()); err != nil {
			return err
		}
		t.FirstAdmin = admin
		if err = st.UpdateTenant(ctx, t); err != nil {
			return err
		}
		if err = st.Emit(ctx, &events.TenantCreated{Tenant: t.ID, Name: t.Settings.Name, At: t.UpdatedAt}); err != nil {
			return err
		}
		return s.record(ctx, st, by, t.ID, ActCreated, map[string]string{"name": t.Settings.Name, "slug": t.Slug, "admin": admin.String()})
	})
	s.hasChanged(t.ID)
	if err != nil {
		return CreatedTenant{}, fmt.Errorf("open tenant: %w", err)
	}
	return CreatedTenant{Tenant: t, Password: password}, nil
}

// giveUp undoes a creation that failed, whether or not its request is still wanted; what it cannot undo now, the job will.
func (s *Service) giveUp(ctx context.Context, tenant id.Tenant) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardLimit)
	defer cancel()
	if err := s.discard(ctx, tenant); err != nil {
		s.logger.WarnContext(ctx, "unfinished tenant not discarded yet", "tenant_id", tenant.String(), "error", err.Error())
	}
}

// HandleDiscard removes a business whose creation was never finished; a finished one stays as it is.
func (s *Service) HandleDiscard(ctx context.Context, job *events.DiscardTenant) error {
	return s.discard(ctx, job.Tenant)
}

// discard first closes the way to become active, then removes the people, then the business: repeated, it goes on where it stopped.
func (s *Service) discard(ctx context.Context, tenant id.Tenant) error {
	unfinished := false
	err := s.store.InTx(ctx, func(st Store) error {
		t, err := st.LockTenant(ctx, tenant)
		if err != nil {
			return err
		}
		if unfinished = !t.isFinished(); !unfinished || t.Status == Discarding {
			return nil
		}
		if err = t.move(Discarding, s.now()); err != nil {
			return err
		}
		return st.UpdateTenant(ctx, t)
	})
	if fault.Is(err, fault.NotFound) || err == nil && !unfinished {
		return nil
	}
	if err != nil {
		return fmt.Errorf("discard tenant: %w", err)
	}
	if err = s.users.DiscardUsers(ctx, tenant); err != nil {
		return fmt.Errorf("discard users: %w", err)
	}
	return s.store.DeleteTenant(ctx, tenant)
}

// ofAdmin has the fields of a fault about the first admin named as the caller wrote them.
func ofAdmin(err error) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	named := *f
	named.Fields = make([]fault.Field, len(f.Fields))
	for i, field := range f.Fields {
		named.Fields[i] = fault.Field{Name: "admin." + field.Name, Rule: field.Rule}
	}
	if len(named.Fields) == 1 && f.Code == fault.Invalid {
		named.Message = named.Fields[0].Name + " " + named.Fields[0].Rule
	}
	return &named
}
