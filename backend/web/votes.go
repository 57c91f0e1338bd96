package web

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

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

// showBallot draws the form of a vote, of taking one back (unvote) or of
// repeating one now that more was compared (confirm).
func (s *Server) showBallot(w http.ResponseWriter, r *http.Request, status int, form page.FormView, kind string) error {
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	actor := actorOf(r)
	v := page.BallotView{Project: linkOf(r), Ballot: c.Ballot(actor), By: actor, TimeZone: zoneOf(r), Form: form, Kind: kind, Proof: s.proof(r)}
	switch {
	case c.Candidate.State == review.StateDraft || c.Candidate.State == review.StateWithdrawn:
		return fault.New(fault.Conflict, "Candidate %d is %s, so nobody votes on it.", c.Candidate.Number, c.Candidate.State)
	case kind != page.BallotVote && len(v.Mine) == 0:
		return fault.New(fault.NotFound, "No vote of yours stands on this candidate.")
	case kind == page.BallotConfirm && v.Awaits:
		return fault.New(fault.Conflict, "The comparison with %s is not there yet. Confirm your vote when it is.", c.Candidate.Baseline.Name)
	case kind == page.BallotConfirm && len(v.Early) == 0:
		return fault.New(fault.Conflict, "Your vote names every comparison there is, so there is nothing to confirm.")
	}
	frame := below(r, ui.T(r.Context(), "vote.title."+kind, "name", c.Candidate.Name), ui.Crumb{Text: title(c.Candidate), Href: linkOf(r).Href("candidates", strconv.Itoa(c.Candidate.Number))})
	frame.Main = "narrow"
	return s.render(w, r, status, frame, page.Vote(v))
}

func (s *Server) getVote(w http.ResponseWriter, r *http.Request) error {
	return s.showBallot(w, r, http.StatusOK, page.FormView{}, page.BallotVote)
}

func (s *Server) getUnvote(w http.ResponseWriter, r *http.Request) error {
	return s.showBallot(w, r, http.StatusOK, page.FormView{}, page.BallotUnvote)
}

func (s *Server) getConfirm(w http.ResponseWriter, r *http.Request) error {
	return s.showBallot(w, r, http.StatusOK, page.FormView{}, page.BallotConfirm)
}

// lookedUntil reads until when a form said what was opened: what cannot be read is now.
func lookedUntil(f url.Values) time.Time {
	at, err := time.Parse(time.RFC3339Nano, f.Get("looked"))
	if err != nil {
		return time.Time{}
	}
	return at
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
		Password: s.passwordOf(r, "password"), TimeZone: f.Get("time_zone"), Looked: lookedUntil(f), Address: s.address(r),
	}
	req.Value, err = strconv.Atoi(f.Get("value"))
	if err != nil {
		err = fault.Field("value", "Choose an answer.")
	} else {
		req.Sentence = f.Get(page.SentenceField(req.Label, req.Role, req.Value))
		_, err = s.Review.Vote(r.Context(), actorOf(r), req)
	}
	if isRetry(err) {
		return s.showBallot(w, r, http.StatusUnprocessableEntity, s.refused(r.Context(), typed(r, "value", "role", "comment"), err), page.BallotVote)
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
		Project: projectOf(r).ID, Candidate: ref, Label: f.Get("label"), Comment: f.Get("comment"), Password: s.passwordOf(r, "password"), TimeZone: f.Get("time_zone"), Sentence: f.Get("sentence"), Address: s.address(r),
	})
	if isRetry(err) {
		return s.showBallot(w, r, http.StatusUnprocessableEntity, s.refused(r.Context(), typed(r, "comment"), err), page.BallotUnvote)
	}
	if err != nil {
		return err
	}
	return s.backTo(w, r, "unvoted")
}

func (s *Server) postConfirm(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ref, err := candidateRef(r)
	if err != nil {
		return err
	}
	f := r.PostForm
	_, err = s.Review.Confirm(r.Context(), actorOf(r), review.ConfirmRequest{
		Project: projectOf(r).ID, Candidate: ref, Label: f.Get("label"), Password: s.passwordOf(r, "password"), TimeZone: f.Get("time_zone"), Sentence: f.Get("sentence"), Looked: lookedUntil(f), Address: s.address(r),
	})
	if isRetry(err) {
		return s.showBallot(w, r, http.StatusUnprocessableEntity, s.refused(r.Context(), typed(r), err), page.BallotConfirm)
	}
	if err != nil {
		return err
	}
	return s.backTo(w, r, "confirmed")
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
	return s.render(w, r, status, frame, page.Revoke(page.RevokeView{Project: linkOf(r), Candidate: c.Candidate, Name: c.SignsAs, TimeZone: zoneOf(r), Form: form, Proof: s.proof(r)}))
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
		Project: projectOf(r).ID, Candidate: ref, Reason: f.Get("reason"), Name: f.Get("name"), Password: s.passwordOf(r, "password"), TimeZone: f.Get("time_zone"), Address: s.address(r),
	})
	if isRetry(err) && !fault.Is(err, fault.Conflict) {
		return s.showRevoke(w, r, http.StatusUnprocessableEntity, s.refused(r.Context(), typed(r, "reason"), err))
	}
	if err != nil {
		return err
	}
	return s.backTo(w, r, "revoked")
}
