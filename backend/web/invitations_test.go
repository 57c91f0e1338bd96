package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/ledger"
)

func TestAListIsLookedAtFirstAndItsLinksAreGivenOnce(t *testing.T) {
	t.Parallel()
	town := newTown(t)
	deps := town.deps()
	deps.Projects = func(context.Context, ledger.Actor) ([]Place, error) {
		return []Place{{ID: townProject, Slug: "p1", Name: "Project one"}}, nil
	}
	s := New(deps)
	lead := signedIn(s, town.cookie(t, "lead"))
	send := func(form url.Values) (int, string) {
		r := post(s, "/projects/p1/people/invite", form, lead)
		return r.Code, r.Body.String()
	}
	if code, body := send(url.Values{"csv": {"username,roles\nnora,annotator\nbo,chief"}, "go": {"yes"}}); code != http.StatusUnprocessableEntity || !strings.Contains(body, "Line 3, roles") {
		t.Errorf("a mistake: %d %s", code, body)
	}
	list := "name,username,roles\nNora,nora,annotator|reviewer\n=1+1,bo,annotator\n"
	if code, body := send(url.Values{"csv": {list}}); code != http.StatusOK || !strings.Contains(body, "This changes 2 lines") || strings.Contains(body, "/welcome") {
		t.Errorf("the preview: %d %s", code, body)
	}
	code, body := send(url.Values{"csv": {list}, "go": {"yes"}})
	if code != http.StatusOK || strings.Count(body, `name="link"`) != 2 {
		t.Errorf("carried out: %d %s", code, body)
	}
	if code, body = send(url.Values{"csv": {list}, "go": {"yes"}}); code != http.StatusOK || !strings.Contains(body, "Nothing changes") || strings.Contains(body, "/welcome") {
		t.Errorf("again: %d %s", code, body)
	}
	r := post(s, "/people/invite/list", url.Values{"name": {"=1+1"}, "username": {"bo"}, "link": {"http://x/welcome?token=t"}}, lead)
	if file := r.Body.String(); file != "name,username,link\n'=1+1,bo,http://x/welcome?token=t\n" {
		t.Errorf("the file: %q", file)
	}
}
