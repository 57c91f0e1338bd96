package app

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// erasureJSON is what the commands read of an erasure.
type erasureJSON struct {
	Confirm  string `json:"confirm"`
	Refused  string `json:"refused"`
	Erased   bool   `json:"erased"`
	Percent  *int   `json:"percent,omitempty"`
	Words    int64  `json:"words,omitempty"`
	Payloads int64  `json:"payloads,omitempty"`
	Finished string `json:"finished,omitempty"`
	Records  []struct {
		Record string   `json:"record"`
		Fate   string   `json:"fate"`
		Count  *int64   `json:"count"`
		Names  []string `json:"names"`
	} `json:"records"`
}

func eraseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "erase",
		Short: "Make the content of a person or an item unreadable, while the history still verifies",
		Long: "Without --confirm, erase says what would become unreadable and what stays, and changes nothing.\n" +
			"With --confirm, which repeats the username or the item's key, and --reason it erases for good.",
	}
	person := eraseOneCommand("person USERNAME", "Erase a person: name, ways in, words, payloads that name them", nil,
		func(_ context.Context, _ *client, name string) (string, error) {
			return apiPath("people", name, "erasure"), nil
		})
	var project string
	item := eraseOneCommand("item --project P ID", "Erase the content of an item, named by its id", &project,
		func(_ context.Context, _ *client, id string) (string, error) {
			return apiPath("projects", project, "items", id, "erasure"), nil
		})
	cmd.AddCommand(person, item)
	return cmd
}

func eraseOneCommand(use, short string, project *string, find func(context.Context, *client, string) (string, error)) *cobra.Command {
	var confirm, reason string
	var asJSON bool
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			path, err := find(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			var plan erasureJSON
			if confirm != "" || reason != "" {
				err = c.post(cmd.Context(), path, map[string]string{"confirm": confirm, "reason": reason}, &plan)
			} else {
				err = c.get(cmd.Context(), path, &plan)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, plan)
			}
			return plan.print(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&confirm, "confirm", "", "the username, or the item's key, once more")
	f.StringVar(&reason, "reason", "", "why; stands in the history")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	if project != nil {
		f.StringVar(project, "project", "", "project, by its slug")
		_ = cmd.MarkFlagRequired("project") // the flag exists
	}
	return cmd
}

func (p erasureJSON) print(cmd *cobra.Command) error {
	w := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
	for _, r := range p.Records {
		count := ""
		if r.Count != nil {
			count = fmt.Sprint(*r.Count)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Fate, r.Record, count, fmt.Sprint(r.Names)) // errors come at Flush
	}
	if err := w.Flush(); err != nil {
		return err
	}
	said := fmt.Sprintf("Nothing is erased yet. To erase, repeat with --confirm %q and --reason.", p.Confirm)
	switch {
	case p.Finished != "":
		said = fmt.Sprintf("Erased on %s: %d texts and %d payloads of the history.", p.Finished, p.Words, p.Payloads)
	case p.Erased && p.Percent != nil:
		said = fmt.Sprintf("Erasing: %d %% of the history is looked through. It goes on by itself.", *p.Percent)
	case p.Erased:
		said = "Erased. Payloads, files and traces on disk follow within seconds."
	case p.Refused != "":
		said = p.Refused
	}
	_, err := fmt.Fprintln(terminal(cmd), said)
	return err
}

func holdCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "hold", Short: "Legal holds: who and what must not be erased"}
	list := &cobra.Command{Use: "list", Short: "List legal holds", Args: cobra.NoArgs}
	var asJSON bool
	list.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	list.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect(cmd)
		if err != nil {
			return err
		}
		var holds struct {
			Items []struct {
				Kind   string `json:"kind"`
				ID     string `json:"id"`
				Name   string `json:"name"`
				Reason string `json:"reason"`
				Person string `json:"person"`
				At     string `json:"at"`
			} `json:"items"`
		}
		if err := c.get(cmd.Context(), apiPath("holds"), &holds); err != nil {
			return err
		}
		if asJSON {
			return printJSON(cmd, holds)
		}
		w := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
		for _, h := range holds.Items {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", h.Kind, h.Name, h.ID, h.At, h.Reason) // errors come at Flush
		}
		return w.Flush()
	}
	cmd.AddCommand(list,
		holdOneCommand("place", "Keep a person, project, dataset, item, snapshot or candidate from erasure and the trash", apiPath("holds")),
		holdOneCommand("lift", "Lift a legal hold", apiPath("holds", "lift")))
	return cmd
}

func holdOneCommand(verb, short, path string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: verb + " KIND ID", Short: short, Args: cobra.ExactArgs(2),
		Long: short + ".\nKIND is person, project, dataset, item, snapshot or candidate. ID is its id, of a person also the username, of a project also the slug.",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			return c.post(cmd.Context(), path, map[string]string{"kind": args[0], "id": args[1], "reason": reason}, nil)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; stands in the history")
	_ = cmd.MarkFlagRequired("reason") // the flag exists
	return cmd
}
