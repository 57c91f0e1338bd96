package web

import (
	"net/http"
	"strconv"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// zoneOf is the time zone that a person set for themselves.
func zoneOf(r *http.Request) string {
	if zone := visitOf(r).Person.TimeZone; zone != "" {
		return zone
	}
	return "UTC"
}

func (s *Server) showBallot(w http.ResponseWriter, r *http.Request, status int, form page.FormView, withdraw bool) error {
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	actor := actorOf(r)
	v := page.BallotView{Project: linkOf(r), Ballot: c.Ballot(actor), By: actor, TimeZone: zoneOf(r), Form: form, Withdraw: withdraw}
	switch {
	case c.Candidate.State == review.StateDraft || c.Candidate.State == review.StateWithdrawn:
		return fault.New(fault.Conflict, "Candidate %d is %s, so nobody votes on it.", c.Candidate.Number, c.Candidate.State)
	case withdraw && len(v.Mine) == 0:
		return fault.New(fault.NotFound, "No vote of yours stands on this candidate.")
	}
	kind := "vote"
	if withdraw {
		kind = "unvote"
	}
	frame := below(r, ui.T(r.Context(), "vote.title."+kind, "name", c.Candidate.Name), ui.Crumb{Text: title(c.Candidate), Href: linkOf(r).Href("candidates", strconv.Itoa(c.Candidate.Number))})
	frame.Main = "narrow"
	return s.render(w, r, status, frame, page.Vote(v))
}

func (s *Server) getVote(w http.ResponseWriter, r *http.Request) error {
	return s.showBallot(w, r, http.StatusOK, page.FormView{}, false)
}

func (s *Server) getUnvote(w http.ResponseWriter, r *http.Request) error {
	return s.showBallot(w, r, http.StatusOK, page.FormView{}, true)
}

// isRetry reports whether a form with a password is shown again: also when the
// password was tried too often.
func isRetry(err error) bool {
	return isRefusal(err) || fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Unauthenticated)
}

func (s *Server) postVote(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ref, err := candidateRef(r)
	if err != nil {
		return err
	}
	f := r.PostForm
	req := review.VoteRequest{
		Project: projectOf(r).ID, Candidate: ref, Label: f.Get("label"), Role: ledger.Role(f.Get("role")), Comment: f.Get("comment"),
		Password: f.Get("password"), TimeZone: f.Get("time_zone"), Address: s.address(r),
	}
	req.Value, err = strconv.Atoi(f.Get("value"))
	if err != nil {
		err = fault.Field("value", "Choose an answer.")
	} else {
		req.Sentence = f.Get(page.SentenceField(req.Label, req.Role, req.Value))
		_, err = s.Review.Vote(r.Context(), actorOf(r), req)
	}
	if isRetry(err) {
		return s.showBallot(w, r, http.StatusUnprocessableEntity, page.Refused(typed(r, "value", "role", "comment"), err), false)
	}
	if err != nil {
		return err
	}
	return s.backTo(w, r, "voted")
}

func (s *Server) postUnvote(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ref, err := candidateRef(r)
	if err != nil {
		return err
	}
	f := r.PostForm
	_, err = s.Review.WithdrawVote(r.Context(), actorOf(r), review.WithdrawVoteRequest{
		Project: projectOf(r).ID, Candidate: ref, Label: f.Get("label"), Comment: f.Get("comment"), Password: f.Get("password"), TimeZone: f.Get("time_zone"), Address: s.address(r),
	})
	if isRetry(err) {
		return s.showBallot(w, r, http.StatusUnprocessableEntity, page.Refused(typed(r, "comment"), err), true)
	}
	if err != nil {
		return err
	}
	return s.backTo(w, r, "unvoted")
}

func (s *Server) showRevoke(w http.ResponseWriter, r *http.Request, status int, form page.FormView) error {
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	if c.Candidate.State != review.StateApproved {
		return fault.New(fault.Conflict, "Candidate %d is %s; only an approval can be withdrawn.", c.Candidate.Number, c.Candidate.State)
	}
	frame := below(r, ui.T(r.Context(), "candidate.revoke"), ui.Crumb{Text: title(c.Candidate), Href: linkOf(r).Href("candidates", strconv.Itoa(c.Candidate.Number))})
	frame.Main = "narrow"
	return s.render(w, r, status, frame, page.Revoke(page.RevokeView{Project: linkOf(r), Candidate: c.Candidate, Actor: actorOf(r), TimeZone: zoneOf(r), Form: form}))
}

func (s *Server) getRevoke(w http.ResponseWriter, r *http.Request) error {
	return s.showRevoke(w, r, http.StatusOK, page.FormView{})
}

func (s *Server) postRevoke(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ref, err := candidateRef(r)
	if err != nil {
		return err
	}
	f := r.PostForm
	_, err = s.Review.Withdraw(r.Context(), actorOf(r), review.WithdrawRequest{
		Project: projectOf(r).ID, Candidate: ref, Reason: f.Get("reason"), Password: f.Get("password"), TimeZone: f.Get("time_zone"), Address: s.address(r),
	})
	if isRetry(err) && !fault.Is(err, fault.Conflict) {
		return s.showRevoke(w, r, http.StatusUnprocessableEntity, page.Refused(typed(r, "reason"), err))
	}
	if err != nil {
		return err
	}
	return s.backTo(w, r, "revoked")
}
