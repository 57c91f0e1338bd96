package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// candidateRef reads which candidate a page is about. What names none is no
// mistake of a form but a page that does not exist.
func candidateRef(r *http.Request) (review.CandidateRef, error) {
	ref, err := review.ParseCandidateRef(r.PathValue("candidate"))
	if err != nil {
		return ref, fault.New(fault.NotFound, "This project has no such candidate.")
	}
	return ref, nil
}

func (s *Server) getCandidates(w http.ResponseWriter, r *http.Request) error {
	const size = 50
	ctx, actor, link := r.Context(), actorOf(r), linkOf(r)
	q := r.URL.Query()
	v := page.CandidatesView{Project: link, State: review.State(q.Get("state")), MayPropose: actor.May(link.ID, ledger.ActionPropose)}
	found, err := s.Review.Candidates(ctx, actor, review.CandidateFilter{Project: link.ID, State: v.State, Before: max(0, number(q.Get("before"), 0)), Limit: size})
	if err != nil {
		return err
	}
	names, err := s.Identity.Names(ctx)
	if err != nil {
		return err
	}
	waiting, err := s.Review.WaitingFor(ctx, actor, link.ID)
	if err != nil {
		return err
	}
	for _, c := range found {
		v.Rows = append(v.Rows, page.CandidateRow{
			Candidate: c, Href: link.Href("candidates", strconv.Itoa(c.Number)), ProposedBy: page.Names(names).Name(c.ProposedBy),
			Waiting: slices.ContainsFunc(waiting, func(w review.Candidate) bool { return w.ID == c.ID }),
		})
	}
	if len(found) == size {
		next := url.Values{"before": {strconv.Itoa(found[size-1].Number)}}
		if v.State != "" {
			next.Set("state", string(v.State))
		}
		v.Next = "?" + next.Encode()
	}
	return s.render(w, r, http.StatusOK, view{Title: ui.T(ctx, "candidates.title"), Active: "candidates"}, page.Candidates(v))
}

// below is the frame of a page below the list of candidates.
func below(r *http.Request, title string, more ...ui.Crumb) view {
	path := append([]ui.Crumb{{Text: ui.T(r.Context(), "candidates.title"), Href: linkOf(r).Href("candidates")}}, more...)
	return view{Title: title, Path: append(path, ui.Crumb{Text: title}), Active: "candidates"}
}

func (s *Server) showPropose(w http.ResponseWriter, r *http.Request, status int, form page.FormView) error {
	models, err := s.Review.Models(r.Context(), actorOf(r), projectOf(r).ID)
	if err != nil {
		return err
	}
	v := below(r, ui.T(r.Context(), "propose.title"))
	v.Main = "narrow"
	return s.render(w, r, status, v, page.Propose(page.ProposeView{Project: linkOf(r), Models: models, Form: form}))
}

func (s *Server) getPropose(w http.ResponseWriter, r *http.Request) error {
	return s.showPropose(w, r, http.StatusOK, page.FormView{Values: map[string]string{
		"model": clipped(r.URL.Query().Get("model")), "environment": string(review.Production),
	}})
}

func (s *Server) postCandidate(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ref, err := compare.ParseModelRef(r.PostForm.Get("model"))
	environment, err2 := review.ParseEnvironment(r.PostForm.Get("environment"))
	if err == nil {
		err = err2
	}
	var c review.Candidate
	if err == nil {
		c, err = s.Review.Propose(r.Context(), actorOf(r), review.ProposeRequest{Project: projectOf(r).ID, Model: ref, Environment: environment, Note: r.PostForm.Get("note")})
	}
	if isRefusal(err) || fault.Is(err, fault.NotFound) {
		return s.showPropose(w, r, http.StatusUnprocessableEntity, s.refused(r.Context(), typed(r, "model", "environment", "note"), err))
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, linkOf(r).Href("candidates", strconv.Itoa(c.Number))+"?done=proposed")
}

// caseOf reads the candidate that a page is about.
func (s *Server) caseOf(r *http.Request) (review.Case, error) {
	ref, err := candidateRef(r)
	if err != nil {
		return review.Case{}, err
	}
	return s.Review.Case(r.Context(), actorOf(r), projectOf(r).ID, ref)
}

func title(c review.Candidate) string { return c.Name + " #" + strconv.Itoa(c.Number) }

func (s *Server) showCandidate(w http.ResponseWriter, r *http.Request, status int, comment page.FormView) error {
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	names, err := s.Identity.Names(r.Context())
	if err != nil {
		return err
	}
	v := page.NewCandidateView(linkOf(r), c, actorOf(r), names, r.URL.Query().Get("tab"), s.Now())
	v.Comment, v.Looked = comment, s.looked(r, review.LookCandidate, string(c.Candidate.ID))
	if v.Hold, err = s.holdOf(r, erasure.Holdable{Kind: "candidate", ID: string(c.Candidate.ID)}); err != nil {
		return err
	}
	frame := below(r, title(c.Candidate))
	frame.Islands = islandsFor(v.Looked)
	switch done := r.URL.Query().Get("done"); done {
	case "proposed", "voted", "unvoted", "revoked", "commented", "rebased", "measuring":
		frame.Status = ui.T(r.Context(), "review.done."+done)
	}
	return s.render(w, r, status, frame, page.Candidate(v))
}

func (s *Server) getCandidate(w http.ResponseWriter, r *http.Request) error {
	return s.showCandidate(w, r, http.StatusOK, page.FormView{})
}

func (s *Server) getGate(w http.ResponseWriter, r *http.Request) error {
	ctx, actor, place := r.Context(), actorOf(r), projectOf(r)
	c, err := s.caseOf(r)
	if err != nil {
		return err
	}
	answer, err := s.Review.Recompute(ctx, actor, place.ID, review.CandidateRef{ID: c.Candidate.ID})
	if err != nil {
		return err
	}
	frame := below(r, ui.T(ctx, "candidate.gate"), ui.Crumb{Text: title(c.Candidate), Href: linkOf(r).Href("candidates", strconv.Itoa(c.Candidate.Number))})
	return s.render(w, r, http.StatusOK, frame, page.GateAnswer(answer))
}

func (s *Server) postComment(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ref, err := candidateRef(r)
	if err != nil {
		return err
	}
	_, err = s.Review.Comment(r.Context(), actorOf(r), review.CommentRequest{Project: projectOf(r).ID, Candidate: ref, Kind: review.CommentKind(r.PostForm.Get("kind")), Text: r.PostForm.Get("text")})
	if isRefusal(err) {
		return s.showCandidate(w, r, http.StatusUnprocessableEntity, s.refused(r.Context(), typed(r, "text", "kind"), err))
	}
	if err != nil {
		return err
	}
	return s.backTo(w, r, "commented")
}

// backTo sends the browser to the candidate's page and says what was done.
func (s *Server) backTo(w http.ResponseWriter, r *http.Request, done string) error {
	return s.seeOther(w, r, linkOf(r).Href("candidates", url.PathEscape(r.PathValue("candidate")))+"?done="+done)
}

func (s *Server) postMeasure(w http.ResponseWriter, r *http.Request) error {
	ref, err := candidateRef(r)
	if err != nil {
		return err
	}
	if err := s.Review.Measure(r.Context(), actorOf(r), projectOf(r).ID, ref); err != nil {
		return err
	}
	return s.seeOther(w, r, linkOf(r).Href("candidates", url.PathEscape(r.PathValue("candidate")))+"?tab="+page.TabPredictions+"&done=measuring")
}

func (s *Server) postRebase(w http.ResponseWriter, r *http.Request) error {
	ref, err := candidateRef(r)
	if err != nil {
		return err
	}
	if _, err := s.Review.Rebase(r.Context(), actorOf(r), projectOf(r).ID, ref); err != nil {
		return err
	}
	return s.backTo(w, r, "rebased")
}
