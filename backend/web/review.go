package web

import (
	"archive/zip"
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

// reviewRoutes are the pages about candidates, votes, policy, environments and
// history.
func (s *Server) reviewRoutes() []route {
	const one = "/projects/{project}/candidates/{candidate}"
	return []route{
		{GET, "/projects/{project}/candidates", login, ledger.ActionRead, s.getCandidates},
		{POST, "/projects/{project}/candidates", login, ledger.ActionPropose, s.postCandidate},
		{GET, "/projects/{project}/candidates/new", login, ledger.ActionPropose, s.getPropose},
		{GET, one, login, ledger.ActionRead, s.getCandidate},
		{GET, one + "/gate", login, ledger.ActionRead, s.getGate},
		{GET, one + "/vote", login, ledger.ActionVote, s.getVote},
		{POST, one + "/vote", login, ledger.ActionVote, s.postVote},
		{GET, one + "/unvote", login, ledger.ActionVote, s.getUnvote},
		{POST, one + "/unvote", login, ledger.ActionVote, s.postUnvote},
		{GET, one + "/withdraw", login, ledger.ActionWithdraw, s.getRevoke},
		{POST, one + "/withdraw", login, ledger.ActionWithdraw, s.postRevoke},
		{POST, one + "/comments", login, ledger.ActionComment, s.postComment},
		{POST, one + "/rebase", login, ledger.ActionPropose, s.postRebase},
		{GET, one + "/evidence.zip", login, ledger.ActionRead, s.getEvidenceZip},
		{GET, one + "/evidence/{file}", login, ledger.ActionRead, s.getEvidence},
		{GET, "/projects/{project}/policy", login, ledger.ActionRead, s.getPolicy},
		{POST, "/projects/{project}/policy", login, ledger.ActionManage, s.postPolicy},
		{GET, "/projects/{project}/environments", login, ledger.ActionRead, s.getEnvironments},
		{GET, "/projects/{project}/history", login, ledger.ActionRead, s.getHistory},
	}
}

func linkOf(r *http.Request) page.ProjectLink {
	p := projectOf(r)
	return page.ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name}
}

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
		return s.showPropose(w, r, http.StatusUnprocessableEntity, page.Refused(typed(r, "model", "environment", "note"), err))
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
	v.Comment = comment
	frame := below(r, title(c.Candidate))
	switch done := r.URL.Query().Get("done"); done {
	case "proposed", "voted", "unvoted", "revoked", "commented", "rebased":
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
	_, err = s.Review.Comment(r.Context(), actorOf(r), review.CommentRequest{Project: projectOf(r).ID, Candidate: ref, Text: r.PostForm.Get("text")})
	if isRefusal(err) {
		return s.showCandidate(w, r, http.StatusUnprocessableEntity, page.Refused(typed(r, "text"), err))
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

func (s *Server) evidenceFiles(r *http.Request) ([]review.File, error) {
	ref, err := candidateRef(r)
	if err != nil {
		return nil, err
	}
	return s.Review.EvidenceFiles(r.Context(), actorOf(r), projectOf(r).ID, ref)
}

func (s *Server) getEvidence(w http.ResponseWriter, r *http.Request) error {
	files, err := s.evidenceFiles(r)
	if err != nil {
		return err
	}
	name := r.PathValue("file")
	i := slices.IndexFunc(files, func(f review.File) bool { return f.Name == name })
	if i < 0 {
		return fault.New(fault.NotFound, "This candidate has no such signed file.")
	}
	return sendFile(w, name, files[i].Content)
}

func (s *Server) getEvidenceZip(w http.ResponseWriter, r *http.Request) error {
	files, err := s.evidenceFiles(r)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for _, f := range files {
		out, err := archive.Create(f.Name)
		if err != nil {
			return err
		}
		if _, err := out.Write(f.Content); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return sendFile(w, "evidence.zip", b.Bytes())
}

// sendFile answers a download. Names are ours: ids and fixed words.
func sendFile(w http.ResponseWriter, name string, content []byte) error {
	kind := "application/octet-stream"
	if strings.HasSuffix(name, ".json") {
		kind = "application/json"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, err := w.Write(content)
	return ignoreGone(err)
}

func (s *Server) showPolicy(w http.ResponseWriter, r *http.Request, status int, text string, form page.FormView) error {
	ctx, actor, link := r.Context(), actorOf(r), linkOf(r)
	policy, err := s.Review.Policy(ctx, actor, link.ID)
	if err != nil {
		return err
	}
	v := page.PolicyView{Project: link, Policy: policy, Text: text, Form: form, MayEdit: actor.May(link.ID, ledger.ActionManage)}
	if text == "" {
		v.Text = policy.Text
	}
	v.Rows = min(40, strings.Count(v.Text, "\n")+2)
	if v.Rules, err = review.ParsePolicy(v.Text); err == nil {
		v.Would, err = s.Review.Rehearse(ctx, actor, link.ID, v.Text)
	}
	if err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	frame := view{Title: ui.T(ctx, "policy.title"), Active: "candidates", Main: "wide"}
	if r.URL.Query().Has("saved") {
		frame.Status = ui.T(ctx, "policy.saved")
	}
	return s.render(w, r, status, frame, page.Policy(v))
}

func (s *Server) getPolicy(w http.ResponseWriter, r *http.Request) error {
	return s.showPolicy(w, r, http.StatusOK, "", page.FormView{})
}

func (s *Server) postPolicy(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	// Browsers send line breaks of a text area as CR LF; a digest must not
	// depend on that.
	text := strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n")
	var err error
	if r.PostForm.Has("try") {
		if _, err = review.ParsePolicy(text); err == nil {
			return s.showPolicy(w, r, http.StatusOK, text, page.FormView{})
		}
	} else {
		_, err = s.Review.SavePolicy(r.Context(), actorOf(r), review.SavePolicyRequest{Project: projectOf(r).ID, Text: text, Base: ledger.Digest(r.PostForm.Get("base"))})
	}
	if isRefusal(err) {
		return s.showPolicy(w, r, http.StatusUnprocessableEntity, text, page.Refused(nil, err))
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, linkOf(r).Href("policy")+"?saved=1")
}

func (s *Server) getEnvironments(w http.ResponseWriter, r *http.Request) error {
	ctx, link := r.Context(), linkOf(r)
	list, err := s.Review.Environments(ctx, actorOf(r), link.ID)
	if err != nil {
		return err
	}
	names, err := s.Identity.Names(ctx)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, below(r, ui.T(ctx, "environments.title")), page.Environments(page.EnvironmentsView{Project: link, List: list, People: names, Now: s.Now()}))
}

// checkAlways is up to how many events the page walks the whole chain unasked.
const checkAlways = 20_000

func (s *Server) getHistory(w http.ResponseWriter, r *http.Request) error {
	const size = 100
	ctx, actor, link := r.Context(), actorOf(r), linkOf(r)
	q := r.URL.Query()
	v := page.HistoryView{Project: link, Kind: clipped(q.Get("kind")), Actor: clipped(q.Get("actor")), From: clipped(q.Get("from")), Until: clipped(q.Get("until"))}
	filter := ledger.Filter{Project: link.ID, Kind: v.Kind, Actor: ledger.PersonID(v.Actor), Before: int64(max(0, number(q.Get("before"), 0))), Limit: size}
	// A date that is none filters nothing.
	filter.From, _ = time.Parse(time.DateOnly, v.From)
	if until, err := time.Parse(time.DateOnly, v.Until); err == nil {
		filter.Until = until.AddDate(0, 0, 1)
	}
	var err error
	if v.Rows, err = s.Review.History(ctx, actor, filter); err != nil {
		return err
	}
	if v.Kinds, err = s.Review.EventKinds(ctx, actor, link.ID); err != nil {
		return err
	}
	names, err := s.Identity.Names(ctx)
	if err != nil {
		return err
	}
	v.People = names
	if len(v.Rows) == size {
		q.Set("before", strconv.FormatInt(v.Rows[size-1].Seq, 10))
		v.Next = "?" + q.Encode()
	}
	if q.Has("check") || len(v.Rows) > 0 && v.Rows[0].Seq <= checkAlways {
		if err := s.checkHistory(ctx, actor, link.ID, &v); err != nil {
			return err
		}
	}
	return s.render(w, r, http.StatusOK, view{Title: ui.T(ctx, "history.title"), Active: "history", Main: "wide"}, page.History(v))
}

func (s *Server) checkHistory(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, v *page.HistoryView) error {
	events, err := s.Review.CheckHistory(ctx, actor, project)
	v.Checked, v.Events = true, events
	if fault.Is(err, fault.Conflict) {
		v.Broken = fault.Message(err)
		return nil
	}
	return err
}
