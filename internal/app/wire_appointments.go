package app

import (
	"context"
	"time"

	"turnero/internal/appointments"
	"turnero/internal/appointments/bot"
	appointmentsclient "turnero/internal/appointments/client"
	appointmentsapi "turnero/internal/appointments/httpapi"
	appointmentsstore "turnero/internal/appointments/sqlstore"
	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/platform/outbox"
	"turnero/internal/platform/phone"
)

func buildAppointments(c *core) error {
	store := appointmentsstore.New(c.db, c.events, c.jobs)
	c.appointments = appointments.New(appointments.Deps{Store: store, Businesses: businesses{c}, Phones: phones{}, Now: c.now})
	appointmentsclient.Serve(c.questions, c.appointments)
	talker := bot.New(bot.Deps{Store: appointmentsstore.NewBot(store).Together(c.committer), Appointments: c.appointments, Settings: botSettings{c}, Phones: phones{},
		Now: c.now, Logger: c.logger.With("module", "bot")})
	c.events.Consume("bot", bot.EventNames(), func(ctx context.Context, rec outbox.Record) error {
		return talker.HandleEvent(ctx, rec.ID, rec.Event)
	})
	register(c.jobs, &bot.AnswerJob{}, talker.HandleAnswer)
	c.every(time.Hour, "old conversations", func(ctx context.Context) error {
		_, err := talker.Clean(ctx)
		return err
	})
	return nil
}

func appointmentsRoutes(c *core, api *httpkit.API) { appointmentsapi.Register(api, c.appointments) }

// phones reads phone numbers for the modules that must not know the library.
type phones struct{}

// Parse implements appointments.Phones.
func (phones) Parse(text, region string) (string, error) { return phone.Parse(text, region) }

// Fold implements appointments.Phones.
func (phones) Fold(e164 string) string { return phone.Fold(e164) }

// businesses gives appointments the part of a tenant's settings that its set-up starts from.
type businesses struct{ c *core }

// Business implements appointments.Businesses.
func (b businesses) Business(ctx context.Context, tenant id.Tenant) (appointments.Business, error) {
	s, err := b.c.tenantBook().Settings(ctx, tenant)
	return appointments.Business{Name: s.Name, Zone: s.Zone, Address: s.Address, Region: s.Country}, err
}

// botSettings gives the bot the part of a tenant's settings that it needs.
type botSettings struct{ c *core }

// BotSettings implements bot.TenantSettings.
func (b botSettings) BotSettings(ctx context.Context, tenant id.Tenant) (bot.Settings, error) {
	s, err := b.c.tenantBook().Settings(ctx, tenant)
	if err != nil {
		return bot.Settings{}, err
	}
	active, err := b.c.tenantBook().IsActive(ctx, tenant)
	return bot.Settings{On: s.BotEnabled && active, Business: s.Name, Address: s.Address, Language: s.Language}, err
}
