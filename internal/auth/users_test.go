package auth_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/platform/sqlkit"
	"turnero/internal/platform/sqlkit/sqltest"
)

func ptr[T any](v T) *T { return &v }

func fieldsOf(t *testing.T, err error) []string {
	t.Helper()
	f, ok := fault.As(err)
	require.True(t, ok, err)
	var out []string
	for _, field := range f.Fields {
		out = append(out, field.Name)
	}
	return out
}

func TestAddressesAreUniqueInTheInstallationWhateverTheirLetterCase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "ana@example.com", id.Admin)
	for _, tenant := range []id.Tenant{b.tenant, id.NewTenant()} {
		_, err := b.CreateUser(t.Context(), auth.Caller{}, tenant, auth.NewUser{Email: "ANA@Example.com", Name: "Ana", Role: id.Employee, Password: password})
		require.True(t, fault.HasReason(err, "email_taken"), err)
		require.Equal(t, fault.Conflict, fault.CodeOf(err))
		require.Equal(t, []string{"email"}, fieldsOf(t, err))
	}
	_, err := b.CreateSuperAdmin(t.Context(), "ana@EXAMPLE.com", "Ana", password)
	require.True(t, fault.HasReason(err, "email_taken"), err)
}

func TestEveryBrokenRuleOfANewPersonIsNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.CreateUser(t.Context(), auth.Caller{}, b.tenant, auth.NewUser{Email: "ana", Name: "\x07", Role: id.SuperAdmin, Password: "short"})
	require.Equal(t, []string{"email", "name", "role", "password"}, fieldsOf(t, err))
	for _, email := range []string{"", " ", "a@", "@b", "a b@c.de", "Ana <ana@example.com>", "a@b, c@d", "\"a b\"@c.de", "a@b\x00c", "ana@example.com.", strings.Repeat("a", 250) + "@b.cd"} {
		_, err = b.CreateUser(t.Context(), auth.Caller{}, b.tenant, auth.NewUser{Email: email, Name: "Ana", Role: id.Employee, Password: password})
		require.Equal(t, []string{"email"}, fieldsOf(t, err), email)
	}
	for _, name := range []string{"", "  ", strings.Repeat("ñ", 101), "a\nb", "a\x00"} {
		_, err = b.CreateUser(t.Context(), auth.Caller{}, b.tenant, auth.NewUser{Email: "ana@example.com", Name: name, Role: id.Employee, Password: password})
		require.Equal(t, []string{"name"}, fieldsOf(t, err), name)
	}
	for _, role := range []id.Role{"", "admin", id.EndUser, id.SuperAdmin} {
		_, err = b.CreateUser(t.Context(), auth.Caller{}, b.tenant, auth.NewUser{Email: "ana@example.com", Name: "Ana", Role: role, Password: password})
		require.Equal(t, []string{"role"}, fieldsOf(t, err), role)
	}
	list, err := b.ListUsers(t.Context(), b.tenant, id.User{}, 10)
	require.NoError(t, err)
	require.Empty(t, list)
}

func TestPasswordsThatAnybodyWouldTryAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	create := func(password string) error {
		_, err := b.CreateUser(t.Context(), auth.Caller{}, b.tenant, auth.NewUser{Email: "ana.maria.lopez@example.com", Name: "Ana María López", Role: id.Employee, Password: password})
		return err
	}
	for _, bad := range []string{"123456789", "ññññññññññ", "aaaaaaaaaaaa", "ana.maria.lopez@example.com", "ANA.MARIA.LOPEZ@example.com", "ana.maria.lopez", "ana maría lópez",
		"Contraseña123", "password123", strings.Repeat("ab", 101), "\xff\xfe1234567890"} {
		require.Equal(t, []string{"password"}, fieldsOf(t, create(bad)), bad)
	}
	require.NoError(t, create(strings.Repeat("ñ1", 100)))
	_, err := b.Login(t.Context(), from, "ana.maria.lopez@example.com", strings.Repeat("n\u03031", 100))
	require.NoError(t, err, "the same letters composed by another keyboard")
}

func TestAPasswordIsMadeUpWhenNoneIsGivenAndShownOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := auth.NewUser{Email: "eva@example.com", Name: "Eva", Role: id.Employee, IdempotencyKey: "k", BodyHash: "h"}
	made, err := b.CreateUser(t.Context(), auth.Caller{}, b.tenant, in)
	require.NoError(t, err)
	require.Regexp(t, `^([a-km-np-z2-9]{4}-){3}[a-km-np-z2-9]{4}$`, made.Password)
	require.True(t, made.Temporary)
	s, err := b.Login(t.Context(), from, "eva@example.com", made.Password)
	require.NoError(t, err)

	again, err := b.CreateUser(t.Context(), auth.Caller{}, b.tenant, in)
	require.NoError(t, err)
	require.Equal(t, made.User, again.User)
	require.Empty(t, again.Password)
	in.BodyHash = "another"
	_, err = b.CreateUser(t.Context(), auth.Caller{}, b.tenant, in)
	require.True(t, fault.HasReason(err, "idempotency_key_reused"), err)
	in.Email = "eva@example.org"
	_, err = b.CreateUser(t.Context(), auth.Caller{}, id.NewTenant(), in)
	require.NoError(t, err, "keys of another tenant are others")

	require.NoError(t, b.ChangePassword(t.Context(), b.caller(t, s), made.Password, password))
	now, err := b.FindUser(t.Context(), b.tenant, made.ID)
	require.NoError(t, err)
	require.False(t, now.Temporary)
}

func TestDeactivatingSomebodyIsToldAndRecordedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana, eva := b.user(t, "ana@example.com", id.Admin), b.user(t, "eva@example.com", id.Employee)
	by := b.caller(t, b.login(t, "ana@example.com"))
	for range 2 {
		out, err := b.UpdateUser(t.Context(), by, b.tenant, eva.ID, auth.UserPatch{Active: ptr(false)})
		require.NoError(t, err)
		require.False(t, out.Active)
	}
	require.Equal(t, []string{"user.deactivated"}, b.events(t))
	entries, err := b.store.ListAudit(t.Context(), auth.AuditQuery{Tenant: b.tenant, Action: auth.ActUserDeactivated, Limit: 5})
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, ana.ID.String(), entries[0].Actor)
	require.Equal(t, eva.ID.String(), entries[0].Target)

	_, err = b.UpdateUser(t.Context(), by, b.tenant, eva.ID, auth.UserPatch{Active: ptr(true), Name: ptr(" Eva P. "), Role: ptr(id.Admin)})
	require.NoError(t, err)
	out, err := b.FindUser(t.Context(), b.tenant, eva.ID)
	require.NoError(t, err)
	require.Equal(t, "Eva P.", out.Name)
	require.Equal(t, id.Admin, out.Role)
	require.Subset(t, b.acts(t, b.tenant), []string{auth.ActUserChanged, auth.ActUserReactivated})
	_, err = b.UpdateUser(t.Context(), by, b.tenant, eva.ID, auth.UserPatch{Name: ptr(""), Role: ptr(id.EndUser)})
	require.Equal(t, []string{"name", "role"}, fieldsOf(t, err))
}

func TestABusinessKeepsSomebodyWhoCanRunIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana, bea := b.user(t, "ana@example.com", id.Admin), b.user(t, "bea@example.com", id.Admin)
	asAna, asBea := b.caller(t, b.login(t, "ana@example.com")), b.caller(t, b.login(t, "bea@example.com"))
	for _, patch := range []auth.UserPatch{{Active: ptr(false)}, {Role: ptr(id.Employee)}} {
		_, err := b.UpdateUser(t.Context(), asAna, b.tenant, ana.ID, patch)
		require.True(t, fault.HasReason(err, "own_account"), err)
	}
	_, err := b.UpdateUser(t.Context(), asAna, b.tenant, ana.ID, auth.UserPatch{Name: ptr("Ana L."), Role: ptr(id.Admin), Active: ptr(true)})
	require.NoError(t, err, "what stays the same is no demotion")

	_, err = b.UpdateUser(t.Context(), asBea, b.tenant, ana.ID, auth.UserPatch{Role: ptr(id.Employee)})
	require.NoError(t, err)
	for _, by := range []auth.Caller{{}, asAna} {
		for _, patch := range []auth.UserPatch{{Active: ptr(false)}, {Role: ptr(id.Employee)}} {
			_, err = b.UpdateUser(t.Context(), by, b.tenant, bea.ID, patch)
			require.True(t, fault.HasReason(err, "last_admin"), err)
		}
	}
}

func TestTwoAdminsWhoDeactivateEachOtherAtOnceLeaveOne(t *testing.T) {
	t.Parallel()
	sqltest.Each(t, func(t *testing.T, db *sqlkit.DB) {
		b := setupOn(t, db)
		name := id.NewUser().String()
		ana, bea := b.user(t, "ana@"+name+".com", id.Admin), b.user(t, "bea@"+name+".com", id.Admin)
		as := func(u auth.User) auth.Caller {
			return auth.Caller{Principal: id.Principal{Tenant: b.tenant, User: u.ID, Role: id.Admin}}
		}
		errs := make([]error, 2)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, errs[0] = b.UpdateUser(t.Context(), as(ana), b.tenant, bea.ID, auth.UserPatch{Active: ptr(false)})
		})
		wg.Go(func() {
			_, errs[1] = b.UpdateUser(t.Context(), as(bea), b.tenant, ana.ID, auth.UserPatch{Role: ptr(id.Employee)})
		})
		wg.Wait()
		if errs[0] == nil {
			errs[0], errs[1] = errs[1], errs[0]
		}
		require.True(t, fault.HasReason(errs[0], "last_admin"), errs[0])
		require.NoError(t, errs[1])
	})
}

func TestAPIKeysKeepTheirHandsOffAdmins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana, eva := b.user(t, "ana@example.com", id.Admin), b.user(t, "eva@example.com", id.Employee)
	_, text, err := b.CreateAPIKey(t.Context(), auth.Caller{}, b.tenant, auth.NewAPIKey{Name: "hr", Scopes: []string{"users:write"}})
	require.NoError(t, err)
	p, err := b.Authenticate(t.Context(), "", text)
	require.NoError(t, err)
	by := auth.Caller{Principal: p}
	forbidden := func(err error) {
		t.Helper()
		require.True(t, fault.HasReason(err, "api_key_no_admins"), err)
	}
	_, err = b.CreateUser(t.Context(), by, b.tenant, auth.NewUser{Email: "x@example.com", Name: "X", Role: id.Admin})
	forbidden(err)
	_, err = b.UpdateUser(t.Context(), by, b.tenant, eva.ID, auth.UserPatch{Role: ptr(id.Admin)})
	forbidden(err)
	_, err = b.UpdateUser(t.Context(), by, b.tenant, ana.ID, auth.UserPatch{Name: ptr("X")})
	forbidden(err)
	_, err = b.ResetPassword(t.Context(), by, b.tenant, ana.ID)
	forbidden(err)
	_, err = b.CreateUser(t.Context(), by, b.tenant, auth.NewUser{Email: "x@example.com", Name: "X", Role: id.Employee})
	require.NoError(t, err)
	_, err = b.ResetPassword(t.Context(), by, b.tenant, eva.ID)
	require.NoError(t, err)
}

func TestAnothersPeopleAreNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ana := b.user(t, "ana@example.com", id.Admin)
	elsewhere := id.NewTenant()
	by := auth.Caller{Principal: id.Principal{Tenant: elsewhere, User: id.NewUser(), Role: id.Admin}}
	_, err := b.FindUser(t.Context(), elsewhere, ana.ID)
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = b.UpdateUser(t.Context(), by, elsewhere, ana.ID, auth.UserPatch{Name: ptr("X")})
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = b.ResetPassword(t.Context(), by, elsewhere, ana.ID)
	require.True(t, fault.Is(err, fault.NotFound))
	b.login(t, "ana@example.com")
}

func TestTheFirstAdminOfAnUnfinishedBusinessCanBeTakenBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.CheckFirstAdmin(t.Context(), "ana@example.com", "Ana", ""))
	user, madeUp, err := b.CreateFirstAdmin(t.Context(), b.tenant, "ana@example.com", "Ana", "")
	require.NoError(t, err)
	require.NotEmpty(t, madeUp)
	require.True(t, fault.HasReason(b.CheckFirstAdmin(t.Context(), "ANA@example.com", "Ana", ""), "email_taken"))
	require.Equal(t, []string{"email", "name", "password"}, fieldsOf(t, b.CheckFirstAdmin(t.Context(), "", "", "x")))

	for range 2 {
		require.NoError(t, b.DiscardUsers(t.Context(), b.tenant))
		_, err = b.FindUser(t.Context(), b.tenant, user)
		require.True(t, fault.Is(err, fault.NotFound))
	}
	b.user(t, "ana@example.com", id.Admin)
	b.login(t, "ana@example.com")
	require.True(t, fault.HasReason(b.DiscardUsers(t.Context(), b.tenant), "tenant_in_use"))
	require.True(t, fault.Is(b.DiscardUsers(t.Context(), id.Tenant{}), fault.Conflict))
	b.login(t, "ana@example.com")
}

func TestASuperAdminBelongsToNoBusiness(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, err := b.CreateSuperAdmin(t.Context(), "root@example.com", "Root", "")
	require.NoError(t, err)
	s, err := b.Login(t.Context(), from, "root@example.com", made.Password)
	require.NoError(t, err)
	by := b.caller(t, s)
	require.True(t, by.Tenant.IsZero())
	require.Equal(t, id.SuperAdmin, by.Role)
	_, err = b.FindUser(t.Context(), b.tenant, made.ID)
	require.True(t, fault.Is(err, fault.NotFound))
	require.NoError(t, b.ChangePassword(t.Context(), by, made.Password, password))
	b.refresh(t, s.RefreshToken)
}
