package app

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release is the version of this build; the linker sets it.
var release = "dev"

// version returns the version and, in a development build, the commit.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && release == "dev" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return release + "-" + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return release
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(terminal(cmd), "adjudge", version())
			return err
		},
	}
}
