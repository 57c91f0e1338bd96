package main

import (
	"context"
	"crypto/rand"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"
)

// pages are what people see of the provider.
type pages struct {
	storage *storage
	back    func(context.Context, string) string

	mu       sync.Mutex
	sessions map[string]session
}

// session is a browser that has signed in at the provider.
type session struct {
	subject string
	at      time.Time
}

const cookieName = "provider_session"

var form = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>Test provider</title>
<main><h1>Sign in at the test provider</h1>{{with .Error}}<p role="alert">{{.}}</p>{{end}}
<form method="post" action="/login"><input type="hidden" name="id" value="{{.ID}}">
<p><label>Name <input name="username" autocomplete="username" autofocus></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<p><button>Sign in at the provider</button></p></form></main></html>`))

// ask shows the form, or lets through who has signed in recently enough.
func (p *pages) ask(w http.ResponseWriter, r *http.Request) {
	request, err := p.storage.request(r.FormValue("id"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if cookie, err := r.Cookie(cookieName); err == nil {
		p.mu.Lock()
		known, found := p.sessions[cookie.Value]
		p.mu.Unlock()
		if found && request.accepts(known.at) {
			p.storage.done(request, known.subject, known.at)
			http.Redirect(w, r, p.back(r.Context(), request.id), http.StatusFound)
			return
		}
	}
	p.show(w, request.id, "", http.StatusOK)
}

func (p *pages) show(w http.ResponseWriter, id, trouble string, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = form.Execute(w, map[string]string{"ID": id, "Error": trouble}) // the browser has gone away
}

func (p *pages) take(w http.ResponseWriter, r *http.Request) {
	request, err := p.storage.request(r.PostFormValue("id"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	who, err := p.storage.byPassword(r.PostFormValue("username"), r.PostFormValue("password"))
	if err != nil {
		p.show(w, request.id, err.Error(), http.StatusUnauthorized)
		return
	}
	now := time.Now()
	secret := rand.Text()
	p.mu.Lock()
	if p.sessions == nil {
		p.sessions = map[string]session{}
	}
	p.sessions[secret] = session{who.Subject, now}
	p.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	p.storage.done(request, who.Subject, now)
	http.Redirect(w, r, p.back(r.Context(), request.id), http.StatusFound)
}

// forgetAtEnd ends the browser's session where the end of it is asked for.
func (p *pages) forgetAtEnd(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/end_session") {
			if cookie, err := r.Cookie(cookieName); err == nil {
				p.mu.Lock()
				delete(p.sessions, cookie.Value)
				p.mu.Unlock()
			}
		}
		inner.ServeHTTP(w, r)
	})
}
