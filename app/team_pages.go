package app

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
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
{{if .Again}}<p>This page tries again every ` + reloadSeconds + ` seconds. What you labeled and the server does not have yet is kept on this computer and is sent when it answers again.</p>
<p><a href="">Try again now</a></p>
{{end}}{{if .Digits}}<p class="digits">{{.Digits}}</p>
{{end}}{{if .Post}}<form method="post" action="{{.Post}}"><button>{{.PostText}}</button></form>
{{end}}{{if .Go}}<p><a href="{{.Go}}">{{or .GoText "Continue"}}</a></p>
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
func (p teamPages) stranger(w http.ResponseWriter) {
	p.show(w, http.StatusForbidden, teamPage{
		Title: "This address belongs to the desktop window",
		Text:  "It shows " + p.server + " to the person at this computer. Use the window, or open the server itself in a browser.",
	})
}

// unreachable says why the server gave no answer: as a page that tries again,
// or as a problem to what a page asked by itself.
func (p teamPages) unreachable(w http.ResponseWriter, r *http.Request, err error) {
	page := p.explain(err)
	if strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("HX-Request") == "" {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			page.Again = false // nothing is sent twice by itself
			page.Text += " Whether it took what you just sent is not known: go back (Alt+Left) and look once it answers."
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
func (p teamPages) explain(err error) teamPage {
	const refused = "The connection was refused, and nothing was sent. "
	page := teamPage{Title: "The certificate of " + p.server + " is not right", Detail: err.Error()}
	var (
		name    x509.HostnameError
		issuer  x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
	)
	if to, leaves := errors.AsType[elsewhere](err); leaves {
		return teamPage{Title: "This goes on at " + to.host + ", and the window cannot follow", Detail: err.Error(),
			Text: "Go back (Alt+Left) and sign in with a password; if you have none, work in a browser at " + p.server + "."}
	}
	switch {
	case errors.As(err, &name):
		page.Text = refused + "It is a certificate for another name. Check the address; if that is right, tell whoever runs the server."
	case errors.As(err, &issuer):
		page.Text = refused + "This computer does not know who issued it. If your organisation issues its own certificates, theirs must be installed on this computer; ask whoever looks after it."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		page.Text = refused + "It has expired, or this computer's clock is wrong. Check the clock; if that is right, tell whoever runs the server."
	case errors.As(err, &invalid):
		page.Text = refused + "Tell whoever runs the server."
	default:
		var record tls.RecordHeaderError
		if errors.As(err, &record) {
			return teamPage{Title: p.server + " does not speak https", Detail: err.Error(),
				Text: "The connection was refused, and nothing was sent. Check the address."}
		}
		return teamPage{Title: p.server + " does not answer", Detail: err.Error(), Again: true,
			Text: "The server is down, or this computer is not connected to its network."}
	}
	return page
}
