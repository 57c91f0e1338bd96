package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/labeling"
)

// projectBody is a project as the API shows it.
type projectBody struct {
	ID      string          `json:"id"`
	Slug    string          `json:"slug"`
	Name    string          `json:"name"`
	Overlap int             `json:"overlap"`
	Version int             `json:"version"`
	Schema  labeling.Schema `json:"schema"`
}

func projectCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "project", Short: "Projects and their schemas"}
	cmd.AddCommand(projectCreateCommand(), projectListCommand(), projectShowCommand(), projectLockCommand())
	return cmd
}

func projectCreateCommand() *cobra.Command {
	var slug, question, schemaFile string
	var classes []string
	var overlap int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a project",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			schema, err := readSchema(schemaFile, question, classes)
			if err != nil {
				return err
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var made projectBody
			if err := c.post(cmd.Context(), apiPath("projects"), map[string]any{
				"name": args[0], "slug": slug, "overlap": overlap, "schema": schema}, &made); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, made)
			}
			_, err = fmt.Fprintf(terminal(cmd), "Created %s as %s with %d classes.\n", made.Name, made.Slug, len(made.Schema.Classes))
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&slug, "slug", "", "its name in addresses (default: made from the name)")
	f.StringVar(&question, "question", "", "what people are asked about each item")
	f.StringSliceVar(&classes, "class", nil, "an allowed answer; may be given several times")
	f.StringVar(&schemaFile, "schema", "", "file with the schema as JSON, instead of --question and --class")
	f.IntVar(&overlap, "overlap", 1, "how many people judge each item")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// readSchema returns the schema of a file, or one made of a question and class
// names.
func readSchema(file, question string, classes []string) (labeling.Schema, error) {
	schema := labeling.Schema{Question: question, Classes: []labeling.Class{}}
	if file == "" {
		for i, name := range classes {
			schema.Classes = append(schema.Classes, labeling.Class{Name: name, Color: i % labeling.PaletteSteps})
		}
		return schema, nil
	}
	if question != "" || len(classes) > 0 {
		return schema, usage{errors.New("--schema stands instead of --question and --class")}
	}
	raw, err := readText(file)
	if err != nil {
		return schema, err
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if err := in.Decode(&schema); err != nil {
		return schema, usage{fmt.Errorf("%s is no schema such as {\"question\": \"…\", \"classes\": [{\"name\": \"…\"}]}: %w", file, err)}
	}
	return schema, nil
}

func projectListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the projects you are a member of",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if asJSON {
				var raw json.RawMessage
				if err := c.get(cmd.Context(), apiPath("projects"), &raw); err != nil {
					return err
				}
				return printJSON(cmd, raw)
			}
			var list struct {
				Items []projectBody `json:"items"`
			}
			if err := c.get(cmd.Context(), apiPath("projects"), &list); err != nil {
				return err
			}
			table := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
			for _, p := range list.Items {
				if _, err := fmt.Fprintf(table, "%s\t%s\t%d classes\n", p.Slug, p.Name, len(p.Schema.Classes)); err != nil {
					return err
				}
			}
			return table.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func projectShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show PROJECT",
		Short: "Show a project and its classes",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if asJSON {
				var raw json.RawMessage
				if err := c.get(cmd.Context(), apiPath("projects", args[0]), &raw); err != nil {
					return err
				}
				return printJSON(cmd, raw)
			}
			var p projectBody
			if err := c.get(cmd.Context(), apiPath("projects", args[0]), &p); err != nil {
				return err
			}
			out := terminal(cmd)
			if _, err := fmt.Fprintf(out, "%s (%s), schema version %d\n%s\n", p.Name, p.Slug, p.Version, p.Schema.Question); err != nil {
				return err
			}
			for _, class := range p.Schema.Classes {
				state := ""
				if class.Retired {
					state = " (retired)"
				}
				if _, err := fmt.Fprintf(out, "  %s%s\n", class.Name, state); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func projectLockCommand() *cobra.Command {
	var after time.Duration
	var reason string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "lock PROJECT --after 5m", Short: "Say how soon idle browsers of a project's people lock", Args: cobra.ExactArgs(1),
		Long: "It holds for everybody who may open the project, whichever page they show; the shortest of what the project, the person and serve --lock-after say counts.\n" +
			"--after 0 demands nothing. To lock later than before needs a --reason.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if after%time.Minute != 0 {
				return usage{errors.New("--after takes whole minutes, for example 5m")}
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var p struct {
				projectBody
				LockAfter int `json:"lock_after"`
			}
			if err := c.do(cmd.Context(), http.MethodPut, apiPath("projects", args[0], "lock"), map[string]any{"lock_after": int(after.Minutes()), "reason": reason}, &p); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, p)
			}
			said := "does not say when idle screens lock"
			if p.LockAfter > 0 {
				said = fmt.Sprintf("locks idle screens of its people after %d minutes at the latest", p.LockAfter)
			}
			_, err = fmt.Fprintln(terminal(cmd), p.Name, said)
			return err
		},
	}
	cmd.Flags().DurationVar(&after, "after", 0, "idle time in whole minutes; 0 demands nothing")
	reasonFlag(cmd, &reason, "screens lock later than before")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("after") // the flag exists
	return cmd
}
