package web

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
)

// providerThat is a server whose provider answers the question what it is so.
func providerThat(t *testing.T, answer func(w http.ResponseWriter, at string)) (s *Server, at string, log *bytes.Buffer) {
	t.Helper()
	provider := httptest.NewServer(nil)
	t.Cleanup(provider.Close)
	provider.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, provider.URL) })
	log = new(bytes.Buffer)
	nobody := func(context.Context, func(identity.Tx) error) error { return fault.New(fault.NotFound, "nobody") }
	s = closed(t, func(d *Deps) {
		d.Log = slog.New(slog.NewTextHandler(log, nil))
		d.Identity = identity.New(identity.Config{Update: nobody, View: nobody, Now: time.Now, NewID: func() string { return "id" },
			Hashing:  identity.Hashing{MemoryKiB: 8, Passes: 1, Threads: 1},
			Provider: &identity.Provider{Issuer: provider.URL + "/o/adjudge", ClientID: "adjudge", Name: "Authentik", Client: provider.Client()}})
	})
	return s, provider.URL, log
}

func says(issuer string) string {
	return fmt.Sprintf(`{"issuer": %q, "authorization_endpoint": "https://x/a", "token_endpoint": "https://x/t", "jwks_uri": "https://x/k"}`, issuer)
}

func TestAProviderThatCallsItselfOtherwiseIsNamedOnThePageAndInTheLog(t *testing.T) {
	t.Parallel()
	for what, is := range map[string]func(at string) string{
		"a slash at the end": func(at string) string { return at + "/o/adjudge/" },
		"another path":       func(at string) string { return at + "/realms/other" },
		"another host":       func(string) string { return "https://login.example.org" },
	} {
		s, at, log := providerThat(t, func(w http.ResponseWriter, at string) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, says(is(at)))
		})
		for range 2 { // the second is answered from memory, in the same words
			w := post(s, "/sign-in/oidc", url.Values{}, nil)
			page := html.UnescapeString(w.Body.String())
			if w.Code != http.StatusServiceUnavailable || !strings.Contains(page, "Authentik calls itself "+is(at)+", ") || !strings.Contains(page, "--oidc-issuer "+is(at)+";") || strings.Contains(page, "cannot be reached") {
				t.Errorf("%s: %d, the page lacks it: %s", what, w.Code, page)
			}
		}
		if lines := strings.Count(log.String(), `msg="not available"`); lines != 2 || !strings.Contains(log.String(), is(at)) || !strings.Contains(log.String(), "did not match") {
			t.Errorf("%s: the log says\n%s", what, log)
		}
	}
}

func TestWhatKeepsAProviderFromAnsweringIsToldApartAndLogged(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		answer      func(http.ResponseWriter, string)
		page, cause string
	}{
		"a wrong path": {func(w http.ResponseWriter, _ string) { http.Error(w, "no realm here", http.StatusNotFound) }, "it is no OpenID Connect provider", "404 Not Found"},
		"a web page":   {func(w http.ResponseWriter, _ string) { _, _ = fmt.Fprint(w, "<html>") }, "it is no OpenID Connect provider", "decode"},
		"an outage":    {func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusBadGateway) }, "Authentik cannot be reached just now", "502 Bad Gateway"},
		"an overload":  {func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusTooManyRequests) }, "Authentik cannot be reached just now", "429 Too Many Requests"},
		"no answer":    {func(http.ResponseWriter, string) { panic(http.ErrAbortHandler) }, "Authentik cannot be reached just now", "EOF"},
	} {
		s, _, log := providerThat(t, c.answer)
		w := post(s, "/sign-in/oidc", url.Values{}, nil)
		if page := html.UnescapeString(w.Body.String()); w.Code != http.StatusServiceUnavailable || !strings.Contains(page, c.page) {
			t.Errorf("%s: %d, the page lacks %q: %s", what, w.Code, c.page, page)
		}
		if !strings.Contains(log.String(), `msg="not available"`) || !strings.Contains(log.String(), c.cause) {
			t.Errorf("%s: the log lacks %q:\n%s", what, c.cause, log)
		}
	}
}

func TestEveryAnswerOf503HasItsCauseInTheLog(t *testing.T) {
	t.Parallel()
	log := new(bytes.Buffer)
	s := closed(t, func(d *Deps) { d.Log = slog.New(slog.NewTextHandler(log, nil)) })
	s.mux.Get("/api/away", s.answering(func(http.ResponseWriter, *http.Request) error {
		return fault.As(fault.Unavailable, fmt.Errorf("bucket: connection refused"), "The files cannot be reached.")
	}))
	if w := ask(s, GET, "/api/away", nil); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "refused") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "bucket: connection refused") {
		t.Errorf("the log says\n%s", log)
	}
}
