package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestANewerVersionIsSaidAsTheAddressSaysIt(t *testing.T) {
	t.Parallel()
	body, status := "", http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	n, err := newNews(server.URL+"/latest.json", nil) // a private address: the operator has named it
	if err != nil {
		t.Fatal(err)
	}
	body = `{"version":"v9.4.0","url":"https://example.org/get","changes":["Quicker."]}`
	if err := n.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := n.now(); got.Version != "v9.4.0" || got.URL != "https://example.org/get" || len(got.Changes) != 1 || got.Looked.IsZero() {
		t.Errorf("known is %+v", got)
	}
	body = `{"version":"v9.4.0","url":"javascript:alert(1)"}`
	if err := n.look(t.Context()); err != nil || n.now().URL != "" {
		t.Errorf("a link to %q is offered (%v)", n.now().URL, err)
	}
	for _, wrong := range []string{"", "<html>", `{"version":"soon"}`, `[]`} {
		body = wrong
		if err := n.look(t.Context()); err == nil {
			t.Errorf("%q counts as an answer", wrong)
		}
	}
	status = http.StatusNotFound
	if err := n.look(t.Context()); err == nil {
		t.Error("a page that is not there counts as an answer")
	}
	if n.now().Version != "v9.4.0" {
		t.Error("what was known is forgotten because the address was away for once")
	}
}

func TestNobodyIsAskedForNewsUnlessAnOperatorNamesWhom(t *testing.T) {
	t.Parallel()
	n, err := newNews("", nil)
	if err != nil || n.client != nil || n.now().Asks != "" || n.now().Here == "" {
		t.Errorf("without an address: %+v (%v)", n.now(), err)
	}
	n.run(t.Context(), func(err error) { t.Error(err) }) // returns at once
	for _, address := range []string{"latest.json", "ftp://example.org/x", "https://"} {
		if _, err := newNews(address, nil); err == nil {
			t.Errorf("%q is taken as an address", address)
		}
	}
}
