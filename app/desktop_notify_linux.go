//go:build desktop && linux

package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// asNotified returns a text as the system's notifications show it to the letter.
// Most programs that show them read the text as markup, and say so: the name of
// a project could become a link or a picture there. Wails hands it on as it is.
func asNotified(ctx context.Context, text string) string {
	bus, err := dbus.SessionBus()
	if err != nil {
		return text // sending it fails for the same reason, and says so
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var can []string
	err = bus.Object("org.freedesktop.Notifications", "/org/freedesktop/Notifications").
		CallWithContext(ctx, "org.freedesktop.Notifications.GetCapabilities", 0).Store(&can)
	if err != nil || !slices.Contains(can, "body-markup") {
		return text
	}
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
