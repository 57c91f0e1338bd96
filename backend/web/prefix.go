package web

import (
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A server may stand below a path of a site (--url https://host/labels/), behind
// a proxy that passes the path on or cuts it off. Inside, addresses are as if it
// stood at the root; what comes in is cut here, and what goes out is put below
// the prefix here: the headers that name an address, the attributes of our pages
// that do, and cookies. Islands find the prefix in the attribute data-base of
// the page.

// prefix returns the path below which this server stands, "" at the root of a site.
func (s *Server) prefix() string {
	if s.URL == nil {
		return ""
	}
	return strings.TrimRight(s.URL.EscapedPath(), "/")
}

// addressHeaders are the answer's headers that hold an address.
var addressHeaders = []string{"Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "HX-Replace-Url"}

// below lets the inner handler believe that it stands at the root.
func (s *Server) below(inner http.Handler) http.Handler {
	prefix := s.prefix()
	if prefix == "" {
		return inner
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cut := r.Clone(r.Context())
		if cut.URL.Path == prefix {
			http.Redirect(w, r, prefix+"/", http.StatusMovedPermanently)
			return
		}
		cut.URL.Path, cut.URL.RawPath = cutPrefix(r.URL.Path, prefix), cutPrefix(r.URL.RawPath, prefix)
		cut.RequestURI = cutPrefix(r.RequestURI, prefix)
		if from, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil && from.Path != "" {
			from.Path, from.RawPath = cutPrefix(from.Path, prefix), ""
			cut.Header.Set("HX-Current-URL", from.String())
		}
		inner.ServeHTTP(&belowWriter{ResponseWriter: w, prefix: prefix}, cut)
	})
}

func cutPrefix(path, prefix string) string {
	if rest, ok := strings.CutPrefix(path, prefix); ok && strings.HasPrefix(rest, "/") {
		return rest
	}
	return path // the proxy has cut it off, or a command on this machine asks
}

// belowWriter puts the addresses in an answer's headers below the prefix.
type belowWriter struct {
	http.ResponseWriter
	prefix string
}

// WriteHeader mends the headers on their way.
func (w *belowWriter) WriteHeader(code int) {
	for _, name := range addressHeaders {
		if at := w.Header().Get(name); strings.HasPrefix(at, "/") && !strings.HasPrefix(at, "//") {
			w.Header().Set(name, w.prefix+at)
		}
	}
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *belowWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// addressAttributes finds attributes of our pages that hold a local address. What
// people wrote cannot look like one: templates write their quotes as &#34;.
var addressAttributes = regexp.MustCompile(`( (?:href|src|action|formaction|data-src|data-href|hx-(?:get|post|put|patch|delete|push-url|replace-url))=")(/(?:[^/"]|"))`)

// addressConfig finds addresses in the settings that a page hands to an island.
var addressConfig = regexp.MustCompile(`(&#34;(?:src|api|href|url|peek|socket|draft|drafts|guideline|items)&#34;:&#34;)(/[^/])`)

// pageBelow puts the addresses in a page below the prefix.
func (s *Server) pageBelow(page []byte) []byte {
	prefix := s.prefix()
	if prefix == "" {
		return page
	}
	page = addressAttributes.ReplaceAll(page, []byte("${1}"+prefix+"${2}"))
	page = addressConfig.ReplaceAll(page, []byte("${1}"+prefix+"${2}"))
	return bytes.Replace(page, []byte("<html "), []byte(`<html data-base="`+prefix+`" `), 1)
}

// trusted reports whether an address is that of a proxy of ours: one of those
// that were named, else one on this machine if the server has a public address.
func (s *Server) trusted(addr netip.Addr) bool {
	addr = addr.Unmap()
	if len(s.Proxies) == 0 {
		return s.URL != nil && addr.IsLoopback()
	}
	return slices.ContainsFunc(s.Proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}
