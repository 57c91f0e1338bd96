//go:build desktop

package app

import (
	"context"
	"math"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/frontend/ui"
)

// What only a build with a window needs of the doorway and of zooming.

// zoomed returns the zoom that follows on another.
func zoomed(now float64, step string) (float64, error) {
	at := 0
	for i, z := range zooms {
		if math.Abs(z-now) < math.Abs(zooms[at]-now) {
			at = i
		}
	}
	switch step {
	case "in":
		return zooms[min(at+1, len(zooms)-1)], nil
	case "out":
		return zooms[max(at-1, 0)], nil
	case "reset":
		return 1, nil
	}
	return 0, fault.Field("step", "Pages are zoomed in, out, or by reset.")
}

// ask lets the page ask for a server when it is shown next.
func (d *doorway) ask() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asking = true
}

// where says in words what the window shows.
func (d *doorway) where(ctx context.Context) string {
	if d.server != "" {
		return ui.T(ctx, "window.shows", "server", d.server)
	}
	return ui.T(ctx, "window.shows.local")
}
