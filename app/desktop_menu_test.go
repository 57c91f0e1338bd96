//go:build desktop

package app

import (
	"context"
	"testing"

	"github.com/wailsapp/wails/v2/pkg/menu"
)

func TestEveryLineOfTheGermanMenuDoesSomething(t *testing.T) {
	t.Parallel()
	d := &doorway{language: func(context.Context) string { return "de" }}
	w := newWindow(t.TempDir())
	var lines []string
	for _, column := range w.menu(d.speak(t.Context())).Items {
		if column.SubMenu == nil {
			t.Errorf("%q is no menu", column.Label)
			continue
		}
		for _, line := range column.SubMenu.Items {
			if line.Type == menu.SeparatorType {
				continue
			}
			lines = append(lines, line.Label)
			if line.Click == nil {
				t.Errorf("%q, %q does nothing", column.Label, line.Label)
			}
		}
	}
	if len(lines) != len(w.menuActs()) || lines[0] != "Server …" || lines[len(lines)-1] != "Über Adjudge" {
		t.Errorf("the menu has the lines %q", lines)
	}
}
