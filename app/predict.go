package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/web"
)

func predictCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "predict", Short: "Predictions of models"}
	cmd.AddCommand(predictImportCommand(), predictWithdrawCommand())
	return cmd
}

func predictImportCommand() *cobra.Command {
	var project, model, snapshot, format, digest, directory string
	var detach, asJSON bool
	cmd := &cobra.Command{
		Use:   "import --project P --model M --snapshot S FILE",
		Short: "Bring what a model answered elsewhere",
		Long: "Bring what a model answered elsewhere on the items of a snapshot. FILE is CSV, TSV, JSONL or Parquet with the columns key and class, " +
			"and score or probabilities if there are any. A model that does not exist is made; give the digest of its directory, or the directory, so that it can be signed. " +
			"Nothing is replaced: another file for the same model and snapshot is one more set, each is compared with what ships, and the worst comparison decides.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if digest != "" && directory != "" {
				return usage{errors.New("give either --digest or --files")}
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if directory != "" {
				tree, err := ledger.DigestTree(directory)
				if err != nil {
					return usage{err}
				}
				digest = string(tree.Root)
			}
			file, err := os.Open(args[0])
			if err != nil {
				return usage{err}
			}
			defer func() { _ = file.Close() }()
			query := url.Values{"model": {model}, "snapshot": {snapshot}, "file": {filepath.Base(args[0])}}
			for name, value := range map[string]string{"format": format, "digest": digest} {
				if value != "" {
					query.Set(name, value)
				}
			}
			response, err := c.send(cmd.Context(), http.MethodPost, apiPath("projects", project, "predictions")+"?"+query.Encode(), "application/octet-stream", file)
			if err != nil {
				return err
			}
			var set web.PredictionSetBody
			err = json.NewDecoder(response.Body).Decode(&set)
			_ = response.Body.Close()
			if err != nil {
				return fmt.Errorf("decode the answer: %w", err)
			}
			if !detach {
				if set, err = c.awaitPredictions(cmd.Context(), project, set); err != nil {
					return err
				}
			}
			if asJSON {
				return printJSON(cmd, set)
			}
			return printPredictions(cmd, args[0], set)
		},
	}
	f := cmd.Flags()
	f.StringVar(&project, "project", "", "project, by its slug")
	f.StringVar(&model, "model", "", "model: name, name@version, id or digest; a new name makes a model")
	f.StringVar(&snapshot, "snapshot", "", "snapshot whose items were predicted: number, name, id or digest")
	f.StringVar(&format, "format", "", "csv, tsv, jsonl or parquet (default: by name and content)")
	f.StringVar(&digest, "digest", "", "digest of the directory of a new model")
	f.StringVar(&directory, "files", "", "directory of a new model; only its digest is sent")
	f.BoolVar(&detach, "detach", false, "do not wait until the file is read")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	require(cmd, "project", "model", "snapshot")
	return cmd
}

func predictWithdrawCommand() *cobra.Command {
	var project, reason string
	cmd := &cobra.Command{
		Use:   "withdraw --project P --reason WHY SET",
		Short: "Take a wrong upload of answers out of what stands",
		Long: "Take a wrong upload of answers out of what stands. SET is its id, as predict import --json prints it. The set and every comparison with it stay in sight. " +
			"It takes a lead or an admin who is no maker of the model; what the server computed cannot be withdrawn.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var set web.PredictionSetBody
			if err := c.post(cmd.Context(), apiPath("projects", project, "predictions", args[0], "withdrawal"), map[string]string{"reason": reason}, &set); err != nil {
				return err
			}
			_, err = fmt.Fprintf(terminal(cmd), "Set %d is withdrawn.\n", set.Version)
			return err
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "project, by its slug")
	cmd.Flags().StringVar(&reason, "reason", "", "why; stands in the history")
	require(cmd, "project", "reason")
	return cmd
}

// awaitPredictions asks until a set is read or failed.
func (c *client) awaitPredictions(ctx context.Context, project string, set web.PredictionSetBody) (web.PredictionSetBody, error) {
	pause := 50 * time.Millisecond
	for set.State == "waiting" {
		select {
		case <-ctx.Done():
			return set, ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, time.Second)
		if err := c.get(ctx, apiPath("projects", project, "predictions", set.ID), &set); err != nil {
			return set, err
		}
	}
	return set, nil
}

// printPredictions says how reading a file went; a failed one is an error. Rows
// that were refused go to standard error as file, line and reason.
func printPredictions(cmd *cobra.Command, file string, set web.PredictionSetBody) error {
	for _, note := range set.Report.Notes {
		key := ""
		if note.Key != "" {
			key = fmt.Sprintf(" (key %q)", note.Key)
		}
		if _, err := fmt.Fprintf(cmd.ErrOrStderr(), "%s:%d: %s%s\n", file, note.Line, note.Reason, key); err != nil {
			return err
		}
	}
	switch set.State {
	case "failed":
		return fmt.Errorf("%s: %s", file, set.Report.Failure)
	case "waiting":
		_, err := fmt.Fprintf(terminal(cmd), "%s is being read as predictions %s.\n", file, set.ID)
		return err
	}
	words := fmt.Sprintf("%d predictions imported", set.Rows)
	for _, more := range []struct {
		n    int
		says string
	}{{set.Report.Missing, "items have none"}, {set.Report.Unknown, "keys are unknown"}, {set.Report.Problems, "rows were refused"}} {
		if more.n > 0 {
			words += fmt.Sprintf(", %d %s", more.n, more.says)
		}
	}
	if len(set.Report.Classes) > 0 {
		words += "; not in the schema, so wrong: " + strings.Join(set.Report.Classes[:min(5, len(set.Report.Classes))], ", ")
	}
	words += "."
	if set.Version > 1 {
		words += fmt.Sprintf(" They are set %d of this model on this snapshot: the sets before it stay, each is compared, and the worst comparison decides.", set.Version)
	}
	_, err := fmt.Fprintln(terminal(cmd), words)
	return err
}

func modelCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "model", Short: "Models and their versions"}
	cmd.AddCommand(modelListCommand(), modelShowCommand())
	return cmd
}

func modelListCommand() *cobra.Command {
	var project, name string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list --project P",
		Short: "List models, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			path := apiPath("projects", project, "models") + "?limit=500&name=" + url.QueryEscape(name)
			if asJSON {
				var raw json.RawMessage
				if err := c.get(cmd.Context(), path, &raw); err != nil {
					return err
				}
				return printJSON(cmd, raw)
			}
			var list web.List[web.ModelBody]
			if err := c.get(cmd.Context(), path, &list); err != nil {
				return err
			}
			table := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
			for _, m := range list.Items {
				if _, err := fmt.Fprintf(table, "%s\t%s\t%s\n", m.Title, m.Digest, m.CreatedAt.Format(time.DateOnly)); err != nil {
					return err
				}
			}
			return table.Flush()
		},
	}
	f := cmd.Flags()
	f.StringVar(&project, "project", "", "project, by its slug")
	f.StringVar(&name, "name", "", "only versions of this name")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	require(cmd, "project")
	return cmd
}

func modelShowCommand() *cobra.Command {
	var project string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show MODEL --project P",
		Short: "Show a model with its files",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			path := apiPath("projects", project, "models", args[0])
			if asJSON {
				var raw json.RawMessage
				if err := c.get(cmd.Context(), path, &raw); err != nil {
					return err
				}
				return printJSON(cmd, raw)
			}
			var m web.ModelBody
			if err := c.get(cmd.Context(), path, &m); err != nil {
				return err
			}
			table := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
			lines := [][2]string{{"model", m.Title}, {"id", m.ID}, {"digest", string(m.Digest)}, {"run", m.Run}, {"trained on", m.Snapshot}}
			for _, f := range m.Files {
				lines = append(lines, [2]string{"file", fmt.Sprintf("%s  %s  %d bytes", f.Path, f.Digest, f.Size)})
			}
			for _, line := range lines {
				if line[1] == "" {
					continue
				}
				if _, err := fmt.Fprintf(table, "%s\t%s\n", line[0], line[1]); err != nil {
					return err
				}
			}
			return table.Flush()
		},
	}
	f := cmd.Flags()
	f.StringVar(&project, "project", "", "project, by its slug")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	require(cmd, "project")
	return cmd
}

// require marks flags of the command as required.
func require(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		_ = cmd.MarkFlagRequired(name) // the flag exists
	}
}
