package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestPagesSpeakTheLanguageOfTheirReader(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	s := New(town.deps())
	login := &http.Cookie{Name: s.cookieName(), Value: town.cookie(t, "lead")}
	speaks := func(what string, answer string, tag string) {
		t.Helper()
		if !strings.Contains(answer, `<html lang="`+tag+`" `) {
			t.Errorf("%s: the page does not speak %s: %.120s", what, tag, answer)
		}
	}
	from := func(accept string, cookies ...*http.Cookie) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Accept-Language", accept)
			r.Header.Set("Referer", "http://127.0.0.1:8484/account?x=1")
			for _, c := range cookies {
				r.AddCookie(c)
			}
		}
	}
	speaks("a browser that asks for nothing", ask(s, GET, "/sign-in", nil).Body.String(), "en")
	speaks("a German browser", ask(s, GET, "/sign-in", from("de-CH, en;q=0.5")).Body.String(), "de")
	speaks("a page that does not exist", ask(s, GET, "/nowhere", from("de")).Body.String(), "de")

	chosen := post(s, "/language", url.Values{"language": {"de"}}, from("en"))
	if chosen.Code != http.StatusSeeOther || chosen.Header().Get("Location") != "/account?x=1" || len(chosen.Result().Cookies()) != 1 {
		t.Fatalf("choosing German answers %d %v", chosen.Code, chosen.Header())
	}
	browser := chosen.Result().Cookies()[0]
	if !browser.HttpOnly || browser.SameSite != http.SameSiteLaxMode || !strings.HasSuffix(browser.Name, s.DataID) {
		t.Errorf("the cookie is %v", browser)
	}
	speaks("a browser on which German was chosen", ask(s, GET, "/sign-in", from("en", browser)).Body.String(), "de")
	speaks("a person on that browser", ask(s, GET, "/account", from("en", browser, login)).Body.String(), "de")

	for _, wrong := range []string{"", "tlh", "en-XB", "../de"} {
		if r := post(s, "/language", url.Values{"language": {wrong}}, from("en")); r.Code != http.StatusUnprocessableEntity || len(r.Result().Cookies()) > 0 {
			t.Errorf("the language %q is answered by %d", wrong, r.Code)
		}
	}

	if r := post(s, "/language", url.Values{"language": {"de"}}, from("en", login)); r.Code != http.StatusSeeOther {
		t.Fatalf("a person who chooses German is answered by %d %s", r.Code, r.Body)
	}
	speaks("the person on another browser", ask(s, GET, "/account", from("en", login)).Body.String(), "de")
	if r := post(s, "/account/preferences", url.Values{"language": {"en"}, "text_size": {"l"}}, from("de", browser, login)); r.Code != http.StatusSeeOther {
		t.Fatalf("changing preferences is answered by %d %s", r.Code, r.Body)
	}
	speaks("the person after changing it on their own page", ask(s, GET, "/account", from("de", browser, login)).Body.String(), "en")
	if page := ask(s, GET, "/account", from("de", &http.Cookie{Name: browser.Name, Value: "en-XB"}, login)).Body.String(); !strings.Contains(page, `lang="en" dir="ltr"`) {
		t.Error("the browser's choice outranks the person's")
	}
	if page := ask(s, GET, "/sign-in", from("de", &http.Cookie{Name: browser.Name, Value: "en-XB"})).Body.String(); !strings.Contains(page, `lang="en-XB" dir="rtl"`) {
		t.Error("the mirrored language is not there for tests")
	}
}
