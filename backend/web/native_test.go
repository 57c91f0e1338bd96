package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// window stands for the desktop window: it chooses a file without asking.
type window struct {
	refuses bool
	name    string
	file    *chosen
	opened  string
}

func (w *window) SaveAs(_ context.Context, name string) (NativeFile, error) {
	w.name = name
	if w.refuses {
		return nil, nil
	}
	w.file = &chosen{}
	return w.file, nil
}
func (w *window) OpenURL(_ context.Context, url string) error { w.opened = url; return nil }
func (w *window) Raise(context.Context) error                 { return nil }
func (w *window) Zoom(_ context.Context, step string) error   { w.opened = step; return nil }
func (w *window) Notify(_ context.Context, title, text, href string) error {
	w.opened = title + "|" + text + "|" + href
	return nil
}

type chosen struct {
	bytes.Buffer
	full, closed, aborted bool
}

func (f *chosen) Write(p []byte) (int, error) {
	if f.full {
		return 0, errors.New("no space left on device")
	}
	return f.Buffer.Write(p)
}
func (f *chosen) Close() error { f.closed = true; return nil }
func (f *chosen) Abort()       { f.aborted = true }
func (f *chosen) Path() string { return "/home/anna/labels.csv" }

func desktop(t *testing.T, w *window) *Server {
	t.Helper()
	s := closed(t, func(d *Deps) { d.Native = w })
	s.mux.Get("/export", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="../labels.csv"`)
		_, _ = io.WriteString(w, "key,class\n1,Delivery\n")
	})
	s.mux.Get("/half", s.answering(func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, "key,class\n")
		return io.ErrUnexpectedEOF
	}))
	s.mux.Post("/test/save", s.answering(s.nativeDesk().postSave))
	s.mux.Post("/test/open", s.answering(s.nativeDesk().postOpen))
	return s
}

func send(s http.Handler, target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(POST, target, strings.NewReader(form.Encode()))
	r.Host = "127.0.0.1:8484"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestADownloadIsPouredIntoTheFileThatThePersonChose(t *testing.T) {
	t.Parallel()
	w := &window{}
	answer := send(desktop(t, w), "/test/save", url.Values{"path": {"/export"}})
	if answer.Code != 200 || !strings.Contains(answer.Body.String(), `"saved":true`) {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	if w.name != "labels.csv" {
		t.Errorf("the dialog proposed %q", w.name)
	}
	if got := w.file.String(); got != "key,class\n1,Delivery\n" || !w.file.closed || w.file.aborted {
		t.Errorf("the file holds %q, closed %v, aborted %v", got, w.file.closed, w.file.aborted)
	}
}

func TestADownloadThatBreaksOffLeavesNoFile(t *testing.T) {
	t.Parallel()
	w := &window{}
	answer := send(desktop(t, w), "/test/save", url.Values{"path": {"/half"}})
	if answer.Code != http.StatusServiceUnavailable || !w.file.aborted || w.file.closed {
		t.Errorf("%d %s, closed %v, aborted %v", answer.Code, answer.Body, w.file.closed, w.file.aborted)
	}
}

func TestThinkingBetterOfItSavesNothing(t *testing.T) {
	t.Parallel()
	w := &window{refuses: true}
	answer := send(desktop(t, w), "/test/save", url.Values{"path": {"/export"}})
	if answer.Code != 200 || !strings.Contains(answer.Body.String(), `"saved":false`) {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

func TestWhatAFormWasAnsweredIsSavedAsItIs(t *testing.T) {
	t.Parallel()
	w := &window{}
	long := strings.Repeat("Zeile,ß\n", 200_000)
	answer := send(desktop(t, w), "/test/save", url.Values{"name": {"../../invitations.csv"}, "text": {long}})
	if answer.Code != 200 || w.name != "invitations.csv" || w.file.String() != long || !w.file.closed {
		t.Errorf("%d %s: %q holds %d bytes, closed %v", answer.Code, answer.Body, w.name, w.file.Len(), w.file.closed)
	}
}

func TestOnlyFilesOfThisServerAreSaved(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "http://evil.example/x", "//evil.example/x", "/desktop/save", "export", "/sign-out"} {
		w := &window{}
		if answer := send(desktop(t, w), "/test/save", url.Values{"path": {path}}); answer.Code != http.StatusUnprocessableEntity || w.name != "" {
			t.Errorf("%q: %d, dialog %q", path, answer.Code, w.name)
		}
	}
	w := &window{}
	if answer := send(desktop(t, w), "/test/save", url.Values{"path": {"/nothing-here"}}); answer.Code != http.StatusServiceUnavailable || w.name != "" {
		t.Errorf("a page that is not there: %d, dialog %q", answer.Code, w.name)
	}
}

func TestOnlyWebAndMailLinksLeaveTheWindow(t *testing.T) {
	t.Parallel()
	for link, opens := range map[string]bool{"https://example.com/a?b=c": true, "mailto:a@example.com": true, "file:///etc/passwd": false, "javascript:alert(1)": false, "/items": false} {
		w := &window{}
		answer := send(desktop(t, w), "/test/open", url.Values{"url": {link}})
		if (answer.Code == http.StatusNoContent) != opens || (w.opened != "") != opens {
			t.Errorf("%s: %d, opened %q", link, answer.Code, w.opened)
		}
	}
}

func TestAServerHasNoNativeEndpoints(t *testing.T) {
	t.Parallel()
	s := closed(t, nil)
	for _, path := range []string{"/desktop/save", "/desktop/open", "/desktop/raise"} {
		if got := send(s, path, nil).Code; got != http.StatusNotFound {
			t.Errorf("%s answers %d on a server", path, got)
		}
		if got := send(desktop(t, &window{}), path, nil).Code; got == http.StatusNotFound || got < 400 {
			t.Errorf("%s answers a stranger %d in a window", path, got)
		}
	}
}
