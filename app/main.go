package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // Windows and small containers bring no time zones

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
)

// Exit codes of every command.
const (
	exitOK          = 0
	exitFailed      = 1 // the command failed; for gate: not approved
	exitUsage       = 2 // wrong words, flags, fields or token
	exitUnreachable = 3 // no server answers
)

// Main runs a command and returns its exit code.
func Main(args []string, in io.Reader, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	errs = &escaping{to: errs} // and logs
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitCode(err)
	if silent, ok := errors.AsType[exit](err); ok {
		return int(silent)
	}
	_, _ = fmt.Fprintln(errs, "adjudge:", oneLine(err))
	return code
}

// exit ends a command with a code after it has said everything itself.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// exitCode is the one table from errors to exit codes.
func exitCode(err error) int {
	if _, ok := errors.AsType[unreachable](err); ok {
		return exitUnreachable
	}
	if _, ok := errors.AsType[usage](err); ok {
		return exitUsage
	}
	// A pipeline must not take a token that lapsed for a candidate that was refused.
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Denied) {
		return exitUsage
	}
	return exitFailed
}

// usage is an error in how a command was called.
type usage struct{ error }

// oneLine returns what a person reads: the message of a fault, or the error of
// a stranger, for who runs a command may see everything.
func oneLine(err error) string {
	text := err.Error()
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Message != "" {
		text = f.Message
		if f.Err != nil && f.Kind == fault.Unavailable {
			text = strings.TrimSuffix(text, ".") + ": " + f.Err.Error()
		}
	}
	return strings.Join(strings.Fields(text), " ")
}

// rootCommand joins all commands.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "adjudge",
		Short: "Label, compare and sign off machine learning",
		Long: "Adjudge is where people judge machine learning: they label data, compare what models say,\n" +
			"sign off the candidate that may ship, and start training when none may.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage{err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().String("data", "", "data directory (default: $ADJUDGE_DATA, else a folder of your own)")
	root.PersistentFlags().String("server", "", "address of the server (default: $ADJUDGE_SERVER, else the one running on the data directory)")
	root.AddCommand(commands()...)
	if window := windowCommand(); window != nil {
		root.AddCommand(window)
		// Started from a menu or by a double click, nobody names a command.
		root.Args, root.RunE = cobra.NoArgs, window.RunE
	}
	checkUsage(root)
	return root
}

// checkUsage makes whatever cobra finds wrong with a call, a missing flag or an
// argument too many, wrong usage like what the commands find themselves.
func checkUsage(cmd *cobra.Command) {
	for _, below := range cmd.Commands() {
		checkUsage(below)
	}
	if args := cmd.Args; args != nil {
		cmd.Args = func(cmd *cobra.Command, given []string) error {
			if err := args(cmd, given); err != nil {
				return usage{err}
			}
			return nil
		}
	}
	if cmd.PreRunE == nil && cmd.PreRun == nil {
		cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
			if err := cmd.ValidateRequiredFlags(); err != nil {
				return usage{err}
			}
			return nil
		}
	}
}
