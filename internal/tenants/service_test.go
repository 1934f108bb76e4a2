package tenants_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/tenants"
)

func admin(tenant id.Tenant) tenants.Caller {
	return tenants.Caller{Principal: id.Principal{Tenant: tenant, User: id.NewUser(), Role: id.Admin}}
}

func ptr[T any](v T) *T { return &v }

func minutes(m ...int) *[]time.Duration {
	out := make([]time.Duration, len(m))
	for i, v := range m {
		out[i] = time.Duration(v) * time.Minute
	}
	return &out
}

func TestSuspensionCountsAtOnceInThisProcessAndSoonInOthers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tenant := b.create(t, "Ana").ID
	other := tenants.New(b.deps)
	isActive := func(s *tenants.Service) bool {
		t.Helper()
		active, err := s.IsActive(t.Context(), tenant)
		require.NoError(t, err)
		return active
	}
	require.True(t, isActive(b.Service))
	require.True(t, isActive(other))

	out, err := b.Suspend(t.Context(), operator, tenant)
	require.NoError(t, err)
	require.Equal(t, tenants.Suspended, out.Status)
	require.False(t, isActive(b.Service))
	require.True(t, isActive(other), "another process may believe what it read for two seconds")
	b.clock.advance(2 * time.Second)
	require.False(t, isActive(other))
	_, err = b.Settings(t.Context(), tenant)
	require.NoError(t, err, "a suspended business has settings")

	_, err = b.Suspend(t.Context(), operator, tenant)
	require.NoError(t, err)
	_, err = b.Reopen(t.Context(), operator, tenant)
	require.NoError(t, err)
	require.True(t, isActive(b.Service))
	_, err = b.Reopen(t.Context(), operator, tenant)
	require.NoError(t, err)
	require.Equal(t, []string{"tenant.created", "tenant.status", "tenant.status"}, b.told(t), "what changes nothing tells nothing")
	acts := b.audited(t)
	require.Len(t, acts, 3)

	_, err = b.Suspend(t.Context(), operator, id.NewTenant())
	require.True(t, fault.Is(err, fault.NotFound))
	active, err := b.IsActive(t.Context(), id.NewTenant())
	require.NoError(t, err)
	require.False(t, active)
}

func TestAPatchChangesOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.create(t, "Ana")
	_, err := b.Settings(t.Context(), before.ID) // now it is in the cache
	require.NoError(t, err)

	out, err := b.UpdateSettings(t.Context(), admin(before.ID), before.ID, tenants.SettingsPatch{Name: ptr("  Lo de Ana "), ReminderOffsets: minutes(5, 20160, 60), BotEnabled: ptr(false)})
	require.NoError(t, err)
	want := before.Settings
	want.Name, want.ReminderOffsets, want.BotEnabled = "Lo de Ana", *minutes(20160, 60, 5), false
	require.Equal(t, want, out.Settings)
	now, err := b.Settings(t.Context(), before.ID)
	require.NoError(t, err)
	require.Equal(t, want, now)
	require.Equal(t, before.Slug, out.Slug, "a page keeps its name")

	now.ReminderOffsets[0] = 0
	again, err := b.Settings(t.Context(), before.ID)
	require.NoError(t, err)
	require.Equal(t, want, again, "what a caller does to its copy stays there")

	_, err = b.UpdateSettings(t.Context(), admin(before.ID), before.ID, tenants.SettingsPatch{ReminderOffsets: minutes(), Address: ptr("Corrientes 1234\n3º B"), Zone: ptr("America/Santiago"),
		Language: ptr("pt"), Country: ptr("CL"), Greeting: ptr("¡Hola!")})
	require.NoError(t, err)
	_, err = b.UpdateSettings(t.Context(), admin(before.ID), before.ID, tenants.SettingsPatch{Name: ptr("Lo de Ana")})
	require.NoError(t, err)
	require.Equal(t, []string{"tenant.created", "tenant.settings", "tenant.settings"}, b.told(t))
	var fields []string
	for _, act := range b.audited(t) {
		if act.Action == tenants.ActSettingsChanged {
			fields = append(fields, act.Detail["fields"])
		}
	}
	slices.Sort(fields)
	require.Equal(t, []string{"name reminderOffsets botEnabled", "zone language country address greeting reminderOffsets"}, fields)
}

func TestEveryBrokenRuleOfSettingsIsNamedAndNothingChanges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.create(t, "Ana")
	for name, c := range map[string]struct {
		patch tenants.SettingsPatch
		field string
	}{
		"empty name":            {tenants.SettingsPatch{Name: ptr(" ")}, "name"},
		"long name":             {tenants.SettingsPatch{Name: ptr(strings.Repeat("ñ", 101))}, "name"},
		"name of two lines":     {tenants.SettingsPatch{Name: ptr("a\nb")}, "name"},
		"no such zone":          {tenants.SettingsPatch{Zone: ptr("America/Buenos_Airs")}, "zone"},
		"empty zone":            {tenants.SettingsPatch{Zone: ptr("")}, "zone"},
		"the machine's zone":    {tenants.SettingsPatch{Zone: ptr("Local")}, "zone"},
		"a path as zone":        {tenants.SettingsPatch{Zone: ptr("../../etc/passwd")}, "zone"},
		"zone in other case":    {tenants.SettingsPatch{Zone: ptr("america/santiago")}, "zone"},
		"unknown language":      {tenants.SettingsPatch{Language: ptr("fr")}, "language"},
		"unknown country":       {tenants.SettingsPatch{Country: ptr("XX")}, "country"},
		"country in lower":      {tenants.SettingsPatch{Country: ptr("ar")}, "country"},
		"long address":          {tenants.SettingsPatch{Address: ptr(strings.Repeat("a", 301))}, "address"},
		"long greeting":         {tenants.SettingsPatch{Greeting: ptr(strings.Repeat("a", 501))}, "greeting"},
		"five reminders":        {tenants.SettingsPatch{ReminderOffsets: minutes(10, 20, 30, 40, 50)}, "reminderOffsets"},
		"reminder too late":     {tenants.SettingsPatch{ReminderOffsets: minutes(4)}, "reminderOffsets"},
		"reminder too early":    {tenants.SettingsPatch{ReminderOffsets: minutes(20161)}, "reminderOffsets"},
		"negative reminder":     {tenants.SettingsPatch{ReminderOffsets: minutes(-60)}, "reminderOffsets"},
		"the same twice":        {tenants.SettingsPatch{ReminderOffsets: minutes(60, 30, 60)}, "reminderOffsets"},
		"parts of a minute":     {tenants.SettingsPatch{ReminderOffsets: &[]time.Duration{10*time.Minute + time.Second}}, "reminderOffsets"},
		"control in a greeting": {tenants.SettingsPatch{Greeting: ptr("a\x1bb")}, "greeting"},
	} {
		_, err := b.UpdateSettings(t.Context(), admin(before.ID), before.ID, c.patch)
		f, ok := fault.As(err)
		require.True(t, ok, name)
		require.Equal(t, fault.Invalid, f.Code, name)
		require.Len(t, f.Fields, 1, name)
		require.Equal(t, c.field, f.Fields[0].Name, name)
	}
	_, err := b.UpdateSettings(t.Context(), admin(before.ID), before.ID, tenants.SettingsPatch{Name: ptr(""), Zone: ptr("x"), Language: ptr("")})
	f, _ := fault.As(err)
	require.Len(t, f.Fields, 3)

	now, err := b.FindTenant(t.Context(), before.ID)
	require.NoError(t, err)
	require.Equal(t, before, now)
	require.Equal(t, []string{"tenant.created"}, b.told(t))
}

func TestAnOperatorChangesTheSlugToOneThatIsFree(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana, bea := b.create(t, "Ana"), b.create(t, "Bea")
	out, err := b.UpdateTenant(t.Context(), operator, ana.ID, tenants.Patch{Slug: ptr("ana-centro"), SettingsPatch: tenants.SettingsPatch{Name: ptr("Ana Centro")}})
	require.NoError(t, err)
	require.Equal(t, "ana-centro", out.Slug)
	_, err = b.FindBySlug(t.Context(), "ana")
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = b.UpdateTenant(t.Context(), operator, bea.ID, tenants.Patch{Slug: ptr("ana-centro")})
	require.True(t, fault.HasReason(err, "slug_taken"), err)
	for _, bad := range []string{"", "a", "A-b", "-ana", "ana-", "a--b", "añb", strings.Repeat("a", 41), "a b", "a/b"} {
		_, err = b.UpdateTenant(t.Context(), operator, bea.ID, tenants.Patch{Slug: &bad})
		require.True(t, fault.Is(err, fault.Invalid), bad)
	}
	_, err = b.UpdateTenant(t.Context(), operator, id.NewTenant(), tenants.Patch{})
	require.True(t, fault.Is(err, fault.NotFound))
}

func TestBusinessesAreListedByStatusInPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second, third := b.create(t, "Uno"), b.create(t, "Dos"), b.create(t, "Tres")
	_, err := b.Suspend(t.Context(), operator, second.ID)
	require.NoError(t, err)
	ids := func(status tenants.Status, after id.Tenant, limit int) []id.Tenant {
		t.Helper()
		list, err := b.ListTenants(t.Context(), status, after, limit)
		require.NoError(t, err)
		var out []id.Tenant
		for _, v := range list {
			out = append(out, v.ID)
		}
		return out
	}
	require.Equal(t, []id.Tenant{first.ID, second.ID}, ids("", id.Tenant{}, 2))
	require.Equal(t, []id.Tenant{third.ID}, ids("", second.ID, 2))
	require.Equal(t, []id.Tenant{first.ID, third.ID}, ids(tenants.Active, id.Tenant{}, 10))
	require.Equal(t, []id.Tenant{second.ID}, ids(tenants.Suspended, id.Tenant{}, 10))
	_, err = b.ListTenants(t.Context(), tenants.Pending, id.Tenant{}, 10)
	require.True(t, fault.Is(err, fault.Invalid))
}

func TestTheCountryFollowsFromTheZoneUnlessSaid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for in, want := range map[[2]string]string{
		{"America/Argentina/Ushuaia", ""}: "AR", {"America/Montevideo", ""}: "UY", {"America/Sao_Paulo", ""}: "BR", {"Europe/Madrid", ""}: "ES",
		{"Asia/Tokyo", ""}: "AR", {"UTC", "MX"}: "MX", {"America/Santiago", "AR"}: "AR",
	} {
		wanted := wanted()
		wanted.Zone, wanted.Country, wanted.Admin.Email = in[0], in[1], id.NewUser().String()+"@example.com"
		out, err := b.CreateTenant(t.Context(), operator, wanted)
		require.NoError(t, err, in)
		require.Equal(t, want, out.Settings.Country, in)
	}
}
