package app

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/runner"
	"github.com/adjudge/adjudge/backend/trainer/textlinear"
)

// runnerCommand supervises one attempt of a training job. Engines start it;
// people use it with --local, to try a recipe without a server.
func runnerCommand() *cobra.Command {
	var job, clear string
	var local localOptions
	cmd := &cobra.Command{
		Use:   "runner",
		Short: "Supervise one attempt of a training job, or try a recipe without a server",
		Long: "Supervise one attempt of a training job: engines start this themselves.\n\n" +
			"With --local RECIPE it lays out a job directory from a file of {key, text, answer} lines,\n" +
			"runs the recipe's trainer under the same file contract, and leaves the results there.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case job != "":
				log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
				self, err := os.Executable()
				if err != nil {
					return err
				}
				return runner.Run(cmd.Context(), runner.Config{Dir: job, Self: self, Version: version(), Log: log, Now: now})
			case clear != "":
				return runner.Clear(clear)
			case local.recipe != "":
				return runLocal(cmd, local)
			}
			return usage{errors.New("give --local RECIPE with --input FILE, or --job DIR as an engine does")}
		},
	}
	f := cmd.Flags()
	f.StringVar(&job, "job", "", "job directory with a ticket of the server (engines set this)")
	f.StringVar(&clear, "clear", "", "job directory whose processes to kill and whose files to remove (engines set this)")
	local.flags(f)
	return cmd
}

// trainerCommand is the hidden command that runs a trainer of this binary in
// the job directory that the environment names, as the job contract says.
func trainerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "trainer NAME",
		Hidden: true,
		Short:  "train or predict in the job directory of ADJUDGE_JOB_DIR (a runner starts this)",
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := os.Getenv("ADJUDGE_JOB_DIR")
			if dir == "" {
				return usage{errors.New("ADJUDGE_JOB_DIR names no job directory; a runner sets it")}
			}
			if args[0] != "text-linear" {
				return usage{fmt.Errorf("this program has no trainer %q; it has text-linear", args[0])}
			}
			if code := textlinear.Main(cmd.Context(), dir, cmd.OutOrStdout()); code != 0 {
				return exit(code)
			}
			return nil
		},
	}
}
