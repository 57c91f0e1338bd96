package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/web"
	"github.com/adjudge/adjudge/compare"
)

func compareCommand() *cobra.Command {
	var project, snapshot string
	var asJSON bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "compare BASELINE CANDIDATE --project P --snapshot S",
		Short: "Compare two models on a snapshot",
		Long:  "Compare two models on a snapshot whose items both have answered. Models go by name, name@version, id or digest; snapshots by number, name, id or digest.",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			raw, err := c.compare(cmd.Context(), project, map[string]string{"baseline": args[0], "candidate": args[1], "snapshot": snapshot}, wait)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, raw)
			}
			var body web.ComparisonBody
			if err := json.Unmarshal(raw, &body); err != nil {
				return fmt.Errorf("decode the comparison: %w", err)
			}
			return printComparison(cmd, body)
		},
	}
	f := cmd.Flags()
	f.StringVar(&project, "project", "", "project, by its slug")
	f.StringVar(&snapshot, "snapshot", "", "snapshot to compare on: number, name, id or digest")
	f.DurationVar(&wait, "wait", 30*time.Second, "how long to wait for predictions that a fresh model still makes")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	require(cmd, "project", "snapshot")
	return cmd
}

// compare asks for a comparison. A model that was trained a moment ago is still
// answering the evaluation items, so what is unmet is asked again for a while.
func (c *client) compare(ctx context.Context, project string, models map[string]string, wait time.Duration) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+time.Minute)
	defer cancel()
	for end := time.Now().Add(wait); ; {
		var raw json.RawMessage
		err := c.post(ctx, apiPath("projects", project, "comparisons"), models, &raw)
		if !fault.Is(err, fault.Unmet) || time.Now().After(end) {
			return raw, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// printComparison says in a few lines what a comparison found.
func printComparison(cmd *cobra.Command, body web.ComparisonBody) error {
	c, out := body.Comparison, terminal(cmd)
	if _, err := fmt.Fprintf(out, "%s\n\n", c.Sentence); err != nil {
		return err
	}
	for _, m := range c.Metrics {
		if _, err := fmt.Fprintf(out, "%-9s  %s %.1f %%  %s %.1f %%  difference %s points (%s to %s)\n", m.Name,
			c.Baseline.Title(), 100*float64(m.Baseline.Value), c.Candidate.Title(), 100*float64(m.Candidate.Value),
			compare.SignedPoints(m.Difference.Value), compare.SignedPoints(m.Difference.Low), compare.SignedPoints(m.Difference.High)); err != nil {
			return err
		}
	}
	q := c.Quadrants
	_, err := fmt.Fprintf(out, "items      both right %s, won %s, lost %s, both wrong %s; McNemar exact p %s\ndocument   %s\n",
		compare.Thousands(q.Both), compare.Thousands(q.OnlyCandidate), compare.Thousands(q.OnlyBaseline), compare.Thousands(q.Neither), compare.PValue(c.P), body.ID)
	for _, side := range []struct {
		title   string
		sources []compare.Source
	}{{c.Baseline.Title(), body.Answers.Baseline}, {c.Candidate.Title(), body.Answers.Candidate}} {
		for _, s := range side.sources {
			if err == nil {
				_, err = fmt.Fprintf(out, "answers    of %s: %s\n", side.title, sourceJSON{s.Version, string(s.Origin), string(s.Model), string(s.By), s.Name, s.At})
			}
		}
	}
	if body.Answers.Others > 0 && err == nil {
		_, err = fmt.Fprintf(out, "not read   other sets of answers: %s\n", compare.Thousands(body.Answers.Others))
	}
	return err
}
