package app

import (
	"context"

	"turnero/internal/events"
	"turnero/internal/id"
	"turnero/internal/notifications"
	notificationsapi "turnero/internal/notifications/httpapi"
	notificationsstore "turnero/internal/notifications/sqlstore"
	"turnero/internal/platform/httpkit"
)

func buildNotifications(c *core) error {
	c.notifications = notifications.New(notifications.Deps{Store: notificationsstore.New(c.db, c.events, c.jobs), Settings: reminderSettings{c},
		Appointments: standings{c}, Now: c.now, Logger: c.logger.With("module", "notifications")})
	c.consume("notifications", c.notifications.HandleEvent, &events.AppointmentBooked{}, &events.AppointmentRescheduled{}, &events.AppointmentCancelled{})
	register(c.jobs, &notifications.RemindJob{}, c.notifications.HandleRemind)
	return nil
}

func notificationsRoutes(c *core, api *httpkit.API) { notificationsapi.Register(api, c.notifications) }

// reminderSettings gives notifications the part of a tenant's settings that it needs.
type reminderSettings struct{ c *core }

// ReminderSettings implements notifications.TenantSettings.
func (r reminderSettings) ReminderSettings(ctx context.Context, tenant id.Tenant) (notifications.Settings, error) {
	s, err := r.c.tenantBook().Settings(ctx, tenant)
	return notifications.Settings{Business: s.Name, Address: s.Address, Language: s.Language, Offsets: s.ReminderOffsets}, err
}

// standings tells notifications how an appointment stands now.
type standings struct{ c *core }

// Standing implements notifications.Appointments.
func (s standings) Standing(ctx context.Context, tenant id.Tenant, appointment id.Appointment) (notifications.Standing, error) {
	a, err := s.c.standing(ctx, tenant, appointment)
	return notifications.Standing{Start: a.Start, Active: a.Active}, err
}
