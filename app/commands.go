package app

import "github.com/spf13/cobra"

// commands lists every command; each stands in a file of its name.
func commands() []*cobra.Command {
	return []*cobra.Command{
		serveCommand(),
		demoCommand(),
		ingestCommand(),
		projectCommand(),
		personCommand(),
		tokenCommand(),
		doctorCommand(),
		versionCommand(),
	}
}
