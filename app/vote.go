package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
)

func voteCommand() *cobra.Command {
	var project, label, value, comment string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "vote CANDIDATE --value +1 --comment …",
		Short: "Say what you think of a candidate, without weight",
		Long: "vote stores your answer as a comment on the candidate. It satisfies no requirement: a vote that counts is\n" +
			"signed by a person in the browser, who gives their password again.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.Atoi(value)
			if err != nil {
				return usage{errors.New("--value is a number from -2 to +2")}
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			path, err := c.candidatePath(cmd, project, args[0])
			if err != nil {
				return err
			}
			request := map[string]any{"value": n, "comment": comment}
			if label != "" {
				request["label"] = label
			}
			var raw json.RawMessage
			if err := c.post(cmd.Context(), path+"/votes", request, &raw); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, raw)
			}
			var voted struct {
				Candidate candidateJSON `json:"candidate"`
			}
			if err := json.Unmarshal(raw, &voted); err != nil {
				return fmt.Errorf("decode the answer: %w", err)
			}
			_, err = fmt.Fprintf(terminal(cmd), "Stored as a comment on candidate %d; it counts for nothing. To vote, open it in the browser.\n", voted.Candidate.Number)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&project, "project", "", "project, where several have such a candidate")
	f.StringVar(&label, "label", "", "label of the policy (default: its only one)")
	f.StringVar(&value, "value", "", "value of the label, such as +1 or -1")
	f.StringVar(&comment, "comment", "", "what you saw")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("value") // the flag exists
	return cmd
}
