package web

import (
	"net/http"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/review"
)

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
			return s.showPolicy(w, r, http.StatusOK, text, page.FormView{Values: typed(r, "reason")})
		}
	} else {
		_, err = s.Review.SavePolicy(r.Context(), actorOf(r), review.SavePolicyRequest{Project: projectOf(r).ID, Text: text, Base: ledger.Digest(r.PostForm.Get("base")), Reason: r.PostForm.Get("reason")})
	}
	if isRefusal(err) {
		return s.showPolicy(w, r, http.StatusUnprocessableEntity, text, s.refused(r.Context(), typed(r, "reason"), err))
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
