package page

import (
	"context"
	"strings"
	"time"

	"github.com/adjudge/adjudge/frontend/ui"
)

// lockHint says when a browser is locked by itself.
func lockHint(ctx context.Context, installation time.Duration) string {
	if installation == 0 {
		return ui.T(ctx, "account.lock.hint")
	}
	return ui.T(ctx, "account.lock.hint.limit", "n", max(1, int(installation.Minutes())))
}

// browser names a browser by its User-Agent, roughly: enough to recognise one's own.
func browser(agent string) string {
	name, system := "", ""
	for _, b := range []struct{ mark, name string }{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	} {
		if strings.Contains(agent, b.mark) {
			name = b.name
			break
		}
	}
	for _, s := range []struct{ mark, name string }{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	} {
		if strings.Contains(agent, s.mark) {
			system = s.name
			break
		}
	}
	switch {
	case name != "" && system != "":
		return name + ", " + system
	case name != "":
		return name
	}
	if program, _, _ := strings.Cut(agent, " "); program != "" {
		return program
	}
	return "?"
}

// languageOptions are the languages to choose from, and what the browser asks for.
func languageOptions(ctx context.Context) []ui.Option {
	options := []ui.Option{{Value: "", Text: ui.T(ctx, "account.language.browser")}}
	for _, l := range ui.Languages() {
		options = append(options, ui.Option{Value: l.Tag, Text: l.Name})
	}
	return options
}
