package app

import (
	"cmp"
	"fmt"
	"net/http"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// trashJSON is what the commands read of something in the trash.
type trashJSON struct {
	Kind    string `json:"kind"`
	Project string `json:"project"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Reason  string `json:"reason,omitempty"`
	Person  string `json:"person,omitempty"`
	At      string `json:"at,omitempty"`
	Purge   string `json:"purge,omitempty"`
	Kept    string `json:"kept,omitempty"`
}

func trashCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "trash", Short: "What was deleted: list, restore, purge; and delete more"}
	cmd.AddCommand(trashListCommand(), trashPutCommand(),
		trashOneCommand("restore", "Restore something from the trash"), trashOneCommand("purge", "Take something in the trash away for good"))
	return cmd
}

func trashListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List what is in the trash of the projects you manage", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var list struct {
				Items []trashJSON `json:"items"`
				Next  *string     `json:"next"`
			}
			if err := c.get(cmd.Context(), apiPath("trash"), &list); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, list)
			}
			w := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
			for _, t := range list.Items {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", t.Kind, t.Project, t.ID, t.Name, cmp.Or(t.Kept, "until "+cmp.Or(t.Purge, "it is purged by hand"))) // errors come at Flush
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func trashPutCommand() *cobra.Command {
	var project, reason string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "put --project P KIND [ID]",
		Short: "Delete a project, dataset, snapshot, model or comparison; it can be restored",
		Long: "KIND is project (without an ID), dataset, snapshot, model or comparison, whose ID is its digest.\n" +
			"What a candidate, a signature, a legal hold or something made of it needs stays, and is named.",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var id string
			if len(args) == 2 {
				id = args[1]
			} else {
				var p projectBody
				if err := c.get(cmd.Context(), apiPath("projects", project), &p); err != nil {
					return err
				}
				id = p.ID
			}
			var t trashJSON
			if err := c.post(cmd.Context(), apiPath("projects", project, "trash"), map[string]string{"kind": args[0], "id": id, "reason": reason}, &t); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, t)
			}
			_, err = fmt.Fprintf(terminal(cmd), "%s is in the trash; adjudge trash restore %s %s %s brings it back.\n", t.Name, t.Kind, t.Project, t.ID)
			return err
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "project, by its slug")
	reasonFlag(cmd, &reason, "it is deleted")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("project") // the flag exists
	return cmd
}

func trashOneCommand(verb, short string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " KIND PROJECT ID", Short: short, Long: short + ". KIND, PROJECT and ID are as adjudge trash list prints them.", Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			return c.post(cmd.Context(), apiPath("trash", verb), map[string]string{"kind": args[0], "project": args[1], "id": args[2]}, nil)
		},
	}
}

// retentionJSON is what the commands read of retention.
type retentionJSON struct {
	Kind    string `json:"kind"`
	Days    int    `json:"days"`
	Default int    `json:"default"`
}

func retentionCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "retention", Short: "For how many days each kind of record is kept"}
	var asJSON bool
	list := &cobra.Command{
		Use: "list", Short: "List the kinds of records and their days; 0 is for good", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var found struct {
				Items []retentionJSON `json:"items"`
				Next  *string         `json:"next"`
			}
			if err := c.get(cmd.Context(), apiPath("retention"), &found); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, found)
			}
			w := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
			for _, r := range found.Items {
				_, _ = fmt.Fprintf(w, "%s\t%d days\tby default %d\n", r.Kind, r.Days, r.Default) // errors come at Flush
			}
			return w.Flush()
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	var days int
	var reason string
	set := &cobra.Command{
		Use: "set KIND --days N --reason WHY", Short: "Say for how many days a kind of record is kept; 0 is for good", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var r retentionJSON
			if err := c.do(cmd.Context(), http.MethodPut, apiPath("retention", args[0]), map[string]any{"days": days, "reason": reason}, &r); err != nil {
				return err
			}
			_, err = fmt.Fprintf(terminal(cmd), "%s\t%d days\n", r.Kind, r.Days)
			return err
		},
	}
	set.Flags().IntVar(&days, "days", 0, "for how many days; 0 is for good")
	reasonFlag(set, &reason, "it is kept for another time")
	_ = set.MarkFlagRequired("days") // the flag exists
	apply := &cobra.Command{
		Use: "apply", Short: "Remove now what was kept long enough, as the server does once a day", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var done struct {
				Removed map[string]int64 `json:"removed"`
				Kept    []string         `json:"kept,omitempty"`
			}
			if err := c.post(cmd.Context(), apiPath("retention", "apply"), struct{}{}, &done); err != nil {
				return err
			}
			return printJSON(cmd, done)
		},
	}
	cmd.AddCommand(list, set, apply)
	return cmd
}
