// Package static carries what the browser loads: the bundled scripts, the one
// style sheet and the icons. The bundler (build/bundle) writes them to dist
// under names that contain a hash of their content, so that a browser may keep
// a file forever and a new build is seen at once.
//
// dist is not committed. A fresh clone holds only a .keep file there, so that
// the embedding below compiles before the bundler has run.
package static

import (
	"embed"
	"encoding/json"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Prefix is the URL path under which Handler serves.
const Prefix = "/static/"

//go:embed all:dist
var dist embed.FS

// manifest maps the plain name of a file ("app.css") to its hashed name
// ("app-5GQ2KJ3A.css"). It is empty when the bundler has not run.
var manifest = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	text, err := dist.ReadFile("dist/manifest.json")
	if err != nil {
		return names
	}
	// The bundler of the same commit wrote it: a broken one is a broken build,
	// which shows as missing assets.
	_ = json.Unmarshal(text, &names)
	return names
})

// Asset returns the URL path of a file by its plain name, such as "app.css",
// "htmx.js", "label.js" (the island of that name) or "icons/check.svg". An
// unknown name is returned under Prefix unchanged and answers 404.
func Asset(name string) string {
	if hashed, ok := manifest()[name]; ok {
		return Prefix + hashed
	}
	return Prefix + name
}

// Has reports whether the bundler wrote a file of this plain name. A page asks
// before it names the script of an island that is optional.
func Has(name string) bool {
	_, ok := manifest()[name]
	return ok
}

// Handler serves the files below Prefix. Names carry a hash of the content, so
// the answer may be cached for ever; a browser that takes gzip gets the
// compressed copy that the bundler made.
func Handler() http.Handler {
	return http.HandlerFunc(serve)
}

func serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	name := path.Clean("/" + strings.TrimPrefix(r.URL.Path, Prefix))[1:]
	body, err := fs.ReadFile(dist, "dist/"+name)
	if err != nil || name == "manifest.json" || strings.HasPrefix(path.Base(name), ".") || strings.HasSuffix(name, ".gz") {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", mediaType(name))
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("Vary", "Accept-Encoding")
	header.Set("X-Content-Type-Options", "nosniff")
	if small, err := fs.ReadFile(dist, "dist/"+name+".gz"); err == nil && takesGzip(r) {
		header.Set("Content-Encoding", "gzip")
		body = small
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body)
}

// mediaType names the types that matter here itself: mime.TypeByExtension
// reads the machine's own tables, which on some Windows machines call a script
// text/plain, and a browser then refuses to run it.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".map", ".json":
		return "application/json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q := strings.ReplaceAll(weight, " ", "")
			return q != "q=0" && !strings.HasPrefix(q, "q=0.000")
		}
	}
	return false
}
