package httpapi

import (
	"context"
	"net/http"
	"time"

	"turnero/internal/id"
	"turnero/internal/platform/httpkit"
	"turnero/internal/tenants"
)

type settingsBody struct {
	Name            string `json:"name"`
	Slug            string `json:"slug" doc:"names the booking page; the operator changes it"`
	Zone            string `json:"zone" example:"America/Argentina/Buenos_Aires"`
	Language        string `json:"language" enum:"es,en,pt"`
	Country         string `json:"country" doc:"how phone numbers without country code are read" example:"AR"`
	Address         string `json:"address"`
	ReminderOffsets []int  `json:"reminderOffsets" nullable:"false" doc:"minutes before an appointment, longest first"`
	BotEnabled      bool   `json:"botEnabled"`
	Greeting        string `json:"greeting" doc:"what the bot says first; empty = its own words"`
}

func settingsBodyOf(t tenants.Tenant) settingsBody {
	s := t.Settings
	out := settingsBody{Name: s.Name, Slug: t.Slug, Zone: s.Zone, Language: s.Language, Country: s.Country, Address: s.Address, BotEnabled: s.BotEnabled,
		Greeting: s.Greeting, ReminderOffsets: make([]int, len(s.ReminderOffsets))}
	for i, d := range s.ReminderOffsets {
		out.ReminderOffsets[i] = int(d / time.Minute)
	}
	return out
}

// SettingsPatch holds the fields that may be changed; what is absent stays.
type SettingsPatch struct {
	Name            *string `json:"name,omitempty" maxLength:"400" doc:"1 to 100 characters"`
	Zone            *string `json:"zone,omitempty" maxLength:"100" doc:"name in the IANA time zone database"`
	Language        *string `json:"language,omitempty" enum:"es,en,pt"`
	Country         *string `json:"country,omitempty" maxLength:"10" doc:"ISO 3166-1 alpha-2"`
	Address         *string `json:"address,omitempty" maxLength:"1200" doc:"at most 300 characters"`
	ReminderOffsets *[]int  `json:"reminderOffsets,omitempty" maxItems:"20" doc:"at most 4 different ones, 5 to 20160 minutes each; none = no reminders"`
	BotEnabled      *bool   `json:"botEnabled,omitempty"`
	Greeting        *string `json:"greeting,omitempty" maxLength:"2000" doc:"at most 500 characters"`
}

// mostMinutes keeps a number of minutes from overflowing a duration; far beyond what is accepted.
const mostMinutes = 10_000_000

func (p SettingsPatch) domain() tenants.SettingsPatch {
	out := tenants.SettingsPatch{Name: p.Name, Zone: p.Zone, Language: p.Language, Country: p.Country, Address: p.Address, BotEnabled: p.BotEnabled, Greeting: p.Greeting}
	if p.ReminderOffsets != nil {
		offsets := make([]time.Duration, len(*p.ReminderOffsets))
		for i, m := range *p.ReminderOffsets {
			offsets[i] = time.Duration(max(-1, min(m, mostMinutes))) * time.Minute
		}
		out.ReminderOffsets = &offsets
	}
	return out
}

type settingsInput struct{ Body SettingsPatch }

type settingsOutput struct{ Body settingsBody }

func registerSettings(api *httpkit.API, svc *tenants.Service) {
	httpkit.Handle(api, httpkit.Op{ID: "get-settings", Method: http.MethodGet, Path: "/api/settings", Tag: tag, Roles: []id.Role{id.Admin, id.Employee},
		Scope: "settings:read", Summary: "The settings of the business"},
		func(ctx context.Context, p id.Principal, _ *struct{}) (*settingsOutput, error) {
			t, err := svc.FindTenant(ctx, p.Tenant)
			return &settingsOutput{Body: settingsBodyOf(t)}, err
		})
	httpkit.Handle(api, httpkit.Op{ID: "update-settings", Method: http.MethodPatch, Path: "/api/settings", Tag: tag, Roles: []id.Role{id.Admin},
		Scope: "settings:write", Summary: "Change settings of the business", Description: "Only the fields that are there are changed."},
		func(ctx context.Context, p id.Principal, in *settingsInput) (*settingsOutput, error) {
			t, err := svc.UpdateSettings(ctx, callerOf(ctx, p), p.Tenant, in.Body.domain())
			return &settingsOutput{Body: settingsBodyOf(t)}, err
		})
}
