package page

import (
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

func TestANoticeIsNewWhenWorkComesAndNotWhenThereIsMoreOfIt(t *testing.T) {
	t.Parallel()
	one := NoticeOf(t.Context(), Waiting{Kind: WaitsTask, Count: 1, Project: "Support", Href: "/projects/support/label"})
	many := NoticeOf(t.Context(), Waiting{Kind: WaitsTask, Count: 240, Project: "Support", Href: "/projects/support/label"})
	vote := NoticeOf(t.Context(), Waiting{Kind: WaitsVote, Project: "Support", Subject: "Candidate 3", Href: "/projects/support/candidates/3"})
	if one.ID != many.ID || one.ID == vote.ID {
		t.Errorf("ids %q, %q and %q", one.ID, many.ID, vote.ID)
	}
	if many.Text != "240 items wait for an answer (Support)" || vote.Title != "Your vote is asked" || vote.Href != "/projects/support/candidates/3" {
		t.Errorf("%+v, %+v", many, vote)
	}
}

func TestAPersonIsToldOfTheirOwnFreshJobs(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	run := func(number int, by ledger.PersonID, state compare.RunState, ago time.Duration) compare.Run {
		return compare.Run{Number: number, Name: "text-linear", By: by, State: state, EndedAt: now.Add(-ago)}
	}
	got := FinishedRuns(t.Context(), labeling.Project{Slug: "support", Name: "Support"}, ledger.Actor{Person: "me"}, []compare.Run{
		run(5, "me", compare.RunRunning, 0), run(4, "me", compare.RunSucceeded, time.Hour), run(3, "you", compare.RunSucceeded, time.Hour),
		run(2, "me", compare.RunFailed, time.Hour), run(1, "me", compare.RunSucceeded, 48*time.Hour),
	}, now)
	if len(got) != 1 || got[0].Href != "/projects/support/runs/4" || got[0].Title != "A job is finished" {
		t.Errorf("told of %+v", got)
	}
}
