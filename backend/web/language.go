package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/frontend/ui"
)

// languageRoutes let anybody choose the language of the pages.
func (s *Server) languageRoutes() []route {
	return []route{
		{POST, "/language", none, "", s.postLanguage},
	}
}

// postLanguage keeps the choice with the person where one is signed in, and in
// a cookie for the pages before that.
func (s *Server) postLanguage(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	tag := r.PostForm.Get("language")
	if !slices.ContainsFunc(ui.Languages(), func(l *ui.Language) bool { return l.Tag == tag }) {
		return fault.Field("language", "Choose one of the languages that this server speaks.")
	}
	if visit, err := s.byCookie(r.Context(), r); err == nil {
		chosen := visit.Person.Preferences
		chosen.Language = tag
		if err := s.Identity.ChangePreferences(r.Context(), visit.Actor, chosen); err != nil {
			return err
		}
	}
	s.setLanguage(w, tag)
	next := "/"
	if from, err := url.Parse(r.Referer()); err == nil {
		next = localPath(cutPrefix(from.RequestURI(), s.prefix()))
	}
	return s.seeOther(w, r, next)
}

// languageCookie names the cookie that holds the choice of a browser.
func (s *Server) languageCookie() string { return "adjudge_language_" + s.DataID }

func (s *Server) setLanguage(w http.ResponseWriter, tag string) {
	age := 365 * 24 * 60 * 60
	if tag == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.languageCookie(), Value: tag, Path: s.prefix() + "/", MaxAge: age, HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode,
	})
}

// In which language somebody is answered:
//
//   - a person who is signed in, in the one that they chose, whether a page asks
//     or the script of a page: titles and details of problems too;
//   - a browser in which nobody is, in the one of its cookie, else in what
//     Accept-Language asks for;
//   - tokens and commands in English, because logs of CI are read by everybody.
//
// What programs rely on is the same in every language: kinds, states, codes, and
// what the gate and an attestation say. Every answer names its language in
// Content-Language.

// speak gives a request the language of its browser, or English where a program
// sends it.
func (s *Server) speak(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chosen := ""
		if cookie, err := r.Cookie(s.languageCookie()); err == nil {
			chosen = cookie.Value
		}
		l := ui.ChooseLanguage(chosen, r.Header.Get("Accept-Language"))
		if r.Header.Get("Authorization") != "" {
			l = ui.ChooseLanguage("", "")
		}
		next.ServeHTTP(w, r.WithContext(ui.In(r.Context(), l)))
	})
}

// speakTo lets what a person chose for themselves, language and keys, outrank
// their browser.
func speakTo(ctx context.Context, visit identity.Visit) context.Context {
	if visit.Login == "" {
		return ctx
	}
	ctx = ui.WithKeys(ctx, visit.Person.Keys.ByAction())
	if visit.Person.Language == "" {
		return ctx
	}
	return ui.In(ctx, ui.ChooseLanguage(visit.Person.Language, ""))
}

// sayLanguage names the language of an answer.
func sayLanguage(ctx context.Context, h http.Header) {
	h.Set("Content-Language", ui.LanguageOf(ctx).Tag)
}
