package app

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func evidenceCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "evidence", Short: "What was signed about a candidate"}
	cmd.AddCommand(evidenceExportCommand())
	return cmd
}

func evidenceExportCommand() *cobra.Command {
	var project, out string
	cmd := &cobra.Command{
		Use:   "export CANDIDATE -o DIR",
		Short: "Write the signed files of a candidate, and what they rest on, into a directory",
		Long: "export writes every attestation of a candidate twice, as a DSSE envelope (.dsse.json) and as a sigstore bundle\n" +
			"(.sigstore.json), the public keys that verify them (adjudge.pub, and others where the key changed), the text of the\n" +
			"policy, the comparisons that votes name and, for whoever may export data, the manifests of their snapshots.\n" +
			"What is not among them although votes name it is said on standard error, with the reason.\n" +
			"`adjudge verify` reads the directory without a server.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			path, err := c.candidatePath(cmd, project, args[0])
			if err != nil {
				return err
			}
			var list struct {
				Items []struct {
					Name    string `json:"name"`
					Content string `json:"content"`
				} `json:"items"`
				LeftOut []struct {
					Name   string `json:"name"`
					Reason string `json:"reason"`
				} `json:"left_out"`
			}
			if err := c.get(cmd.Context(), path+"/evidence", &list); err != nil {
				return err
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return fmt.Errorf("make the directory: %w", err)
			}
			for _, f := range list.Items {
				content, err := base64.StdEncoding.DecodeString(f.Content)
				if err != nil || filepath.Base(f.Name) != f.Name {
					return errors.New("the server answered with a file that cannot be written")
				}
				if err := os.WriteFile(filepath.Join(out, f.Name), content, 0o644); err != nil {
					return fmt.Errorf("write the evidence: %w", err)
				}
			}
			for _, f := range list.LeftOut {
				if _, err := fmt.Fprintf(cmd.ErrOrStderr(), "left out: %s: %s\n", f.Name, f.Reason); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(terminal(cmd), "%d files in %s\n", len(list.Items), out)
			return err
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "project, where several have such a candidate")
	cmd.Flags().StringVarP(&out, "out", "o", "", "directory to write into")
	_ = cmd.MarkFlagRequired("out") // the flag exists
	return cmd
}
