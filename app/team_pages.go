package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/frontend/ui"
)

// teamPages are the few pages that the window shows by itself while a team's
// server cannot.
type teamPages struct{ server string }

type teamPage struct {
	Title, Text, Detail string
	// Again makes the page try again by itself.
	Again bool
	Next  string // where the page goes at once
	Go    string // where its one link goes
	// GoText is what the link says, "Continue" if empty.
	GoText string
	// Digits are shown large; Look makes the page look by itself whether it goes
	// on; Post is where its one button sends, and PostText what that says.
	Digits, Post, PostText string
	Look                   bool
	Lang                   string // of the texts, "en" if empty
}

// T is for the template: a text that every page may need, in its language.
func (p teamPage) T(key string) string {
	ctx := ui.In(context.Background(), ui.ChooseLanguage(p.Lang, ""))
	return ui.T(ctx, "team."+key, "seconds", reloadSeconds)
}

// reloadSeconds is how soon the page of a server that is down tries again.
const reloadSeconds = "4"

var teamPageText = template.Must(template.New("team").Parse(`<!doctype html>
<html lang="{{or .Lang "en"}}">
<meta charset="utf-8">
{{if .Next}}<meta http-equiv="refresh" content="0;url={{.Next}}">
<title>Adjudge</title>
{{else}}{{if .Again}}<meta http-equiv="refresh" content="` + reloadSeconds + `">
{{end}}{{if .Look}}<meta http-equiv="refresh" content="2">
{{end}}<meta name="viewport" content="width=device-width">
<title>{{.Title}}</title>
<link rel="stylesheet" href="/desktop/page.css">
<main>
<h1>{{.Title}}</h1>
<p role="status">{{.Text}}</p>
{{if .Again}}<p>{{.T "again.text"}}</p>
<p><a href="">{{.T "again"}}</a></p>
{{end}}{{if .Digits}}<p class="digits">{{.Digits}}</p>
{{end}}{{if .Post}}<form method="post" action="{{.Post}}"><button>{{.PostText}}</button></form>
{{end}}{{if .Go}}<p><a href="{{.Go}}">{{or .GoText (.T "continue")}}</a></p>
{{end}}{{if .Detail}}<p><code>{{.Detail}}</code></p>{{end}}
</main>
{{end}}</html>
`))

const teamPageStyle = `:root { color-scheme: light dark; font: 14px/20px system-ui, sans-serif }
body { max-inline-size: 34rem; margin: 20vh auto; padding-inline: 24px }
h1 { font-size: 20px; line-height: 28px }
a, button { display: inline-block; margin-block-start: 8px; padding: 8px 16px; border: 1px solid; border-radius: 6px; text-decoration: none; font: inherit; color: inherit; background: none }
.digits { font-size: 28px; line-height: 36px; font-weight: 600; letter-spacing: .06em; font-variant-numeric: tabular-nums }
a:focus-visible, button:focus-visible { outline: 3px solid Highlight; outline-offset: 2px }
code { overflow-wrap: anywhere; font-size: 12px }
`

func (p teamPages) show(w http.ResponseWriter, status int, page teamPage) {
	var body bytes.Buffer
	if err := teamPageText.Execute(&body, page); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

// moveOn goes to a page of the server. It is no redirect, because a webview
// counts one as coming from the window's own scheme, and a Strict cookie does
// not travel with it.
func (p teamPages) moveOn(w http.ResponseWriter, next string) {
	p.show(w, http.StatusOK, teamPage{Next: next})
}

// stranger answers who has not come through the window.
func (p teamPages) stranger(ctx context.Context, w http.ResponseWriter) {
	p.show(w, http.StatusForbidden, teamPage{
		Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "team.stranger"), Text: ui.T(ctx, "team.stranger.text", "server", p.server),
	})
}

// unreachable says why the server gave no answer: as a page that tries again,
// or as a problem to what a page asked by itself.
func (p teamPages) unreachable(ctx context.Context, w http.ResponseWriter, r *http.Request, err error) {
	page := p.explain(ctx, err)
	if strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("HX-Request") == "" {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			page.Again = false // nothing is sent twice by itself
			page.Text += " " + ui.T(ctx, "team.sent")
		}
		p.show(w, http.StatusBadGateway, page)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", reloadSeconds)
	w.WriteHeader(http.StatusBadGateway)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": page.Title, "status": http.StatusBadGateway, "detail": page.Text, "kind": fault.Unavailable,
	})
}

// explain says in words why a server cannot be reached. A certificate that is
// not right is refused, and nobody is asked to go on regardless.
func (p teamPages) explain(ctx context.Context, err error) teamPage {
	refused := ui.T(ctx, "team.refused") + " "
	page := teamPage{Lang: ui.LanguageOf(ctx).Tag, Title: ui.T(ctx, "team.certificate", "server", p.server), Detail: err.Error()}
	var (
		name    x509.HostnameError
		issuer  x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
	)
	if to, leaves := errors.AsType[elsewhere](err); leaves {
		return teamPage{Lang: page.Lang, Title: ui.T(ctx, "team.elsewhere", "host", to.host), Detail: err.Error(),
			Text: ui.T(ctx, "team.elsewhere.text", "server", p.server)}
	}
	switch {
	case errors.As(err, &name):
		page.Text = refused + ui.T(ctx, "team.certificate.name")
	case errors.As(err, &issuer):
		page.Text = refused + ui.T(ctx, "team.certificate.issuer")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		page.Text = refused + ui.T(ctx, "team.certificate.expired")
	case errors.As(err, &invalid):
		page.Text = refused + ui.T(ctx, "team.certificate.other")
	default:
		var record tls.RecordHeaderError
		if errors.As(err, &record) {
			return teamPage{Lang: page.Lang, Title: ui.T(ctx, "team.plain", "server", p.server), Detail: err.Error(),
				Text: refused + ui.T(ctx, "team.plain.text")}
		}
		return teamPage{Lang: page.Lang, Title: ui.T(ctx, "team.down", "server", p.server), Detail: err.Error(), Again: true,
			Text: ui.T(ctx, "team.down.text")}
	}
	return page
}
