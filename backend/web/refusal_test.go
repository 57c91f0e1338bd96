package web

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/ledger"
)

// What a German is refused is said in German, on pages and to the scripts of
// pages; what a program is refused is said in English.
func TestRefusalsSpeakTheLanguageOfTheirReader(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	german := func(r *http.Request) { r.Header.Set("Accept-Language", "de") }

	wrong := leadForm("/")
	wrong.Set("password", "something else")
	page := post(s, "/sign-in", wrong, german).Body.String()
	if want := "Dieser Name und dieses Passwort gehören nicht zusammen."; !strings.Contains(page, want) || strings.Contains(page, "do not belong together") {
		t.Errorf("a wrong password on a German page is not refused with %q", want)
	}
	mirrored := &http.Cookie{Name: s.languageCookie(), Value: "en-XB"}
	page = post(s, "/sign-in", wrong, func(r *http.Request) { r.AddCookie(mirrored) }).Body.String()
	if !strings.Contains(page, "\u202epassword\u202c") || strings.Contains(page, "do not belong") {
		t.Error("the refusal of a wrong password is not mirrored")
	}

	lead := signedIn(s, town.cookie(t, "lead"))
	nowhere := func(change func(*http.Request)) (string, string) {
		w := ask(s, GET, "/api/v1/projects/none", func(r *http.Request) { german(r); change(r) })
		return w.Header().Get("Content-Language"), w.Body.String()
	}
	for _, c := range []struct {
		who    string
		change func(*http.Request)
		tag    string
		says   string
	}{
		{"a page's script", lead, "de", `"title":"Nicht gefunden"`},
		{"a token", func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+town.token(t, "lead", ledger.ScopeRead))
		}, "en", `"title":"Not found"`},
		{"a token that nobody knows", func(r *http.Request) { r.Header.Set("Authorization", "Bearer adj_nobody") }, "en", `"title":"Nobody is signed in"`},
	} {
		if tag, body := nowhere(c.change); tag != c.tag || !strings.Contains(body, c.says) {
			t.Errorf("%s is answered in %q: %s", c.who, tag, body)
		}
	}

	if r := post(s, "/account/preferences", url.Values{"language": {"de"}}, lead); r.Code != http.StatusSeeOther {
		t.Fatalf("choosing German is answered by %d", r.Code)
	}
	page = post(s, "/account", url.Values{"name": {""}, "time_zone": {"Europe/Atlantis"}}, lead).Body.String()
	if want := "Eine Zeitzone „Europe/Atlantis“ gibt es nicht."; !strings.Contains(page, want) {
		t.Errorf("the field of the time zone does not say %q", want)
	}
	if page := ask(s, GET, "/nowhere", lead).Body.String(); !strings.Contains(page, "Unter dieser Adresse ist nichts.") {
		t.Error("the page of an error does not speak the language that its person chose")
	}
}

func TestARequestThatIsNotUTF8ChangesNoName(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	for _, name := range []string{"Anna M\xfcller", `Anna \uD83D`, `Anna \ude00\ud83d`, `Anna \\\uD83D.`} {
		body := `{"username":"anna","name":"` + name + `"}`
		w := ask(s, POST, "/api/v1/people", func(r *http.Request) {
			signedIn(s, town.cookie(t, "owner"))(r)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			r.Header.Set("Content-Type", "application/json")
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		})
		if w.Code < 400 || w.Code >= 500 || !strings.Contains(w.Body.String(), "UTF-8") {
			t.Errorf("%q: %d %s", name, w.Code, w.Body)
		}
	}
	if _, err := town.identity.PersonByUsername(t.Context(), ledger.System(), "anna"); err == nil {
		t.Error("a person was made whose name nobody gave")
	}
	for _, whole := range []string{`"\ud83d\ude00"`, `"\\ud83d"`, `"\\\\\u00e4"`, "\"ä\"", `"\n\""`, `{}`, `"\`, ``} {
		if err := mustBeUnicode([]byte(whole)); err != nil {
			t.Errorf("%s: %v", whole, err)
		}
	}
}
