package web

import (
	"net/http"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// deskRoutes are the pages that belong to no project.
func (s *Server) deskRoutes() []route {
	return []route{
		{GET, "/", login, "", s.getDesk},
		{GET, "/about", login, "", s.getAbout},
		{GET, "/notices", login, "", s.getNotices},
		{GET, "/palette", login, "", s.getPalette},
		{GET, "/gallery", login, "", s.getGallery},
	}
}

func (s *Server) getDesk(w http.ResponseWriter, r *http.Request) error {
	actor := actorOf(r)
	projects, err := s.Labeling.Projects(r.Context(), actor)
	if err != nil {
		return err
	}
	v := page.DeskView{Name: visitOf(r).Person.Name, MayCreate: labeling.MayCreateProjects(actor)}
	for _, p := range projects {
		card, waiting, err := s.projectCard(r, actor, p)
		if err != nil {
			return err
		}
		v.Projects = append(v.Projects, card)
		v.Waiting = append(v.Waiting, waiting...)
	}
	title := ui.T(r.Context(), "frame.place.desk")
	return s.render(w, r, http.StatusOK, view{Title: title, Active: "desk"}, page.Desk(v))
}

// projectCard gathers what the desk shows of one project, and what waits there
// for the actor.
func (s *Server) projectCard(r *http.Request, actor ledger.Actor, p labeling.Project) (page.ProjectCard, []page.Waiting, error) {
	ctx := r.Context()
	counts, err := s.Labeling.Counts(ctx, actor, p.ID)
	if err != nil {
		return page.ProjectCard{}, nil, err
	}
	days, err := s.Labeling.AnswersByDay(ctx, actor, p.ID, page.Days)
	if err != nil {
		return page.ProjectCard{}, nil, err
	}
	card := page.NewProjectCard(p, actor.Roles[p.ID], counts)
	card.Days = page.ByDay(s.Now(), days)
	agreement, err := s.Labeling.Agreement(ctx, actor, p.ID)
	if err != nil {
		return page.ProjectCard{}, nil, err
	}
	card.SetAgreement(ctx, agreement)
	waiting := page.WaitingItems(p, actor, counts)
	runs, err := s.Compare.Runs(ctx, actor, compare.RunFilter{Project: p.ID, Limit: 20})
	if err != nil {
		return page.ProjectCard{}, nil, err
	}
	waiting = append(waiting, page.WaitingRuns(ctx, p, actor, runs)...)
	votes, err := s.Review.WaitingFor(ctx, actor, p.ID)
	if err != nil {
		return page.ProjectCard{}, nil, err
	}
	last, err := s.Review.Candidates(ctx, actor, review.CandidateFilter{Project: p.ID, Limit: 10})
	if err != nil {
		return page.ProjectCard{}, nil, err
	}
	card.SetCandidates(ctx, last)
	return card, append(waiting, page.WaitingCandidates(ctx, p, actor, votes, last)...), nil
}

func (s *Server) getPalette(w http.ResponseWriter, r *http.Request) error {
	v, err := s.frameView(r, view{})
	if err != nil {
		return err
	}
	actor := actorOf(r)
	for _, p := range v.Projects {
		if p.Slug == r.URL.Query().Get("project") {
			v.Project, v.Roles = &p, actor.Roles[p.ID]
		}
	}
	return renderJSON(w, http.StatusOK, List[page.PaletteEntry]{Items: page.Palette(r.Context(), v)})
}

func (s *Server) getGallery(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusOK, view{Title: ui.T(r.Context(), "gallery.title"), Active: "gallery"}, ui.Gallery())
}

func (s *Server) getAbout(w http.ResponseWriter, r *http.Request) error {
	v := page.News{Here: s.Version}
	if s.News != nil {
		v = s.News()
	}
	return s.render(w, r, http.StatusOK, view{Title: ui.T(r.Context(), "about.title"), Main: "narrow"}, page.About(v, actorOf(r).Admin))
}
