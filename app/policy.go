package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/review"
)

// policyJSON is what the commands read of a policy.
type policyJSON struct {
	Version   int      `json:"version"`
	Digest    string   `json:"digest"`
	Text      string   `json:"text"`
	Sentences []string `json:"sentences"`
}

func policyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "What must hold before a candidate ships"}
	cmd.AddCommand(policyShowCommand(), policySaveCommand(), policyCheckCommand())
	return cmd
}

func policyShowCommand() *cobra.Command {
	var project string
	var asJSON, text bool
	cmd := &cobra.Command{
		Use:   "show --project P",
		Short: "Show the policy for new candidates, in sentences",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var raw json.RawMessage
			if err := c.get(cmd.Context(), apiPath("projects", project, "policy"), &raw); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, raw)
			}
			var p policyJSON
			if err := json.Unmarshal(raw, &p); err != nil {
				return fmt.Errorf("decode the policy: %w", err)
			}
			if text {
				_, err = io.WriteString(cmd.OutOrStdout(), p.Text)
				return err
			}
			return printPolicy(cmd, p)
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "project, by its slug")
	cmd.Flags().BoolVar(&text, "text", false, "print the text, to edit and save it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("project") // the flag exists
	return cmd
}

func printPolicy(cmd *cobra.Command, p policyJSON) error {
	if _, err := fmt.Fprintf(terminal(cmd), "policy version %d, %s\n", p.Version, p.Digest); err != nil {
		return err
	}
	for _, s := range p.Sentences {
		if _, err := fmt.Fprintln(terminal(cmd), "  "+s); err != nil {
			return err
		}
	}
	return nil
}

func policySaveCommand() *cobra.Command {
	var project, reason string
	cmd := &cobra.Command{
		Use:   "save --project P --reason WHY FILE",
		Short: "Supersede the policy for new candidates; open ones keep theirs",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readText(args[0])
			if err != nil {
				return err
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var p policyJSON
			if err := c.do(cmd.Context(), http.MethodPut, apiPath("projects", project, "policy"), map[string]string{"text": string(text), "reason": reason}, &p); err != nil {
				return err
			}
			return printPolicy(cmd, p)
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "project, by its slug")
	reasonFlag(cmd, &reason, "the policy changes; needed where it does")
	_ = cmd.MarkFlagRequired("project") // the flag exists
	return cmd
}

// reasonFlag adds --reason to a command that changes something.
func reasonFlag(cmd *cobra.Command, reason *string, what string) {
	cmd.Flags().StringVar(reason, "reason", "", "why "+what+"; stands in the history")
}

func policyCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say what a policy means, without a server",
		Long: "Say what a policy means, without a server. Beside the rule no_decisive_loss, \"predictions\": \"computed\" asks for answers that the server computed " +
			"from the models themselves; without it the rule reads every set of answers that stands, uploaded ones too, and goes by the worst.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readText(args[0])
			if err != nil {
				return err
			}
			rules, err := review.ParsePolicy(string(text))
			if err != nil {
				return err
			}
			for _, q := range rules.Requirements {
				if _, err := fmt.Fprintln(terminal(cmd), rules.Says(q)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
