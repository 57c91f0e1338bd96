package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestAnErrorShowsWhatWasTypedAndNoSecrets(t *testing.T) {
	t.Parallel()
	s := closed(t, nil)
	s.mux.Post("/fails", s.answering(func(_ http.ResponseWriter, r *http.Request) error {
		if err := parseForm(r); err != nil {
			return err
		}
		return errors.New("disk on fire")
	}))
	page := post(s, "/fails", url.Values{"comment": {"two hours <b>of</b> words"}, "old_password": {"hunter2"}, "token": {"adj_x"}, "next": {"/"}, "empty": {" "}}, nil).Body.String()
	for _, part := range []string{"What you sent", "<code>comment</code>", "two hours &lt;b&gt;of&lt;/b&gt; words", `data-lost="unsure"`} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	for _, secret := range []string{"hunter2", "adj_x", "<code>empty</code>", "<code>next</code>", "disk on fire"} {
		if strings.Contains(page, secret) {
			t.Errorf("the page holds %s", secret)
		}
	}
}
