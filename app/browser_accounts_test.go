//go:build e2e

package app

import (
	"fmt"
	"net/http"
	"strings"
)

// owner signs in whoever the demo belongs to.
func (s *site) owner() *visitor {
	s.t.Helper()
	v := s.visit()
	v.open(s.firstLink())
	return v
}

// password is what everybody of the tests signs in with.
const password = "correct horse battery staple"

// firstLink returns the path of the link that makes the first admin or, in the
// demo, signs its owner in; the server prints it once it is ready.
func (s *site) firstLink() (path string) {
	s.t.Helper()
	s.until("the server prints the link of the first start", func() bool {
		if m := welcomeLink.FindStringSubmatch(s.output.String()); m != nil {
			path = m[1]
		}
		return path != ""
	})
	return path
}

// firstAdmin makes the first account by the link that the server printed.
func (s *site) firstAdmin(name string) *visitor {
	s.t.Helper()
	v := s.visit()
	v.open(s.firstLink())
	v.arrive(strings.ToLower(name), name)
	return v
}

// arrive fills the page behind a one-time link.
func (v *visitor) arrive(username, name string) {
	v.t.Helper()
	v.wait(`document.querySelector('input[name="password"]')`)
	for field, text := range map[string]string{"username": username, "name": name, "password": password, "repeat": password} {
		v.set(field, text)
	}
	v.submit()
}

// set writes a text into the field of a form by the field's name, if it is there.
func (v *visitor) set(field, text string) {
	v.t.Helper()
	ask[bool](v, fmt.Sprintf(`(() => { const f = document.querySelector('input[name=%q]:not([type="hidden"]):not([readonly])'); if (f) f.value = %q; return true; })()`, field, text))
}

// submit submits the form of the page and waits for the page that follows.
func (v *visitor) submit() {
	v.t.Helper()
	ask[bool](v, `(() => { document.documentElement.dataset.leaving = "1"; document.querySelector('main form button.primary, main form [type="submit"]').click(); return true; })()`)
	v.wait(`document.readyState === "complete" && !document.documentElement.dataset.leaving`)
}

// person makes an account with roles in a project.
func (s *site) person(username, project string, roles ...string) {
	s.t.Helper()
	if code := s.api(http.MethodPost, "/people", map[string]any{"username": username, "name": strings.ToUpper(username[:1]) + username[1:],
		"project": project, "roles": roles, "password": password}, nil); code >= 300 {
		s.t.Fatalf("make %s: %d", username, code)
	}
}

// signIn signs a person in.
func (s *site) signIn(username string) *visitor {
	s.t.Helper()
	v := s.visit()
	v.open("/sign-in")
	v.set("username", username)
	v.set("password", password)
	v.submit()
	return v
}
