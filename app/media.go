package app

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/media"
	"github.com/adjudge/adjudge/backend/web"
)

// mediaFlags are how an operator says where items may refer to.
func mediaFlags(f *pflag.FlagSet, dirs, hosts *[]string) {
	f.StringArrayVar(dirs, "media", strings.Fields(os.Getenv("ADJUDGE_MEDIA")), "NAME=DIR: a directory of pictures, recordings and videos that imported items may refer to as NAME/path; never written to (default: $ADJUDGE_MEDIA, several apart by blanks)")
	f.StringArrayVar(hosts, "media-host", strings.Fields(os.Getenv("ADJUDGE_MEDIA_HOST")), "host of https addresses that imported items may refer to (default: $ADJUDGE_MEDIA_HOST)")
}

// mediaSettings reads those flags.
func mediaSettings(dirs, hosts []string) (media.Config, error) {
	c := media.Config{Dirs: map[string]string{}, Hosts: hosts}
	for _, text := range dirs {
		name, dir, err := media.ParseDir(text)
		if err != nil {
			return c, usage{fmt.Errorf("--media %s", fault.Message(err))}
		}
		if _, twice := c.Dirs[name]; twice {
			return c, usage{fmt.Errorf("--media names %s twice", name)}
		}
		c.Dirs[name] = dir
	}
	for _, host := range hosts {
		if host == "" || strings.ContainsAny(host, "/@ *") {
			return c, usage{fmt.Errorf("--media-host %q is no host; it looks like img.example.org", host)}
		}
	}
	return c, nil
}

// datasetMediaCommand groups what is done about the objects of a dataset.
func datasetMediaCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "media", Short: "Pictures, recordings and videos that the items of a dataset refer to"}
	cmd.AddCommand(mediaCheckCommand())
	return cmd
}

func mediaCheckCommand() *cobra.Command {
	var project string
	var asJSON, last bool
	cmd := &cobra.Command{
		Use:   "check --project P DATASET",
		Short: "Look at all objects of a dataset and name those that changed or are gone",
		Long: "Every picture, recording and video that an item of the dataset refers to is read by the server and compared with its\n" +
			"digest from the import. It exits 0 when all are as they were imported, else 1. What changed is shown nowhere until it\n" +
			"is back. --last shows what is known without looking.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			ctx, at := cmd.Context(), apiPath("projects", project, "datasets", args[0], "media")
			var r web.MediaReportBody
			if last {
				err = c.get(ctx, at, &r)
			} else {
				err = c.post(ctx, at+"/check", struct{}{}, &r)
			}
			if err != nil {
				return err
			}
			shown := newProgress(cmd, asJSON)
			defer shown.end()
			for wait := 20 * time.Millisecond; !last && (r.Check == nil || r.Check.FinishedAt == nil); wait = min(2*wait, time.Second) {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(wait):
				}
				if err := c.get(ctx, at, &r); err != nil {
					return err
				}
				if r.Check != nil {
					shown.show("check "+r.Dataset, r.Check.Done, max(1, r.Check.Of))
				}
			}
			if err := tellMedia(cmd, shown, r, asJSON); err != nil {
				return err
			}
			if r.Faulty > 0 || r.Check != nil && r.Check.Missed > 0 {
				return exit(exitFailed)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "project, by its slug")
	cmd.Flags().BoolVar(&last, "last", false, "show what is known, without looking again")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("project") // the flag exists
	return cmd
}

// tellMedia prints what is known about the objects of a dataset.
func tellMedia(cmd *cobra.Command, shown *progress, r web.MediaReportBody, asJSON bool) error {
	words := &strings.Builder{}
	w := tabwriter.NewWriter(words, 0, 0, 2, ' ', 0)
	for _, f := range r.Faults {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", f.Key, f.Media.URI, f.Media.Fault.Message) // errors come at Flush
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if more := r.Faulty - int64(len(r.Faults)); more > 0 {
		fmt.Fprintf(words, "and %d more\n", more)
	}
	fmt.Fprintf(words, "%s: %d of %d objects are not as they were imported", r.Dataset, r.Faulty, r.Items)
	if r.Check != nil && r.Check.Missed > 0 {
		fmt.Fprintf(words, "; %d could not be reached, nothing is known about them", r.Check.Missed)
	}
	return shown.finish(cmd, asJSON, r, words.String())
}
