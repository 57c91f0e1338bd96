package app

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/backend/web"
)

func recipeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "recipe", Short: "Recipes: how models can be trained"}
	cmd.AddCommand(recipeListCommand(), recipeShowCommand())
	return cmd
}

func recipeListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the recipes of the server",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var list web.List[web.RecipeBody]
			if err := c.get(cmd.Context(), apiPath("recipes"), &list); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, map[string]any{"items": list.Items, "next": nil})
			}
			w := tabwriter.NewWriter(terminal(cmd), 0, 4, 2, ' ', 0)
			for _, r := range list.Items {
				_, _ = fmt.Fprintf(w, "%s\tversion %s\t%s\n", r.Name, r.Version, r.Title)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func recipeShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show RECIPE",
		Short: "Show a recipe and its parameters",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var r web.RecipeBody
			if err := c.get(cmd.Context(), apiPath("recipes", args[0]), &r); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, r)
			}
			var schema training.Schema
			if err := json.Unmarshal(r.Params, &schema); err != nil {
				return fmt.Errorf("read the parameters of %s: %w", r.Name, err)
			}
			out := terminal(cmd)
			_, _ = fmt.Fprintf(out, "%s, version %s: %s\n%s\n\n", r.Name, r.Version, r.Title, r.Description)
			w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
			_, _ = fmt.Fprintln(w, "PARAMETER\tDEFAULT\tMEANING")
			for _, f := range schema.Fields {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s. %s\n", f.Name, f.Text(f.Default), f.Title, f.Description)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}
