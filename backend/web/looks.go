package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/review"
)

// looked makes a page tell that it is open, where that is kept of who opens it.
func (s *Server) looked(r *http.Request, kind review.LookKind, id string) page.LookedView {
	actor, link := actorOf(r), linkOf(r)
	if !review.Recorded(actor, link.ID) {
		return page.LookedView{}
	}
	return page.LookedView{To: link.Href("looks"), Kind: kind, ID: id, Untimed: actor.Untimed}
}

// islandsFor adds the island that tells it to those of a page.
func islandsFor(v page.LookedView, islands ...string) []string {
	if v.ID != "" {
		islands = append(islands, "looked")
	}
	return islands
}

// postLook takes what a page reports of itself while it is open in front of
// somebody. Pages send it, people do not: it answers nothing.
func (s *Server) postLook(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	f := r.PostForm
	req := review.LookRequest{Project: projectOf(r).ID, Kind: review.LookKind(f.Get("kind")), ID: f.Get("thing")}
	if text := f.Get("millis"); text != "" {
		millis, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return fault.Field("millis", "Give milliseconds as a number.")
		}
		req.Claimed = time.Duration(millis) * time.Millisecond
	}
	for _, text := range f["item"] {
		n, err := strconv.Atoi(text)
		if err != nil {
			return fault.Field("item", "Give the place of an item as a number.")
		}
		req.Items = append(req.Items, n)
	}
	if err := s.Review.Look(r.Context(), actorOf(r), req); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
