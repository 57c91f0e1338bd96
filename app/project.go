package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

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
	cmd.AddCommand(projectCreateCommand(), projectListCommand(), projectShowCommand())
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
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Created %s as %s with %d classes.\n", made.Name, made.Slug, len(made.Schema.Classes))
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
	raw, err := os.ReadFile(file)
	if err != nil {
		return schema, usage{err}
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
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
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
			out := cmd.OutOrStdout()
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
