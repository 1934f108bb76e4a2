package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/auth"
	"turnero/internal/fault"
	"turnero/internal/id"
	"turnero/internal/tenants"
)

// The demonstration's business and people.
const (
	demoFile      = "demo.json"
	demoBusiness  = "Peluquería Demo"
	demoSlug      = "peluqueria-demo"
	demoZone      = "America/Argentina/Buenos_Aires"
	demoAddress   = "Av. Corrientes 1234, Buenos Aires"
	demoPhone     = "5491155550000"
	demoSuper     = "super@demo.turnero.local"
	demoAdmin     = "admin@demo.turnero.local"
	demoEmployee  = "empleada@demo.turnero.local"
	demoCreateKey = "demonstration" // the idempotency key of all that is made, so that an interrupted set-up goes on where it ended
)

var demoCustomers = []demoCustomer{{"5491155550101", "Lucía"}, {"5491155550102", "Martín"}, {"5491155550103", "Carmen"}}

type demoLogin struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

type demoTenant struct {
	ID       string    `json:"id"`
	Slug     string    `json:"slug"`
	Admin    demoLogin `json:"admin"`
	Employee demoLogin `json:"employee"`
	Phone    string    `json:"phone"`
}

type demoCustomer struct {
	Number string `json:"number"`
	Name   string `json:"name"`
}

// demo is what demo.json holds: where everything is, and how to log in.
type demo struct {
	BaseURL    string         `json:"baseUrl"`
	SimURL     string         `json:"simUrl"`
	SuperAdmin demoLogin      `json:"superAdmin"`
	Tenant     demoTenant     `json:"tenant"`
	Customers  []demoCustomer `json:"customers"`
}

// seedDemo makes the demonstration's business on the first start, and says where to look. Passwords are said once and kept in demo.json.
func (c *core) seedDemo(ctx context.Context, out io.Writer) error {
	if err := c.addDemoPhones(); err != nil {
		return err
	}
	path := c.data.file(demoFile)
	var d demo
	raw, err := os.ReadFile(path)
	isNew := errors.Is(err, fs.ErrNotExist)
	switch {
	case isNew:
		if d, err = c.makeDemo(ctx); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if err = json.Unmarshal(raw, &d); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	d.BaseURL, d.SimURL = c.baseURL, c.baseURL+"/sim"
	if err = writeDemo(path, d); err != nil {
		return err
	}
	d.say(out, path, isNew)
	return nil
}

func (c *core) addDemoPhones() error {
	phones := append([]demoCustomer{{demoPhone, demoBusiness}}, demoCustomers...)
	for _, p := range phones {
		if _, err := c.network.sim.AddPhone(p.Number, p.Name); err != nil {
			return fmt.Errorf("add phone %s: %w", p.Number, err)
		}
	}
	return nil
}

func (c *core) makeDemo(ctx context.Context) (demo, error) {
	d := demo{Customers: demoCustomers}
	made, err := c.tenants.CreateTenant(ctx, tenants.Caller{}, tenants.NewTenant{Name: demoBusiness, Slug: demoSlug, Zone: demoZone, Language: "es", Country: "AR",
		Address: demoAddress, Admin: tenants.FirstAdmin{Email: demoAdmin, Name: "Dueña"}, IdempotencyKey: demoCreateKey, BodyHash: demoCreateKey})
	if err != nil {
		return d, err
	}
	d.Tenant = demoTenant{ID: made.ID.String(), Slug: made.Slug, Phone: demoPhone}
	if d.Tenant.Admin, err = c.demoLogin(ctx, demoAdmin, made.Password); err != nil {
		return d, err
	}
	employee, err := c.auth.CreateUser(ctx, auth.Caller{}, made.ID, auth.NewUser{Email: demoEmployee, Name: "Empleada", Role: id.Employee,
		IdempotencyKey: demoCreateKey, BodyHash: demoCreateKey})
	if err != nil {
		return d, err
	}
	if d.Tenant.Employee, err = c.demoLogin(ctx, demoEmployee, employee.Password); err != nil {
		return d, err
	}
	super, err := c.auth.CreateSuperAdmin(ctx, demoSuper, "Operadora", "")
	if err != nil && !fault.Is(err, fault.Conflict) { // made before an interruption
		return d, err
	}
	if d.SuperAdmin, err = c.demoLogin(ctx, demoSuper, super.Password); err != nil {
		return d, err
	}
	return d, c.makeDemoShop(ctx, made.ID)
}

// demoLogin gives the log-in with the password just made up, or with another when that was lost in an interruption.
func (c *core) demoLogin(ctx context.Context, email, password string) (demoLogin, error) {
	var err error
	if password == "" {
		password, err = c.auth.SetPassword(ctx, email, "")
	}
	return demoLogin{email, password}, err
}

// makeDemoShop gives the business services, staff and hours.
func (c *core) makeDemoShop(ctx context.Context, tenant id.Tenant) error {
	key := func(what string) appointments.Idempotency {
		return appointments.Idempotency{Key: demoCreateKey + " " + what, BodyHash: demoCreateKey}
	}
	var services []id.Service
	for _, s := range []struct {
		name    string
		minutes time.Duration
		pesos   int64
	}{{"Corte", 30, 9000}, {"Color", 90, 32000}, {"Peinado", 45, 15000}} {
		made, err := c.appointments.CreateOffering(ctx, tenant, key(s.name), appointments.Offering{Name: s.name, Duration: s.minutes * time.Minute,
			Price: appointments.Money{Amount: s.pesos * 100, Currency: "ARS"}, Active: true})
		if err != nil {
			return err
		}
		services = append(services, made.ID)
	}
	var hours, breaks []appointments.Shift
	for day := time.Sunday; day <= time.Saturday; day++ {
		hours = append(hours, appointments.Shift{Day: day, From: 9 * 60, To: 19 * 60})
		breaks = append(breaks, appointments.Shift{Day: day, From: 13 * 60, To: 14 * 60})
	}
	for i, name := range []string{"Ana", "Bruno"} {
		staff := appointments.Staff{Name: name, Active: true, Services: services, Hours: hours}
		if i == 0 {
			staff.Breaks = breaks // one of the two is there at noon
		}
		if _, err := c.appointments.CreateStaff(ctx, tenant, key(name), staff); err != nil {
			return err
		}
	}
	return nil
}

// writeDemo replaces the file in one step, so that an interruption leaves the old one or the new one.
func writeDemo(path string, d demo) error {
	raw, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".demo-*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(append(raw, '\n'))
	if err = errors.Join(err, temp.Sync(), temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}

// say prints where to look; with the passwords only the first time.
func (d demo) say(out io.Writer, path string, withPasswords bool) {
	if !withPasswords {
		fmt.Fprintf(out, "\n  Turnero demonstration: %s\n  How to log in: %s\n\n", d.BaseURL, path)
		return
	}
	login := url.Values{"email": {d.Tenant.Admin.Email}, "password": {d.Tenant.Admin.Password}}
	fmt.Fprintf(out, `
  Turnero demonstration

  Open        %s/#%s
  API         %s/docs/
  Phones      %s/phones

  Admin       %s   %s
  Employee    %s   %s
  Super-admin %s   %s

  Passwords are shown this once; they are also in %s.

`, d.BaseURL, login.Encode(), d.BaseURL, d.SimURL, d.Tenant.Admin.Email, d.Tenant.Admin.Password, d.Tenant.Employee.Email, d.Tenant.Employee.Password,
		d.SuperAdmin.Email, d.SuperAdmin.Password, path)
}
