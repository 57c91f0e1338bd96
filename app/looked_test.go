package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// A page tells that it is open as every form is sent: by somebody who is signed
// in, from this site, and only about what they may vote on. What it says stands
// in what is kept of that person, and in nobody else's.
func TestAPageTellsThatItIsOpenOnlyOfWhoVotes(t *testing.T) {
	t.Parallel()
	b := newBlind(t, labeling.PurposeTraining, 1)
	var model compare.Model
	b.must(b.store.Update(t.Context(), func(tx *store.Tx) (err error) {
		model, err = compare.Register(tx, b.people["data_scientist"], compare.Model{ID: compare.ModelID(newID()), Project: b.project.ID, Name: "intents",
			Digest: ledger.DigestOf([]byte("weights")), CreatedBy: b.people["data_scientist"].Person, CreatedAt: tx.Now()})
		return err
	}))
	tell := func(who, site, body string) int {
		r := b.request(http.MethodPost, "/projects/p/looks", body)
		r.Header.Set("Sec-Fetch-Site", site)
		if who != "" {
			r.AddCookie(b.login(who))
		}
		w := httptest.NewRecorder()
		b.web.ServeHTTP(w, r)
		return w.Code
	}
	open := "kind=model&thing=" + string(model.ID) + "&millis=0"
	for _, c := range []struct {
		who, site, body string
		want            int
	}{
		{"reviewer", "same-origin", open, http.StatusNoContent},
		{"approver", "same-origin", open, http.StatusNoContent},
		{"reviewer", "cross-site", open, http.StatusForbidden},
		{"", "same-origin", open, http.StatusUnauthorized},
		{"ana", "same-origin", open, http.StatusForbidden},
		{"auditor", "same-origin", open, http.StatusForbidden},
		{"lead", "same-origin", open, http.StatusForbidden},
		{"reviewer", "same-origin", "kind=model&thing=none", http.StatusNotFound},
		{"reviewer", "same-origin", open + "&item=x", http.StatusUnprocessableEntity},
		{"reviewer", "same-origin", "kind=model&thing=" + string(model.ID) + "&millis=99999999999", http.StatusUnprocessableEntity},
	} {
		if got := tell(c.who, c.site, c.body); got != c.want {
			t.Errorf("%q from %s, %s: %d, want %d", c.who, c.site, c.body, got, c.want)
		}
	}
	b.must(b.store.View(t.Context(), func(tx *store.Tx) error {
		for who, want := range map[string]int{"reviewer": 1, "approver": 1, "ana": 0, "lead": 0} {
			looks, err := tx.FindLooks(b.project.ID, b.people[who].Person, tx.Now().Add(time.Minute))
			if err != nil {
				return err
			}
			if len(looks) != want || want > 0 && (looks[0].Kind != review.LookModel || looks[0].Digest != model.Digest) {
				t.Errorf("of %s is kept: %+v", who, looks)
			}
		}
		return nil
	}))
	shows := func(who, address string) string {
		_, body := b.send(asker{who: who}, b.request(http.MethodGet, address, ""))
		return body
	}
	if body := shows("reviewer", "/account/data.json"); !strings.Contains(body, `"looks": 1`) {
		t.Errorf("My data does not count it: %s", body)
	}
	if body := shows("lead", "/projects/p/models/"+string(model.ID)); strings.Contains(body, "adjudge-looked") {
		t.Error("the page of somebody who does not vote tells that it is open")
	}
}
