package tenants

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones must load on machines without a zone database
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"turnero/internal/fault"
)

// The bounds of settings. Lengths are in characters.
const (
	MaxNameLength     = 100
	MaxAddressLength  = 300
	MaxGreetingLength = 500
	MaxReminders      = 4
	MinReminderOffset = 5 * time.Minute
	MaxReminderOffset = 14 * 24 * time.Hour
)

// Languages are those that a business can speak to its customers.
var Languages = []string{"es", "en", "pt"}

// Settings are what a business decides about itself.
type Settings struct {
	Name            string
	Zone            string          // IANA name
	Language        string          // one of Languages
	Country         string          // ISO 3166-1 alpha-2: how phone numbers without country code are read
	Address         string          // as customers are told; may be empty
	ReminderOffsets []time.Duration // how long before an appointment; whole minutes, longest first
	BotEnabled      bool
	Greeting        string // what the bot says first; "" = its own words
}

// SettingsPatch is what to change of the settings; nil leaves as it is.
type SettingsPatch struct {
	Name            *string
	Zone            *string
	Language        *string
	Country         *string
	Address         *string
	ReminderOffsets *[]time.Duration
	BotEnabled      *bool
	Greeting        *string
}

// defaultReminders are a day and two hours before.
func defaultReminders() []time.Duration { return []time.Duration{24 * time.Hour, 2 * time.Hour} }

// apply gives the settings with the patch, and the names of the fields that it really changes.
func (p SettingsPatch) apply(s Settings) (Settings, []string) {
	var changed []string
	set := func(name string, field *string, value *string) {
		if value == nil {
			return
		}
		if clean := strings.TrimSpace(norm.NFC.String(*value)); clean != *field {
			*field, changed = clean, append(changed, name)
		}
	}
	set("name", &s.Name, p.Name)
	set("zone", &s.Zone, p.Zone)
	set("language", &s.Language, p.Language)
	set("country", &s.Country, p.Country)
	set("address", &s.Address, p.Address)
	set("greeting", &s.Greeting, p.Greeting)
	if p.ReminderOffsets != nil {
		offsets := slices.Clone(*p.ReminderOffsets)
		slices.SortFunc(offsets, func(a, b time.Duration) int { return cmp.Compare(b, a) })
		if !slices.Equal(offsets, s.ReminderOffsets) {
			s.ReminderOffsets, changed = offsets, append(changed, "reminderOffsets")
		}
	}
	if p.BotEnabled != nil && *p.BotEnabled != s.BotEnabled {
		s.BotEnabled, changed = *p.BotEnabled, append(changed, "botEnabled")
	}
	return s, changed
}

// broken names every rule that the settings break.
func (s Settings) broken() []fault.Field {
	var out []fault.Field
	add := func(name, rule string) {
		if rule != "" {
			out = append(out, fault.Field{Name: name, Rule: rule})
		}
	}
	if s.Name == "" {
		add("name", "is required")
	}
	add("name", textRule(s.Name, MaxNameLength, false))
	add("zone", zoneRule(s.Zone))
	if !slices.Contains(Languages, s.Language) {
		add("language", "must be one of "+strings.Join(Languages, ", "))
	}
	if !isCountry(s.Country) {
		add("country", "must be the two capital letters of a country, such as AR")
	}
	add("address", textRule(s.Address, MaxAddressLength, true))
	add("greeting", textRule(s.Greeting, MaxGreetingLength, true))
	add("reminderOffsets", remindersRule(s.ReminderOffsets))
	return out
}

func textRule(s string, most int, lines bool) string {
	isBad := func(r rune) bool { return unicode.IsControl(r) && !(lines && r == '\n') }
	switch {
	case utf8.RuneCountInString(s) > most:
		return fmt.Sprintf("must have at most %d characters", most)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, isBad):
		return "must not hold control characters"
	}
	return ""
}

// zoneRule refuses what is not in the zone database, and "Local", which means something else on every machine.
func zoneRule(zone string) string {
	const rule = "must be the name of a time zone, such as America/Argentina/Buenos_Aires"
	if zone == "" || zone == "Local" || len(zone) > 64 {
		return rule
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return rule
	}
	return ""
}

func remindersRule(offsets []time.Duration) string {
	if len(offsets) > MaxReminders {
		return fmt.Sprintf("must be at most %d", MaxReminders)
	}
	for i, d := range offsets {
		if d < MinReminderOffset || d > MaxReminderOffset || d%time.Minute != 0 {
			return fmt.Sprintf("must each be %d to %d whole minutes", MinReminderOffset/time.Minute, MaxReminderOffset/time.Minute)
		}
		if slices.Contains(offsets[:i], d) {
			return "must all be different"
		}
	}
	return ""
}
