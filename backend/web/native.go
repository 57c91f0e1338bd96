package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// Native is what a desktop window does that a page cannot: the webviews know
// neither downloads nor a second window. Only the desktop build hands one in,
// and only then do the routes below exist.
type Native interface {
	// SaveAs asks the person where to save a file and opens that place; nil
	// where they thought better of it. Abort leaves what stood there before.
	SaveAs(ctx context.Context, name string) (NativeFile, error)
	// OpenURL opens an address in the person's own browser or mail program.
	OpenURL(ctx context.Context, url string) error
	// Raise brings the window to the front.
	Raise(ctx context.Context) error
	// Notify shows a message of the system. Who presses it comes to the page at
	// href, a local path.
	Notify(ctx context.Context, title, text, href string) error
	// Zoom enlarges the page: "in", "out" or "reset".
	Zoom(ctx context.Context, step string) error
}

// NativeFile is a file that a person chose. Close puts it in place; after Abort
// nothing has changed.
type NativeFile interface {
	io.Writer
	Close() error
	Abort()
	// Path is where it stands, to be shown to the person.
	Path() string
}

// nativeRoutes are for the desktop window's own script (app/desktop.js).
func (s *Server) nativeRoutes() []route {
	if s.Native == nil {
		return nil
	}
	d := s.nativeDesk()
	return []route{
		{POST, "/desktop/save", login, "", d.postSave},
		{POST, "/desktop/open", login, "", d.postOpen},
		{POST, "/desktop/notify", login, "", d.postNotify},
		{POST, "/desktop/zoom", login, "", d.postZoom},
		// A second start finds this one by the credential file of the data directory.
		{POST, "/desktop/raise", token, ledger.ActionAdminister, d.postRaise},
	}
}

// nativeDesk asks this server's own door for what is saved; it is not there yet
// while routes are declared.
func (s *Server) nativeDesk() nativeDesk {
	return nativeDesk{s.Native, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.door.ServeHTTP(w, r) })}
}

// NativeHandler answers the same addresses for a window that shows another
// server: inner leads there. Who may ask is the caller's to decide; errors are
// answered as problems.
func NativeHandler(n Native, inner http.Handler) http.Handler {
	d := nativeDesk{n, inner}
	mux := http.NewServeMux()
	for path, handle := range map[string]func(http.ResponseWriter, *http.Request) error{
		"save": d.postSave, "open": d.postOpen, "notify": d.postNotify, "zoom": d.postZoom, "raise": d.postRaise,
	} {
		mux.HandleFunc("POST /desktop/"+path, func(w http.ResponseWriter, r *http.Request) {
			if path != "save" { // it has a limit of its own
				r = Bounded(w, r, maxBody)
			}
			err := handle(w, r)
			if err == nil {
				return
			}
			kind := fault.KindOf(err)
			status, known := statuses[kind]
			if !known {
				kind, status = fault.Internal, statuses[fault.Internal]
			}
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status.code)
			_ = json.NewEncoder(w).Encode(&Problem{Type: "about:blank", Title: status.title, Status: status.code, Detail: page.Refusal(r.Context(), err), Kind: kind})
		})
	}
	return mux
}

// nativeDesk answers what pages ask of the window.
type nativeDesk struct {
	Native
	inner http.Handler // the server whose pages the window shows
}

// postSave answers a download by a native dialog: it asks this very server for
// the given path with the person's own cookie, and pours what would have been
// the download into the file they chose.
//
// What a page got as the answer to a form it sends as name and text instead.
func (d nativeDesk) postSave(w http.ResponseWriter, r *http.Request) error {
	r = Bounded(w, r, maxSaved)
	if err := r.ParseForm(); err != nil {
		return err
	}
	if name := r.FormValue("name"); name != "" {
		return d.saveText(w, r, name, r.FormValue("text"))
	}
	target := r.FormValue("path")
	if localPath(target) != target || strings.HasPrefix(target, "/desktop/") {
		return fault.Field("path", "Only a file of this server can be saved.")
	}
	// The router must see a request of its own, not a branch of this one.
	ctx := context.WithValue(r.Context(), chi.RouteCtxKey, nil)
	inner, err := http.NewRequestWithContext(ctx, GET, target, nil)
	if err != nil {
		return fault.Field("path", "This is no address: %s", target)
	}
	inner.Host, inner.RemoteAddr = r.Host, r.RemoteAddr
	inner.Header.Set("Cookie", r.Header.Get("Cookie"))
	inner.Header.Set("Accept", "*/*")
	out := &savedAnswer{header: http.Header{}, ask: func(name string) (NativeFile, error) { return d.Native.SaveAs(r.Context(), name) }, target: target}
	whole := d.serveInto(out, inner)
	switch {
	case out.code == http.StatusOK && out.err == nil && out.file == nil: // the person thought better of it
		return renderJSON(w, http.StatusOK, map[string]any{"saved": false, "message": ui.T(r.Context(), "native.unsaved")})
	case out.err != nil:
		out.abort()
		return out.err
	case out.code != http.StatusOK:
		return fault.New(fault.Unavailable, "This cannot be saved right now (the server answered %d). Open it in the window to see why.", out.code)
	case !whole:
		out.abort() // half a file must not look like one
		return fault.New(fault.Unavailable, "The file broke off in the middle and was not saved. Try again.")
	}
	return d.saved(w, r, out.file)
}

// maxSaved is the longest text that a page hands over to be saved, in bytes.
const maxSaved = 32 << 20

func (d nativeDesk) saveText(w http.ResponseWriter, r *http.Request, name, text string) error {
	file, err := d.Native.SaveAs(r.Context(), path.Base("/"+name))
	if err != nil {
		return err
	}
	if file == nil {
		return renderJSON(w, http.StatusOK, map[string]any{"saved": false, "message": ui.T(r.Context(), "native.unsaved")})
	}
	if _, err := io.WriteString(file, text); err != nil {
		file.Abort()
		return fault.As(fault.Unavailable, err, "%s could not be written. Is there room on that disk?", file.Path())
	}
	return d.saved(w, r, file)
}

// saved puts a file in its place and says where that is.
func (d nativeDesk) saved(w http.ResponseWriter, r *http.Request, file NativeFile) error {
	if err := file.Close(); err != nil {
		return fault.As(fault.Unavailable, err, "%s could not be written. Is there room on that disk?", file.Path())
	}
	return renderJSON(w, http.StatusOK, map[string]any{
		"saved": true, "path": file.Path(), "message": ui.T(r.Context(), "native.saved", "path", file.Path()),
	})
}

// serveInto lets the server answer into out, and reports whether the answer
// came to its end.
func (d nativeDesk) serveInto(out http.ResponseWriter, r *http.Request) (whole bool) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
		}
	}()
	d.inner.ServeHTTP(out, r)
	return true
}

// savedAnswer is the ResponseWriter that writes into a file once it knows that
// the answer is one.
type savedAnswer struct {
	header http.Header
	ask    func(name string) (NativeFile, error)
	target string
	code   int
	file   NativeFile
	err    error
}

// Header returns the headers of the answer, which name the file.
func (a *savedAnswer) Header() http.Header { return a.header }

// WriteHeader asks for the place as soon as the answer is a good one.
func (a *savedAnswer) WriteHeader(code int) {
	if a.code != 0 {
		return
	}
	a.code = code
	if code == http.StatusOK {
		a.file, a.err = a.ask(a.name())
	}
}

var errNotSaved = errors.New("nobody takes this answer")

// Write passes on to the file. An error ends the export at its next row.
func (a *savedAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.file == nil {
		return 0, errNotSaved
	}
	n, err := a.file.Write(p)
	if err != nil && a.err == nil {
		a.err = fault.As(fault.Unavailable, err, "%s could not be written. Is there room on that disk?", a.file.Path())
	}
	return n, err
}

// name is what the server calls the file, else the end of its address.
func (a *savedAnswer) name() string {
	_, params, err := mime.ParseMediaType(a.header.Get("Content-Disposition"))
	name := params["filename"]
	if err != nil || name == "" {
		if u, err := url.Parse(a.target); err == nil {
			name = u.Path
		}
	}
	return path.Base("/" + name)
}

func (a *savedAnswer) abort() {
	if a.file != nil {
		a.file.Abort()
	}
}

// postOpen opens a link that leads out of this server.
func (d nativeDesk) postOpen(w http.ResponseWriter, r *http.Request) error {
	u, err := url.Parse(r.FormValue("url"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "mailto" {
		return fault.Field("url", "Only http, https and mailto links are opened outside.")
	}
	if err := d.Native.OpenURL(r.Context(), u.String()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d nativeDesk) postRaise(w http.ResponseWriter, r *http.Request) error {
	if err := d.Native.Raise(r.Context()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postNotify shows a message outside of the window.
func (d nativeDesk) postNotify(w http.ResponseWriter, r *http.Request) error {
	title, text := r.FormValue("title"), r.FormValue("text")
	if title == "" || len(title) > 200 || len(text) > 1000 {
		return fault.Field("title", "A notification has a title of up to 200 bytes and a text of up to 1,000.")
	}
	if err := d.Native.Notify(r.Context(), title, text, localPath(r.FormValue("href"))); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// postZoom is for keys that the window's menu does not take.
func (d nativeDesk) postZoom(w http.ResponseWriter, r *http.Request) error {
	if err := d.Native.Zoom(r.Context(), r.FormValue("step")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
