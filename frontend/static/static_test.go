package static

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAssetOfAnUnknownNameStillIsAPathThatAnswers404(t *testing.T) {
	t.Parallel()
	url := Asset("no-such-file.js")
	if url != "/static/no-such-file.js" {
		t.Errorf("Asset = %q", url)
	}
	if got := get(t, url, "").Code; got != http.StatusNotFound {
		t.Errorf("GET %s = %d, want 404", url, got)
	}
}

func TestOnlyBundledFilesAreServed(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"/static/", "/static/.keep", "/static/manifest.json", "/static/../static.go", "/static/app.css.gz"} {
		if got := get(t, url, "").Code; got != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", url, got)
		}
	}
}

func TestBundledFilesCarryTheirTypeAndMayBeKeptForEver(t *testing.T) {
	t.Parallel()
	if len(manifest()) == 0 {
		t.Skip("frontend/static/dist is empty: run `make generate` first")
	}
	for name := range manifest() {
		plain := get(t, Asset(name), "")
		if plain.Code != http.StatusOK {
			t.Errorf("GET %s = %d", Asset(name), plain.Code)
		}
		if strings.HasSuffix(name, ".js") && plain.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("%s has type %q", name, plain.Header().Get("Content-Type"))
		}
		if !strings.Contains(plain.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s may not be kept", name)
		}
	}
	small := get(t, Asset("htmx.js"), "br, gzip")
	if small.Header().Get("Content-Encoding") != "gzip" {
		t.Error("htmx.js is not compressed for a browser that takes gzip")
	}
	if refused := get(t, Asset("htmx.js"), "gzip;q=0"); refused.Header().Get("Content-Encoding") != "" {
		t.Error("htmx.js is compressed for a browser that refuses gzip")
	}
}

func get(t *testing.T, url, encoding string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}
