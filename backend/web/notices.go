package web

import (
	"net/http"

	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/review"
)

// getNotices lists what a person is told of outside of the page: work that
// waits, votes that are asked of them, jobs that ended. The desktop window asks
// every minute and after an event, and shows what is new.
func (s *Server) getNotices(w http.ResponseWriter, r *http.Request) error {
	ctx, actor := r.Context(), actorOf(r)
	list := List[page.Notice]{Items: []page.Notice{}}
	if visitOf(r).Person.Unnotified {
		return renderJSON(w, http.StatusOK, list)
	}
	projects, err := s.Labeling.Projects(ctx, actor)
	if err != nil {
		return err
	}
	for _, p := range projects {
		counts, err := s.Labeling.Counts(ctx, actor, p.ID)
		if err != nil {
			return err
		}
		runs, err := s.Compare.Runs(ctx, actor, compare.RunFilter{Project: p.ID, Limit: 20})
		if err != nil {
			return err
		}
		votes, err := s.Review.WaitingFor(ctx, actor, p.ID)
		if err != nil {
			return err
		}
		last, err := s.Review.Candidates(ctx, actor, review.CandidateFilter{Project: p.ID, Limit: 10})
		if err != nil {
			return err
		}
		waiting := append(page.WaitingItems(p, actor, counts), page.WaitingRuns(ctx, p, actor, runs)...)
		for _, w := range append(waiting, page.WaitingCandidates(ctx, p, actor, votes, last)...) {
			if w.Kind != page.WaitsDraft { // nobody asks for it
				list.Items = append(list.Items, page.NoticeOf(ctx, w))
			}
		}
		list.Items = append(list.Items, page.FinishedRuns(ctx, p, actor, runs, s.Now())...)
	}
	return renderJSON(w, http.StatusOK, list)
}
