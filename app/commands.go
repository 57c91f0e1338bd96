package app

import "github.com/spf13/cobra"

// commands lists every command; each stands in a file of its name.
func commands() []*cobra.Command {
	return []*cobra.Command{
		serveCommand(),
		demoCommand(),
		importCommand(),
		exportCommand(),
		snapshotCommand(),
		ingestCommand(),
		recipeCommand(),
		trainCommand(),
		runnerCommand(),
		trainerCommand(),
		projectCommand(),
		personCommand(),
		tokenCommand(),
		modelCommand(),
		predictCommand(),
		compareCommand(),
		candidateCommand(),
		voteCommand(),
		gateCommand(),
		verifyCommand(),
		policyCommand(),
		evidenceCommand(),
		datasetCommand(),
		historyCommand(),
		eraseCommand(),
		trashCommand(),
		retentionCommand(),
		holdCommand(),
		doctorCommand(),
		backupCommand(),
		restoreCommand(),
		moveCommand(),
		benchCommand(),
		versionCommand(),
	}
}
