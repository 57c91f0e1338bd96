package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/frontend/ui"
)

func TestAWindowRemembersItsPortAndSize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := readWindowState(dir)
	if first.Port != 0 || first.Width < 320 {
		t.Fatalf("a first start is %+v", first)
	}
	want := windowState{Port: 40123, Width: 900, Height: 700, Maximised: true, Zoom: 1.25, Noted: "v1.4.0"}
	if err := want.write(dir); err != nil {
		t.Fatal(err)
	}
	if got := readWindowState(dir); got != want {
		t.Errorf("remembered %+v, want %+v", got, want)
	}
	for _, damaged := range []string{"", "{", `{"port": 99999, "width": 1, "height": 1}`} {
		if err := os.WriteFile(filepath.Join(dir, windowFile), []byte(damaged), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := readWindowState(dir); got != first {
			t.Errorf("a damaged file %q gives %+v, want a first start", damaged, got)
		}
	}
}

func TestTheDoorwayMovesOnToTheServerWithAFreshTokenEachTime(t *testing.T) {
	t.Parallel()
	tokens := 0
	served := 0
	d := &doorway{
		listen: func(port int) (net.Addr, error) { return &net.TCPAddr{Port: max(port, 41000)}, nil },
		launch: func(context.Context) (string, error) { tokens++; return strings.Repeat("t", tokens), nil },
		chosen: func(port int) { served = port },
		port:   41234,
	}
	d.open(d.port)
	for _, want := range []string{"/launch?token=t", "/launch?token=tt"} {
		page := doorwayBody(t, d, "/")
		if !strings.Contains(page, `http://127.0.0.1:41234`+want) && !strings.Contains(page, strings.ReplaceAll(`http://127.0.0.1:41234`+want, "/", `\/`)) {
			t.Errorf("the page does not go to %s:\n%s", want, page)
		}
	}
	if served != 41234 {
		t.Errorf("port %d was remembered", served)
	}
	if body := doorwayBody(t, d, "/other"); strings.Contains(body, "token") {
		t.Error("another path gets a token, too")
	}
}

func TestTheDoorwayAsksWhenItsPortIsTaken(t *testing.T) {
	t.Parallel()
	taken := true
	var asked []int
	d := &doorway{
		listen: func(port int) (net.Addr, error) {
			asked = append(asked, port)
			if port == 41234 && taken {
				return nil, errors.New("address already in use")
			}
			if port == 0 {
				port = 50000
			}
			return &net.TCPAddr{Port: port}, nil
		},
		launch: func(context.Context) (string, error) { return "t", nil },
		chosen: func(int) {},
		port:   41234,
	}
	d.open(d.port)
	page := doorwayBody(t, d, "/")
	for _, part := range []string{"41234", "address already in use", "?port=same", "?port=any"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page does not show %q", part)
		}
	}
	if page = doorwayBody(t, d, "/?port=same"); strings.Contains(page, "launch") {
		t.Error("trying again succeeded on a port that is taken")
	}
	taken = false
	if page = doorwayBody(t, d, "/?port=same"); !strings.Contains(page, "41234") || !strings.Contains(page, "launch") {
		t.Errorf("the port is free again, and the page says\n%s", page)
	}
	doorwayBody(t, d, "/?port=any")
	if len(asked) != 3 {
		t.Errorf("ports %v were tried; a server that runs is not started again", asked)
	}
}

func doorwayBody(t *testing.T, d *doorway, target string) string {
	t.Helper()
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", target, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestASavedFileReplacesAnOldOneOnlyWhenItIsWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "labels.csv")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	save := func(text string, end func(*chosenFile)) {
		f, err := createChosen(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
		end(f)
	}
	read := func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	save("half", func(f *chosenFile) { f.Abort() })
	if got := read(); got != "old" {
		t.Errorf("a broken export left %q", got)
	}
	save("new", func(f *chosenFile) {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	if got := read(); got != "new" {
		t.Errorf("a saved file holds %q", got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file that was private is now %v (%v)", info.Mode(), err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("%d files stand there (%v)", len(left), err)
	}
}

func TestAWindowSpeaksTheLanguageOfItsPersonElseOfTheSystem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		chosen string
		system map[string]string
		want   string
	}{
		{"", nil, "en"},
		{"de", nil, "de"},
		{"", map[string]string{"LANG": "de_DE.UTF-8"}, "de"},
		{"", map[string]string{"LANG": "de_AT@euro"}, "de"},
		{"", map[string]string{"LANG": "C.UTF-8"}, "en"},
		{"", map[string]string{"LANG": "fr_FR.UTF-8"}, "en"},
		{"", map[string]string{"LANG": "en_GB.UTF-8", "LC_MESSAGES": "de_DE.UTF-8"}, "de"},
		{"", map[string]string{"LANG": "de_DE.UTF-8", "LC_MESSAGES": "de_DE.UTF-8", "LC_ALL": "C"}, "en"},
		{"en", map[string]string{"LANG": "de_DE.UTF-8"}, "en"},
	} {
		got := windowLanguage(c.chosen, func(name string) string { return c.system[name] })
		if got.Tag != c.want {
			t.Errorf("a person who chose %q, on a system with %v, reads %s, want %s", c.chosen, c.system, got.Tag, c.want)
		}
	}
}

func TestTheMenuIsGermanForAGermanPerson(t *testing.T) {
	t.Parallel()
	d := &doorway{language: func(context.Context) string { return "de" }}
	said := func(menu []menuColumn) string {
		var lines []string
		for _, column := range menu {
			line := column.Text + ":"
			for _, entry := range column.Entries {
				if entry.Act == "" {
					line += " |"
				} else {
					line += " " + entry.Text + ","
				}
			}
			lines = append(lines, line)
		}
		return strings.Join(lines, "\n")
	}
	want := `Datei: Server …, Drucken …, | Beenden,
Suchen: Auf der Seite suchen …, Nächste Fundstelle, Vorige Fundstelle,
Ansicht: Zurück, Vor, Neu laden, | Größer, Kleiner, Übliche Größe, | Vollbild,
Hilfe: Was neu ist, Über Adjudge,`
	if got := said(windowMenu(d.speak(t.Context()))); got != want {
		t.Errorf("the menu is\n%s\nwant\n%s", got, want)
	}
	if got := said(windowMenu(t.Context())); !strings.HasPrefix(got, "File: Server…, Print…, | Quit,") {
		t.Errorf("the English menu is\n%s", got)
	}
}

func TestTheDoorwaySpeaksGermanToAGermanPerson(t *testing.T) {
	t.Parallel()
	d := &doorway{
		language: func(context.Context) string { return "de" },
		listen:   func(int) (net.Addr, error) { return nil, errors.New("address already in use") },
		change:   func(string) error { return nil }, quit: func() {},
		port: 41234,
	}
	d.open(d.port)
	for target, says := range map[string][]string{
		"/":             {`<html lang="de">`, "Port 41234", "Noch einmal versuchen", "Anderen Port nehmen"},
		"/?server=here": {`<html lang="de">`, "dieses schließt sich"},
	} {
		body := doorwayBody(t, d, target)
		for _, part := range says {
			if !strings.Contains(body, part) {
				t.Errorf("%s does not say %q:\n%s", target, part, body)
			}
		}
	}
}

func TestTheWindowsScriptHasItsWordsInEveryLanguage(t *testing.T) {
	t.Parallel()
	script, err := windowWords()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"de":{`, `"find":"Auf der Seite suchen"`, `"find":"Find in the page"`, `"at":"[at] von [n]"`} {
		if !strings.Contains(script, part) {
			t.Errorf("the script's words lack %s: %s", part, script)
		}
	}
	if strings.Contains(script, "window.js.") || len(ui.Languages()) < 2 {
		t.Errorf("a word of the script is missing: %s", script)
	}
}
