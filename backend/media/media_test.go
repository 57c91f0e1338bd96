package media

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

const gif = "GIF89a a picture"

// shelves opens a directory "pics" with some files, beside one that must stay
// unread.
func shelves(t *testing.T, hosts ...string) (*Sources, string) {
	t.Helper()
	base := t.TempDir()
	dir := filepath.Join(base, "pics")
	for name, content := range map[string]string{"secret.gif": gif, "pics/a.gif": gif, "pics/in/b.gif": gif + " b", "pics/page.gif": "<!doctype html><script>1</script>", "pics/draw.gif": "<?xml version='1.0'?><svg/>"} {
		path := filepath.Join(base, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(Config{Dirs: map[string]string{"pics": dir}, Hosts: hosts, Temp: filepath.Join(base, "shown")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, dir
}

func TestReferencesHaveOneForm(t *testing.T) {
	t.Parallel()
	s, _ := shelves(t, "img.example.org")
	for reference, want := range map[string]string{
		"pics/a.gif":                        "media://pics/a.gif",
		"media://pics/in/b.gif":             "media://pics/in/b.gif",
		"https://img.example.org/a.gif?s=1": "https://img.example.org/a.gif?s=1",
		"https://img.example.org/a.gif#top": "https://img.example.org/a.gif",
	} {
		if got, err := s.Name(reference); got != want || err != nil {
			t.Errorf("%s: %s (%v)", reference, got, err)
		}
	}
	for reference, want := range map[string]struct {
		kind  fault.Kind
		words string
	}{
		"pics/../secret.gif":                 {fault.Invalid, "leads out"},
		"media://pics/../secret.gif":         {fault.Invalid, "leads out"},
		"pics//etc/passwd":                   {fault.Invalid, "leads out"},
		`pics/..\secret.gif`:                 {fault.Invalid, "leads out"},
		"pics/":                              {fault.Invalid, "leads out"},
		"other/a.gif":                        {fault.Unavailable, "serve --media other=DIR"},
		"/etc/passwd":                        {fault.Unavailable, "no directory"},
		"http://img.example.org/a.gif":       {fault.Invalid, "cannot be read"},
		"file:///etc/passwd":                 {fault.Invalid, "cannot be read"},
		"https://elsewhere.example/a.gif":    {fault.Denied, "--media-host elsewhere.example"},
		"https://img.example.org:8443/x":     {fault.Denied, "--media-host"},
		"https://ana:pw@img.example.org/x":   {fault.Invalid, "leave it out"},
		"https://169.254.169.254/latest":     {fault.Denied, "--media-host"},
		"pics/a\u202egif":                    {fault.Invalid, "nobody sees"},
		"pics/a\x00.gif":                     {fault.Invalid, "nobody sees"},
		"https://img.example.org.evil/a.gif": {fault.Denied, "--media-host"},
	} {
		if _, err := s.Name(reference); fault.KindOf(err) != want.kind || !strings.Contains(fault.Message(err), want.words) {
			t.Errorf("%q: %v, want %s %q", reference, err, want.kind, want.words)
		}
	}
}

func TestNothingLeadsOutOfADirectory(t *testing.T) {
	t.Parallel()
	s, dir := shelves(t)
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	link("../secret.gif", "out.gif")
	link(filepath.Join(filepath.Dir(dir), "secret.gif"), "absolute.gif")
	link("..", "up")
	link("a.gif", "within.gif")
	for _, uri := range []string{"media://pics/out.gif", "media://pics/absolute.gif", "media://pics/up/secret.gif", "media://pics/in", "media://pics/none.gif"} {
		if _, err := s.Look(t.Context(), uri); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", uri, err)
		}
	}
	if o, err := s.Look(t.Context(), "media://pics/within.gif"); err != nil || o.Digest != ledger.DigestOf([]byte(gif)) {
		t.Errorf("a link within: %v", err)
	}
}

func TestAnObjectIsKnownByItsBytes(t *testing.T) {
	t.Parallel()
	s, dir := shelves(t)
	for name, c := range map[string]struct{ content, want string }{
		"a.png":  {"\x89PNG\x0D\x0A\x1A\x0A", "image/png"},
		"a.jpg":  {"\xFF\xD8\xFF\xE0", "image/jpeg"},
		"a.webp": {"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"},
		"a.wav":  {"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"},
		"a.mp3":  {"ID3\x03", "audio/mpeg"},
		"b.mp3":  {"\xFF\xFB\x90\x00", "audio/mpeg"},
		"a.ogg":  {"OggS\x00", "audio/ogg"},
		"a.mp4":  {"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "video/mp4"},
		"a.webm": {"\x1A\x45\xDF\xA3", "video/webm"},
		"b.png":  {"<svg xmlns='http://www.w3.org/2000/svg'/>", ""},
		"c.png":  {"  <html><script>", ""},
		"d.png":  {"%PDF-1.7", ""},
		"e.png":  {"BM bitmap", ""},
		"f.png":  {"", ""},
		"g.png":  {"\xFF\xFE text", ""},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if o, err := s.Look(t.Context(), "media://pics/"+name); err != nil || o.Type != c.want || o.Digest != ledger.DigestOf([]byte(c.content)) {
			t.Errorf("%s is %q (%v), want %q", name, o.Type, err, c.want)
		}
	}
}

func TestAnObjectIsBounded(t *testing.T) {
	t.Parallel()
	s, dir := shelves(t)
	big := filepath.Join(dir, "big.gif")
	if err := os.WriteFile(big, []byte(gif), 0o600); err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int64]fault.Kind{labeling.MostMedia: "", labeling.MostMedia + 1: fault.TooLarge} {
		if err := os.Truncate(big, size); err != nil {
			t.Fatal(err)
		}
		o, err := s.Fetch(t.Context(), "media://pics/big.gif")
		if fault.KindOf(err) != want {
			t.Errorf("%d bytes: %v", size, err)
		}
		if err == nil {
			if err := o.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if left, err := os.ReadDir(s.Temp); err != nil || len(left) > 0 {
		t.Errorf("%d files stay behind (%v)", len(left), err)
	}
	if len(s.slots) != 0 {
		t.Errorf("%d slots are not given back", len(s.slots))
	}
}

// What was compared is what is sent, whatever happens to the file in between.
func TestAnObjectThatChangesAfterTheLookIsSentAsItWasLookedAt(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"in memory": 100, "in a file": inMemory + 100} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir := shelves(t)
			before := append([]byte(gif), bytes.Repeat([]byte("x"), size)...)
			path := filepath.Join(dir, "a.gif")
			if err := os.WriteFile(path, before, 0o600); err != nil {
				t.Fatal(err)
			}
			o, err := s.Fetch(t.Context(), "media://pics/a.gif")
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			if err := os.WriteFile(path, []byte("GIF89a another"), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(o)
			if err != nil || !bytes.Equal(got, before) || o.Digest != ledger.DigestOf(before) {
				t.Errorf("%d bytes (%v), want the %d that were looked at", len(got), err, len(before))
			}
			if _, err := o.Seek(3, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			if rest, err := io.ReadAll(o); err != nil || !bytes.Equal(rest, before[3:]) {
				t.Errorf("a range: %d bytes (%v)", len(rest), err)
			}
		})
	}
}

func TestTheWebIsReadOnlyWhereTheOperatorSaysSo(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, gif) }))
	t.Cleanup(inside.Close)
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/a.gif":
			_, _ = io.WriteString(w, gif)
		case "/here":
			http.Redirect(w, r, "/a.gif", http.StatusFound)
		case "/inside":
			http.Redirect(w, r, inside.URL+"/a.gif", http.StatusFound)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/endless":
			piece := bytes.Repeat([]byte("x"), 1<<20)
			for range labeling.MostMedia>>20 + 2 {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(outer.Close)
	at, err := url.Parse(outer.URL)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := shelves(t, at.Host)
	s.plain = true
	for path, want := range map[string]struct {
		kind  fault.Kind
		words string
	}{
		"/a.gif":   {"", ""},
		"/here":    {"", ""},
		"/inside":  {fault.Unavailable, "did not name with --media-host"},
		"/gone":    {fault.NotFound, "nothing at"},
		"/none":    {fault.NotFound, "nothing at"},
		"/busy":    {fault.Unavailable, "503"},
		"/endless": {fault.TooLarge, "more than 64 MB"},
	} {
		o, err := s.Look(t.Context(), outer.URL+path)
		if fault.KindOf(err) != want.kind || err != nil && !strings.Contains(fault.Message(err), want.words) {
			t.Errorf("%s: %v", path, err)
		}
		if err == nil && o.Digest != ledger.DigestOf([]byte(gif)) {
			t.Errorf("%s: other bytes", path)
		}
	}
	if _, err := s.Look(t.Context(), inside.URL+"/a.gif"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a host that nobody named: %v", err)
	}
}

func TestAPrivateAddressIsReadOnlyWhereItWasNamed(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, gif) }))
	t.Cleanup(server.Close)
	s, _ := shelves(t, "img.example.org")
	for _, address := range []string{server.URL + "/a.gif", "https://10.0.0.1/a.gif", "https://[::1]/a.gif"} {
		if _, err := s.Look(t.Context(), address); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAReadThatNobodyWaitsForEnds(t *testing.T) {
	t.Parallel()
	s, _ := shelves(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Fetch(ctx, "media://pics/a.gif"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("error = %v", err)
	}
	if len(s.slots) != 0 {
		t.Errorf("%d slots are not given back", len(s.slots))
	}
}

func TestDirectoriesAreNamed(t *testing.T) {
	t.Parallel()
	if name, dir, err := ParseDir("scans=/srv/scans=2"); name != "scans" || dir != "/srv/scans=2" || err != nil {
		t.Errorf("%s %s (%v)", name, dir, err)
	}
	for _, text := range []string{"scans", "=x", "a/b=x", "scans=", "..=x"} {
		if _, _, err := ParseDir(text); err == nil {
			t.Errorf("%q names a directory", text)
		}
	}
	if _, err := Open(Config{Dirs: map[string]string{"x": "/nowhere/at/all"}, Temp: t.TempDir()}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a directory that is not there: %v", err)
	}
}
