package training

import (
	"context"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// RunRow is a run in a list.
type RunRow struct {
	Run      compare.Run
	Job      Job           // zero for a run made elsewhere
	Attempt  Attempt       // the newest; zero before the first
	Snapshot string        // title of what it was trained on
	Series   []float64     // the metric that is watched, over time
	Watched  string        // its name, as in LastMetrics
	Model    compare.Model // zero before it exists
}

// RunPage is all that the page of a run shows.
type RunPage struct {
	RunRow
	Recipe    Recipe            // zero if this installation no longer has it
	Source    labeling.Snapshot // what it was trained on
	Attempts  []Attempt         // first to last
	Points    []compare.Point   // by name, split and step
	Outputs   []OutputFile      // of the newest attempt
	Predicts  []PredictRow      // what followed
	Candidate review.Candidate  // zero where there is none
}

// PredictRow is a predict job that followed a training.
type PredictRow struct {
	Job     Job
	Attempt Attempt
	Dataset labeling.Dataset
}

// Runs lists the runs of a project, newest first; before a number if it is not 0.
func (s *Service) Runs(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, before, limit int) ([]RunRow, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	var rows []RunRow
	err := s.View(ctx, func(tx Tx) error {
		rows = nil
		runs, err := tx.FindRuns(compare.RunFilter{Project: project, Before: before, Limit: limit})
		if err != nil {
			return err
		}
		snapshots := map[labeling.SnapshotID]string{}
		for _, run := range runs {
			row, _, err := runRow(tx, run)
			if err != nil {
				return err
			}
			if _, known := snapshots[run.Snapshot]; !known && run.Snapshot != "" {
				snapshot, err := tx.Snapshot(run.Snapshot)
				if err != nil && !fault.Is(err, fault.NotFound) {
					return err
				}
				snapshots[run.Snapshot] = snapshot.Title()
			}
			row.Snapshot = snapshots[run.Snapshot]
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

// runRow gathers what a list shows of a run.
func runRow(tx Tx, run compare.Run) (RunRow, []compare.Point, error) {
	row := RunRow{Run: run}
	job, err := trainJob(tx, run)
	if err != nil {
		return row, nil, err
	}
	row.Job = job
	if job.Fence != 0 {
		if row.Attempt, err = tx.GetAttempt(job.Fence); err != nil {
			return row, nil, err
		}
	}
	if job.Model != "" {
		if row.Model, err = tx.GetModel(run.Project, job.Model); err != nil {
			return row, nil, err
		}
	}
	points, err := tx.FindPoints(run.ID)
	if err != nil {
		return row, nil, err
	}
	row.Watched, row.Series = watched(points)
	return row, points, nil
}

// trainJob returns the train job of a run, zero for a run made elsewhere.
func trainJob(tx Jobs, run compare.Run) (Job, error) {
	jobs, err := tx.FindJobs(JobFilter{Project: run.Project, Run: run.ID, Limit: 100})
	if err != nil {
		return Job{}, err
	}
	if i := slices.IndexFunc(jobs, func(j Job) bool { return j.Kind == KindTrain }); i >= 0 {
		return jobs[i], nil
	}
	return Job{}, nil
}

// watched chooses the metric that a sparkline shows: accuracy on held-out rows,
// else any metric there, else accuracy, else the first there is.
func watched(points []compare.Point) (string, []float64) {
	series := map[string][]compare.Point{}
	for _, p := range points {
		name := p.Name
		if p.Split != "" {
			name = p.Split + "/" + p.Name
		}
		series[name] = append(series[name], p)
	}
	rank := func(name string) int {
		held := strings.HasPrefix(name, "val") || strings.HasPrefix(name, "dev") || strings.HasPrefix(name, "test")
		good := strings.HasSuffix(name, "accuracy") || strings.HasSuffix(name, "f1")
		switch {
		case held && good:
			return 0
		case held:
			return 1
		case good:
			return 2
		}
		return 3
	}
	best := ""
	for _, name := range sortedKeys(series) {
		if best == "" || rank(name) < rank(best) {
			best = name
		}
	}
	values := make([]float64, len(series[best]))
	for i, p := range series[best] {
		values[i] = p.Value
	}
	return best, values
}

// Run returns a run by its number with everything that belongs to it.
func (s *Service) Run(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, number int) (RunPage, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return RunPage{}, err
	}
	var page RunPage
	err := s.View(ctx, func(tx Tx) error {
		page = RunPage{}
		run, err := getRun(tx, project, number)
		if err != nil {
			return err
		}
		if page.RunRow, page.Points, err = runRow(tx, run); err != nil {
			return err
		}
		page.Recipe, _ = s.Recipes.Get(run.Recipe) // a run outlives its recipe
		if run.Snapshot != "" {
			if page.Source, err = tx.Snapshot(run.Snapshot); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			page.Snapshot = page.Source.Title()
		}
		if page.Job.ID == "" {
			return nil
		}
		if page.Attempts, err = tx.FindAttempts(page.Job.ID); err != nil {
			return err
		}
		if page.Outputs, err = tx.FindOutputs(page.Job.Fence); err != nil {
			return err
		}
		if page.Model.Digest != "" {
			candidates, err := tx.FindCandidates(review.CandidateFilter{Project: project, Digest: page.Model.Digest, Limit: 50})
			if err != nil {
				return err
			}
			if i := slices.IndexFunc(candidates, func(c review.Candidate) bool { return c.Model == page.Model.ID }); i >= 0 {
				page.Candidate = candidates[i]
			}
		}
		page.Predicts, err = predicts(tx, run)
		return err
	})
	return page, err
}

func getRun(tx Tx, project ledger.ProjectID, number int) (compare.Run, error) {
	run, err := tx.GetRunByNumber(project, number)
	if fault.Is(err, fault.NotFound) {
		return run, fault.New(fault.NotFound, "There is no run %d in this project.", number)
	}
	return run, err
}

// predicts lists the predict jobs of a run, first to last.
func predicts(tx Tx, run compare.Run) ([]PredictRow, error) {
	jobs, err := tx.FindJobs(JobFilter{Project: run.Project, Run: run.ID, Limit: 100})
	if err != nil {
		return nil, err
	}
	datasets, err := tx.Datasets(run.Project)
	if err != nil {
		return nil, err
	}
	var rows []PredictRow
	for _, j := range slices.Backward(jobs) {
		if j.Kind != KindPredict {
			continue
		}
		row := PredictRow{Job: j}
		if i := slices.IndexFunc(datasets, func(d labeling.Dataset) bool { return d.ID == j.Dataset }); i >= 0 {
			row.Dataset = datasets[i]
		}
		if j.Fence != 0 {
			if row.Attempt, err = tx.GetAttempt(j.Fence); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// LogPart is a piece of a log.
type LogPart struct {
	Fence  int64  // whose log it is
	Offset int64  // of the first byte
	Total  int64  // bytes there are now
	Over   bool   // nothing more will come
	Body   []byte // never longer than the limit
}

// ReadLog returns a piece of what a run printed: of its newest attempt, of the one
// with a fence, or of a predict job that followed it.
func (s *Service) ReadLog(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, number int, fence, offset int64, limit int) (LogPart, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return LogPart{}, err
	}
	if offset < 0 {
		return LogPart{}, fault.Field("offset", "An offset is 0 or more.")
	}
	if limit <= 0 || limit > 1<<20 {
		limit = 1 << 20
	}
	var part LogPart
	err := s.View(ctx, func(tx Tx) error {
		run, err := getRun(tx, project, number)
		if err != nil {
			return err
		}
		job, err := trainJob(tx, run)
		if err != nil {
			return err
		}
		at := fence
		if at == 0 {
			at = job.Fence
		}
		if at == 0 {
			part = LogPart{Over: job.State.Over() || job.ID == ""}
			return nil
		}
		a, err := tx.GetAttempt(at)
		if err != nil {
			return err
		}
		if a.Job != job.ID { // a predict job of the same run, or somebody else's
			other, err := tx.GetJob(a.Job)
			if err != nil {
				return err
			}
			if other.Project != project || other.Run != run.ID {
				return fault.New(fault.NotFound, "Run %d has no attempt %d.", number, at)
			}
		}
		part = LogPart{Fence: at, Offset: offset, Total: a.LogBytes, Over: a.State.Over()}
		part.Body, err = tx.ReadLog(at, offset, limit)
		return err
	})
	return part, err
}

// Points returns the metrics of a run, and whether more may come.
func (s *Service) Points(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, number int) (points []compare.Point, over bool, err error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, false, err
	}
	err = s.View(ctx, func(tx Tx) error {
		run, err := getRun(tx, project, number)
		if err != nil {
			return err
		}
		over = run.State.Ended()
		points, err = tx.FindPoints(run.ID)
		return err
	})
	return points, over, err
}

// StopRun asks the training of a run to end; see Stop.
func (s *Service) StopRun(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, number int) (Job, error) {
	if err := actor.Must(project, ledger.ActionTrain); err != nil {
		return Job{}, err
	}
	var job Job
	err := s.View(ctx, func(tx Tx) error {
		run, err := getRun(tx, project, number)
		if err != nil {
			return err
		}
		job, err = trainJob(tx, run)
		return err
	})
	if err != nil {
		return Job{}, err
	}
	if job.ID == "" {
		return Job{}, fault.New(fault.Unmet, "Run %d was made elsewhere, so it cannot be stopped from here.", number)
	}
	return s.Stop(ctx, actor, project, job.ID)
}
