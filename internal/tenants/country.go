package tenants

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// defaultCountry is where phone numbers are taken to be from when the zone does not tell.
const defaultCountry = "AR"

// zoneCountries tells the country of the zones of Latin America, Iberia and their neighbours, as the zone database's zone.tab has
// them. Those of Argentina are told by the beginning of their name.
var zoneCountries = map[string]string{
	"America/Asuncion": "PY", "America/Bahia": "BR", "America/Belem": "BR", "America/Boa_Vista": "BR", "America/Bogota": "CO",
	"America/Campo_Grande": "BR", "America/Cancun": "MX", "America/Caracas": "VE", "America/Chicago": "US", "America/Chihuahua": "MX",
	"America/Costa_Rica": "CR", "America/Cuiaba": "BR", "America/Denver": "US", "America/El_Salvador": "SV", "America/Fortaleza": "BR",
	"America/Guatemala": "GT", "America/Guayaquil": "EC", "America/Havana": "CU", "America/Hermosillo": "MX", "America/La_Paz": "BO",
	"America/Lima": "PE", "America/Los_Angeles": "US", "America/Maceio": "BR", "America/Managua": "NI", "America/Manaus": "BR",
	"America/Matamoros": "MX", "America/Mazatlan": "MX", "America/Merida": "MX", "America/Mexico_City": "MX", "America/Monterrey": "MX",
	"America/Montevideo": "UY", "America/New_York": "US", "America/Noronha": "BR", "America/Panama": "PA", "America/Phoenix": "US",
	"America/Porto_Velho": "BR", "America/Puerto_Rico": "PR", "America/Punta_Arenas": "CL", "America/Recife": "BR", "America/Rio_Branco": "BR",
	"America/Santarem": "BR", "America/Santiago": "CL", "America/Santo_Domingo": "DO", "America/Sao_Paulo": "BR", "America/Tegucigalpa": "HN",
	"America/Tijuana": "MX", "Atlantic/Azores": "PT", "Atlantic/Canary": "ES", "Atlantic/Madeira": "PT", "Europe/Lisbon": "PT",
	"Europe/London": "GB", "Europe/Madrid": "ES", "Pacific/Easter": "CL", "Pacific/Galapagos": "EC",
}

// countryOf guesses the country of a zone.
func countryOf(zone string) string {
	if strings.HasPrefix(zone, "America/Argentina/") {
		return "AR"
	}
	if c, ok := zoneCountries[zone]; ok {
		return c
	}
	return defaultCountry
}

// isCountry reports whether the two letters name a country that has phone numbers.
func isCountry(code string) bool {
	return len(code) == 2 && code == strings.ToUpper(code) && phonenumbers.GetCountryCodeForRegion(code) != 0
}
