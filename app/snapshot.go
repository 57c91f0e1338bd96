package app

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/web"
	"github.com/adjudge/adjudge/labeling"
)

// snapshotCommand holds the commands about snapshots.
func snapshotCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "snapshot", Short: "Freeze items with their accepted answers under a digest"}
	var project string
	cmd.PersistentFlags().StringVar(&project, "project", "", "project, by name")
	_ = cmd.MarkPersistentFlagRequired("project") // cannot fail: the flag is there
	cmd.AddCommand(snapshotCreateCommand(&project), snapshotListCommand(&project), snapshotShowCommand(&project),
		snapshotDiffCommand(&project), snapshotExportCommand(&project))
	return cmd
}

func snapshotCreateCommand(project *string) *cobra.Command {
	var datasets []string
	var name string
	var asJSON, detach bool
	cmd := &cobra.Command{
		Use: "create --project P --dataset D…", Short: "Make a snapshot of datasets and wait until it is ready", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var s web.SnapshotBody
			at := apiPath("projects", slugOf(*project), "snapshots")
			if err := c.post(cmd.Context(), at, map[string]any{"name": name, "datasets": datasets}, &s); err != nil {
				return err
			}
			shown := newProgress(cmd, asJSON)
			defer shown.end()
			for wait := 20 * time.Millisecond; !detach && s.State == labeling.SnapshotBuilding; wait = min(2*wait, 500*time.Millisecond) {
				select {
				case <-cmd.Context().Done():
					return cmd.Context().Err()
				case <-time.After(wait):
				}
				if err := c.get(cmd.Context(), at+"/"+string(s.ID), &s); err != nil {
					return err
				}
				shown.show("snapshot "+strconv.Itoa(s.Number), s.Progress, s.Of)
			}
			if s.State == labeling.SnapshotFailed {
				return fault.New(fault.Unmet, "%s", s.Failure)
			}
			return shown.finish(cmd, asJSON, s, fmt.Sprintf("Snapshot %d: %d items, %s", s.Number, s.Items, s.Digest))
		},
	}
	cmd.Flags().StringSliceVar(&datasets, "dataset", nil, "dataset, by name; may be repeated")
	cmd.Flags().StringVar(&name, "name", "", "what people call the snapshot")
	cmd.Flags().BoolVar(&detach, "detach", false, "return at once; the snapshot is made behind the scenes")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("dataset")
	return cmd
}

// slugOf lets people name a project as they see it.
func slugOf(project string) string {
	if slug := labeling.Slug(project); slug != "" {
		return slug
	}
	return project
}

func snapshotListCommand(project *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list --project P", Short: "List the snapshots of a project, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var list web.List[web.SnapshotBody]
			if err := c.get(cmd.Context(), apiPath("projects", slugOf(*project), "snapshots"), &list); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, list)
			}
			out := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintln(out, "NUMBER\tNAME\tPURPOSE\tITEMS\tSTATE\tDIGEST\tMADE")
			for _, s := range list.Items {
				_, _ = fmt.Fprintf(out, "%d\t%s\t%s\t%d\t%s\t%s\t%s\n", s.Number, s.Name, s.Purpose, s.Items, s.State, s.Digest, s.CreatedAt.Format(time.RFC3339))
			}
			return out.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func snapshotShowCommand(project *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show --project P SNAPSHOT", Short: "Show a snapshot, by number, name, digest or id", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var s web.SnapshotBody
			if err := c.get(cmd.Context(), apiPath("projects", slugOf(*project), "snapshots", args[0]), &s); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, s)
			}
			out := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
			_, _ = fmt.Fprintf(out, "Snapshot\t%d %s\nState\t%s\nDigest\t%s\nSchema\t%s\nPurpose\t%s\nItems\t%d\n", s.Number, s.Name, s.State, s.Digest, s.Schema, s.Purpose, s.Items)
			for _, d := range s.Datasets {
				_, _ = fmt.Fprintf(out, "Dataset\t%s, %d items\n", d.Name, d.Items)
			}
			if s.Merged > 0 {
				_, _ = fmt.Fprintf(out, "Merged\t%d items stood in several datasets and count once\n", s.Merged)
			}
			if s.HeldOut > 0 {
				_, _ = fmt.Fprintf(out, "Held out\t%d items whose content is in an evaluation dataset\n", s.HeldOut)
			}
			for _, cl := range s.Classes {
				_, _ = fmt.Fprintf(out, "Class\t%s\t%d\n", cl.Class, cl.Items)
			}
			return out.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func snapshotDiffCommand(project *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "diff --project P BEFORE AFTER", Short: "Show what changed from one snapshot to another", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var d web.DiffBody
			at := apiPath("projects", slugOf(*project), "snapshots", args[1], "diff") + "?" + url.Values{"against": {args[0]}, "limit": {"1000"}}.Encode()
			if err := c.get(cmd.Context(), at, &d); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, d)
			}
			return printDiff(terminal(cmd), d)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func printDiff(w io.Writer, d web.DiffBody) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d relabelled, %d added, %d removed, %d reworded, %d the same\n", d.Relabelled, d.Added, d.Removed, d.Reworded, d.Same)
	for _, row := range d.Rows {
		switch row.Kind {
		case labeling.DiffAdded:
			fmt.Fprintf(&b, "+ %s\t%s\t%q\n", row.Key, row.After, row.Text)
		case labeling.DiffRemoved:
			fmt.Fprintf(&b, "- %s\t%s\t%q\n", row.Key, row.Before, row.Text)
		default:
			fmt.Fprintf(&b, "~ %s\t%s -> %s\t%q\n", row.Key, row.Before, row.After, row.Text)
		}
	}
	if d.More {
		b.WriteString("and more\n")
	}
	for _, c := range d.Balance {
		if c.Before != c.After {
			fmt.Fprintf(&b, "%s: %d -> %d\n", c.Class, c.Before, c.After)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func snapshotExportCommand(project *string) *cobra.Command {
	var format, out string
	cmd := &cobra.Command{
		Use: "export --project P [--format F] [-o FILE] SNAPSHOT", Short: "Write the rows of a snapshot as JSONL, CSV, TSV or Parquet", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			at := apiPath("projects", slugOf(*project), "snapshots", args[0], "export") + "?" + url.Values{"format": {formatFor(format, out)}}.Encode()
			return c.downloadTo(cmd.Context(), at, out, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "jsonl (default), csv, tsv or parquet; else as the name of the file says")
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write; standard output if empty")
	return cmd
}

// exportCommand writes a dataset.
func exportCommand() *cobra.Command {
	var project, dataset, format, out string
	cmd := &cobra.Command{
		Use: "export --project P --dataset D [--format F] [-o FILE]", Short: "Write the items of a dataset with their accepted answers", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			at := apiPath("projects", slugOf(project), "export") + "?" + url.Values{"dataset": {dataset}, "format": {formatFor(format, out)}}.Encode()
			return c.downloadTo(cmd.Context(), at, out, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&project, "project", "", "project, by name")
	flags.StringVar(&dataset, "dataset", "", "dataset, by name")
	flags.StringVar(&format, "format", "", "jsonl (default), csv, tsv or parquet; else as the name of the file says")
	flags.StringVarP(&out, "output", "o", "", "file to write; standard output if empty")
	_ = cmd.MarkFlagRequired("project") // cannot fail: the flags are there
	_ = cmd.MarkFlagRequired("dataset")
	return cmd
}

// formatFor takes the format from the name of the file where none is given.
func formatFor(format, file string) string {
	if format != "" || file == "" {
		return format
	}
	if f, err := labeling.ParseFormat(filepath.Ext(file)); err == nil {
		return string(f)
	}
	return ""
}

// downloadTo writes what the server sends into a file, which appears whole or
// not at all, or to standard output.
func (c *client) downloadTo(ctx context.Context, at, file string, stdout io.Writer) error {
	if file == "" {
		return c.download(ctx, at, stdout)
	}
	part, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".part-*")
	if err != nil {
		return usage{err}
	}
	err = c.download(ctx, at, part)
	if closed := part.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(part.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(part.Name(), file)
	}
	if err != nil {
		_ = os.Remove(part.Name())
	}
	return err
}
