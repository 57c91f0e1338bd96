package app

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// candidateJSON is what the commands read of a candidate.
type candidateJSON struct {
	ID          string `json:"id"`
	Number      int    `json:"number"`
	Project     string `json:"project"`
	Name        string `json:"name"`
	Environment string `json:"environment"`
	State       string `json:"state"`
	Subject     struct {
		Digest string `json:"digest"`
	} `json:"subject"`
	Requirements []struct {
		Requirement string `json:"requirement"`
		State       string `json:"state"`
		Says        string `json:"says"`
	} `json:"requirements"`
	Evidence  []evidenceJSON `json:"evidence"`
	OtherSets int            `json:"other_sets"`
	Makers    []struct {
		Person string    `json:"person"`
		Name   string    `json:"name"`
		How    string    `json:"how"`
		At     time.Time `json:"at"`
		Late   bool      `json:"late"`
	} `json:"makers"`
	Votes []struct {
		PrintedName string `json:"printedName"`
		Role        string `json:"role"`
		Words       string `json:"words"`
		Comment     string `json:"comment"`
	} `json:"votes"`
}

// evidenceJSON is a comparison with the baseline and whose answers it reads.
type evidenceJSON struct {
	Digest    string       `json:"digest"`
	Snapshot  string       `json:"snapshot"`
	Candidate []sourceJSON `json:"candidate"`
	Baseline  []sourceJSON `json:"baseline"`
}

// sourceJSON says where a set of answers comes from.
type sourceJSON struct {
	Version int       `json:"version"`
	Origin  string    `json:"origin"`
	Model   string    `json:"model"`
	By      string    `json:"by"`
	Name    string    `json:"name"`
	At      time.Time `json:"at"`
}

// String says it in words.
func (s sourceJSON) String() string {
	if s.Origin == "computed" {
		return fmt.Sprintf("set %d, computed here from %s on %s", s.Version, s.Model, s.At.Format(time.DateOnly))
	}
	return fmt.Sprintf("set %d, uploaded by %s on %s", s.Version, cmp.Or(s.Name, s.By), s.At.Format(time.DateOnly))
}

func candidateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "candidate", Short: "Propose models to ship, and see how far they are"}
	cmd.AddCommand(candidateCreateCommand(), candidateListCommand(), candidateShowCommand())
	return cmd
}

func candidateCreateCommand() *cobra.Command {
	var project, model, snapshot, environment, note string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "create --project P --model M",
		Short: "Propose a model, or a snapshot, to ship to an environment",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (model == "") == (snapshot == "") {
				return usage{errors.New("give either --model or --snapshot")}
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			request := map[string]string{"environment": environment}
			for name, value := range map[string]string{"model": model, "snapshot": snapshot, "note": note} {
				if value != "" {
					request[name] = value
				}
			}
			var raw json.RawMessage
			if err := c.post(cmd.Context(), apiPath("projects", project, "candidates"), request, &raw); err != nil {
				return err
			}
			return printCandidate(cmd, raw, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVar(&project, "project", "", "project, by its slug")
	f.StringVar(&model, "model", "", "model: name, name@version, id or digest")
	f.StringVar(&snapshot, "snapshot", "", "digest of a snapshot, instead of a model")
	f.StringVar(&environment, "environment", "production", "where it shall ship to")
	f.StringVar(&note, "note", "", "why it is proposed, for those who vote")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("project") // the flag exists
	return cmd
}

func candidateListCommand() *cobra.Command {
	var project, state string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list --project P",
		Short: "List candidates, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			query := url.Values{}
			if state != "" {
				query.Set("state", state)
			}
			items := []json.RawMessage{}
			for {
				var page struct {
					Items []json.RawMessage `json:"items"`
					Next  string            `json:"next"`
				}
				if err := c.get(cmd.Context(), apiPath("projects", project, "candidates")+"?"+query.Encode(), &page); err != nil {
					return err
				}
				items = append(items, page.Items...)
				if page.Next == "" {
					break
				}
				query.Set("after", page.Next)
			}
			if asJSON {
				return printJSON(cmd, map[string]any{"items": items, "next": nil})
			}
			w := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
			for _, raw := range items {
				var one candidateJSON
				if err := json.Unmarshal(raw, &one); err != nil {
					return fmt.Errorf("decode a candidate: %w", err)
				}
				_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", one.Number, one.Name, one.Environment, one.State, one.Subject.Digest) // Flush reports a failure
			}
			return w.Flush()
		},
	}
	f := cmd.Flags()
	f.StringVar(&project, "project", "", "project, by its slug")
	f.StringVar(&state, "state", "", "only those that are draft, open, approved, rejected or withdrawn")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("project") // the flag exists
	return cmd
}

func candidateShowCommand() *cobra.Command {
	var project string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show CANDIDATE",
		Short: "Show a candidate, what holds and what is missing",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			path, err := c.candidatePath(cmd, project, args[0])
			if err != nil {
				return err
			}
			var raw json.RawMessage
			if err := c.get(cmd.Context(), path, &raw); err != nil {
				return err
			}
			return printCandidate(cmd, raw, asJSON)
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "project, where several have such a candidate")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// candidatePath returns where the API keeps a candidate: in the project that is
// named, else in the only one that has it.
func (c *client) candidatePath(cmd *cobra.Command, project, candidate string) (string, error) {
	if project != "" {
		return apiPath("projects", project, "candidates", strings.TrimPrefix(candidate, "#")), nil
	}
	var found candidateJSON
	err := c.get(cmd.Context(), apiPath("candidates", strings.TrimPrefix(candidate, "#")), &found)
	return apiPath("projects", found.Project, "candidates", found.ID), err
}

func printCandidate(cmd *cobra.Command, raw json.RawMessage, asJSON bool) error {
	if asJSON {
		return printJSON(cmd, raw)
	}
	var one candidateJSON
	if err := json.Unmarshal(raw, &one); err != nil {
		return fmt.Errorf("decode a candidate: %w", err)
	}
	out := terminal(cmd)
	if _, err := fmt.Fprintf(out, "candidate %d: %s for %s is %s\n%s\n", one.Number, one.Name, one.Environment, one.State, one.Subject.Digest); err != nil {
		return err
	}
	for _, m := range one.Makers {
		name, late := m.Name, ""
		if name == "" {
			name = m.Person
		}
		if m.Late {
			late = ", after the approval that stands"
		}
		if _, err := fmt.Fprintf(out, "  made by %s: %s on %s%s\n", name, m.How, m.At.Format(time.DateOnly), late); err != nil {
			return err
		}
	}
	for _, e := range one.Evidence {
		if _, err := fmt.Fprintf(out, "  compared on %s: %s\n", e.Snapshot, e.Digest); err != nil {
			return err
		}
		for side, sources := range [][]sourceJSON{e.Candidate, e.Baseline} {
			for _, s := range sources {
				if _, err := fmt.Fprintf(out, "    answers of the %s: %s\n", []string{"candidate", "baseline"}[side], s); err != nil {
					return err
				}
			}
		}
	}
	if one.OtherSets > 0 {
		if _, err := fmt.Fprintf(out, "  other sets of answers, which are not read: %d\n", one.OtherSets); err != nil {
			return err
		}
	}
	for _, r := range one.Requirements {
		if _, err := fmt.Fprintf(out, "  %-14s %s. %s\n", r.State, r.Requirement, r.Says); err != nil {
			return err
		}
	}
	for _, v := range one.Votes {
		if _, err := fmt.Fprintf(out, "  %s, %s: %s. %s\n", v.PrintedName, v.Role, v.Words, v.Comment); err != nil {
			return err
		}
	}
	return nil
}
