package page

import (
	"context"

	"github.com/adjudge/adjudge/frontend/ui"
)

func arrivalTitle(ctx context.Context, v ArrivalView) string {
	if v.First {
		return ui.T(ctx, "arrival.first.title")
	}
	return ui.T(ctx, "arrival.title")
}

func arrivalLead(ctx context.Context, v ArrivalView) string {
	if v.First {
		return ui.T(ctx, "arrival.first.lead")
	}
	return ui.T(ctx, "arrival.lead", "username", v.Username)
}

// timeZones are offered while typing; every IANA name is taken.
var timeZones = []string{
	"UTC", "Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi", "America/Argentina/Buenos_Aires", "America/Bogota",
	"America/Chicago", "America/Denver", "America/Los_Angeles", "America/Mexico_City", "America/New_York", "America/Sao_Paulo",
	"America/Toronto", "Asia/Bangkok", "Asia/Dhaka", "Asia/Dubai", "Asia/Hong_Kong", "Asia/Jakarta", "Asia/Jerusalem", "Asia/Karachi",
	"Asia/Kolkata", "Asia/Manila", "Asia/Seoul", "Asia/Shanghai", "Asia/Singapore", "Asia/Taipei", "Asia/Tehran", "Asia/Tokyo",
	"Australia/Perth", "Australia/Sydney", "Europe/Amsterdam", "Europe/Athens", "Europe/Berlin", "Europe/Dublin", "Europe/Helsinki",
	"Europe/Istanbul", "Europe/Lisbon", "Europe/London", "Europe/Madrid", "Europe/Moscow", "Europe/Paris", "Europe/Prague",
	"Europe/Rome", "Europe/Stockholm", "Europe/Vienna", "Europe/Warsaw", "Europe/Zurich", "Pacific/Auckland", "Pacific/Honolulu",
}
