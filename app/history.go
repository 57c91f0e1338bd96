package app

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// eventJSON is what the commands read of an event.
type eventJSON struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Kind    string    `json:"kind"`
	Subject string    `json:"subject"`
	Reason  string    `json:"reason"`
	Erased  bool      `json:"erased"`
	Problem string    `json:"problem"`
	Changes []struct {
		Field string `json:"field"`
		Was   string `json:"was"`
		Is    string `json:"is"`
	} `json:"changes"`
}

// historyFlags are the filters that every reading of the history takes.
type historyFlags struct {
	project, kind, person, record, from, until string
}

func (h *historyFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&h.project, "project", "", "project, by its slug (default: the whole installation, for admins)")
	f.StringVar(&h.kind, "kind", "", "only events of this kind, as annotation.decided; or sign-ins, exports, views (of datasets marked as sensitive)")
	f.StringVar(&h.person, "person", "", "only what this person did, by their id")
	f.StringVar(&h.record, "record", "", "only events about this, as item:ID or candidate:ID")
	f.StringVar(&h.from, "from", "", "first day, as 2026-03-01")
	f.StringVar(&h.until, "until", "", "last day, as 2026-03-31")
}

func (h *historyFlags) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"kind": h.kind, "actor": h.person, "record": h.record, "from": h.from, "until": h.until} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

func (h *historyFlags) path(more ...string) string {
	if h.project == "" {
		return apiPath(append([]string{"history"}, more...)...)
	}
	return apiPath(append([]string{"projects", h.project, "history"}, more...)...)
}

func historyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "history", Short: "Who changed what, when and why"}
	cmd.AddCommand(historyListCommand(), historyExportCommand())
	return cmd
}

func historyListCommand() *cobra.Command {
	var filter historyFlags
	var limit int
	var before int64
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List events, newest first, with what changed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			q := filter.query()
			q.Set("limit", strconv.Itoa(limit))
			if before > 0 {
				q.Set("before", strconv.FormatInt(before, 10))
			}
			var list struct {
				Items []eventJSON `json:"items"`
				Next  string      `json:"next"`
			}
			if asJSON {
				var raw json.RawMessage
				if err := c.get(cmd.Context(), filter.path()+"?"+q.Encode(), &raw); err != nil {
					return err
				}
				return printJSON(cmd, raw)
			}
			if err := c.get(cmd.Context(), filter.path()+"?"+q.Encode(), &list); err != nil {
				return err
			}
			w := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
			for _, e := range list.Items {
				_, _ = fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", e.Seq, e.At.Format(time.RFC3339), e.Kind, e.Subject, e.Actor, e.says())
			}
			if err := w.Flush(); err != nil {
				return err
			}
			if list.Next != "" {
				_, err = fmt.Fprintf(cmd.ErrOrStderr(), "There are more; go on with --before %s.\n", list.Next)
			}
			return err
		},
	}
	filter.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 100, "how many, at most 1000")
	cmd.Flags().Int64Var(&before, "before", 0, "only events before this number")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// says puts what an event changed, and why, into one line.
func (e eventJSON) says() string {
	var parts []string
	for i, c := range e.Changes {
		if i == 3 {
			parts = append(parts, fmt.Sprintf("and %d more", len(e.Changes)-i))
			break
		}
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %q -> %q", c.Field, c.Was, c.Is)))
	}
	if e.Reason != "" {
		parts = append(parts, fmt.Sprintf("because %q", e.Reason))
	}
	if e.Erased {
		parts = append(parts, "(payload erased)")
	}
	if e.Problem != "" {
		parts = append(parts, "PROBLEM: "+e.Problem)
	}
	return strings.Join(parts, ", ")
}

func historyExportCommand() *cobra.Command {
	var filter historyFlags
	var format, out string
	cmd := &cobra.Command{
		Use:   "export [-o FILE]",
		Short: "Write events as CSV or JSON; taking them is itself an event",
		Long: "export writes every event that the filters choose, newest first: as CSV whose cells no spreadsheet takes for\n" +
			"formulas, or as JSON with the salts and payloads that the commitments and hashes are over.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			q := filter.query()
			q.Set("format", format)
			w := terminal(cmd)
			if out != "" {
				file, err := os.Create(out)
				if err != nil {
					return usage{err}
				}
				defer func() {
					if closed := file.Close(); err == nil {
						err = closed
					}
				}()
				w = file
			}
			return c.download(cmd.Context(), filter.path("export")+"?"+q.Encode(), w)
		},
	}
	filter.add(cmd)
	cmd.Flags().StringVar(&format, "format", "csv", "csv or json")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write (default: standard output)")
	return cmd
}
