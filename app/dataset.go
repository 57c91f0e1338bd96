package app

import (
	"fmt"
	"net/http"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// datasetJSON is what the commands read of a dataset.
type datasetJSON struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Purpose   string `json:"purpose"`
	Items     int64  `json:"items"`
	Accepted  int64  `json:"accepted"`
	Sensitive bool   `json:"sensitive"`
}

func datasetCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "dataset", Short: "Datasets of a project, and which of them are sensitive"}
	cmd.AddCommand(datasetMediaCommand(), datasetListCommand(), datasetMarkCommand())
	return cmd
}

func datasetListCommand() *cobra.Command {
	var project string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list --project P", Short: "List the datasets of a project", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var list struct {
				Items []datasetJSON `json:"items"`
				Next  *string       `json:"next"`
			}
			if err := c.get(cmd.Context(), apiPath("projects", project, "datasets"), &list); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, list)
			}
			w := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
			for _, d := range list.Items {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%d items\t%d accepted\t%s\n", d.Name, d.Purpose, d.Items, d.Accepted, d.mark()) // errors come at Flush
			}
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "project, by its slug")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("project") // the flag exists
	return cmd
}

func (d datasetJSON) mark() string {
	if d.Sensitive {
		return "sensitive"
	}
	return ""
}

func datasetMarkCommand() *cobra.Command {
	var project, reason string
	var sensitive, asJSON bool
	cmd := &cobra.Command{
		Use:   "mark --project P DATASET",
		Short: "Mark a dataset as sensitive: the history says who looks at its items",
		Long: "Who looks at items of a marked dataset, by page, export or API, is noted in the history: once for each person and hour.\n" +
			"adjudge history list --kind views shows it. --sensitive=false takes the mark away and needs a --reason.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var d datasetJSON
			if err := c.do(cmd.Context(), http.MethodPatch, apiPath("projects", project, "datasets", args[0]),
				map[string]any{"sensitive": sensitive, "reason": reason}, &d); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, d)
			}
			said := "is sensitive: the history says who looks at its items"
			if !d.Sensitive {
				said = "is not marked as sensitive"
			}
			_, err = fmt.Fprintln(terminal(cmd), d.Name, said)
			return err
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "project, by its slug")
	cmd.Flags().BoolVar(&sensitive, "sensitive", true, "whether it is")
	reasonFlag(cmd, &reason, "it is not sensitive any more")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("project") // the flag exists
	return cmd
}
