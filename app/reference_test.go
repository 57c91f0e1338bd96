package app

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/token"

	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Every command and flag is documented: each says what it is, and reference.md
// holds what they say on one page.
func TestTheReferenceHoldsEveryCommandAndFlag(t *testing.T) {
	t.Parallel()
	var page bytes.Buffer
	page.WriteString("# Commands\n\nWhat `adjudge help` says, on one page. Written by `go test ./app -run Reference -update`.\n")
	root := rootCommand()
	if windowCommand() == nil { // this build has none, and is documented all the same
		root.AddCommand(desktopCommand(nil))
	}
	root.InitDefaultHelpCmd()
	page.WriteString("\nFlags that every command takes:\n\n")
	writeFlags(t, &page, root, root.PersistentFlags())
	for _, cmd := range walkCommands(root) {
		if cmd.Hidden || cmd.Name() == "help" {
			continue
		}
		if len(strings.TrimSpace(cmd.Short)) < 10 {
			t.Errorf("`%s` does not say what it does", cmd.CommandPath())
		}
		if cmd.HasAvailableSubCommands() && !cmd.Runnable() {
			fmt.Fprintf(&page, "\n## %s\n\n%s.\n", cmd.CommandPath(), strings.TrimSuffix(cmd.Short, "."))
			continue
		}
		fmt.Fprintf(&page, "\n### `%s`\n\n%s.\n", strings.TrimSuffix(cmd.UseLine(), " [flags]"), strings.TrimSuffix(cmd.Short, "."))
		if cmd.Long != "" {
			fmt.Fprintf(&page, "\n%s\n", strings.TrimSpace(cmd.Long))
		}
		if cmd.Example != "" {
			fmt.Fprintf(&page, "\n```sh\n%s\n```\n", strings.TrimSpace(cmd.Example))
		}
		if cmd.LocalNonPersistentFlags().HasAvailableFlags() {
			page.WriteString("\n")
			writeFlags(t, &page, cmd, cmd.LocalNonPersistentFlags())
		}
	}
	golden(t, "reference.md", page.Bytes())
}

func writeFlags(t *testing.T, page *bytes.Buffer, cmd *cobra.Command, flags *pflag.FlagSet) {
	t.Helper()
	page.WriteString("| flag | is | unless given |\n|---|---|---|\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		if len(strings.TrimSpace(f.Usage)) < 5 {
			t.Errorf("`%s --%s` does not say what it is", cmd.CommandPath(), f.Name)
		}
		name := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + "`, " + name
		}
		otherwise := ""
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0" {
			otherwise = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(page, "| %s | %s | %s |\n", name, strings.ReplaceAll(f.Usage, "|", "\\|"), otherwise)
	})
}

// walkCommands lists a command's descendants in the order of the help.
func walkCommands(cmd *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, sub := range cmd.Commands() {
		all = append(append(all, sub), walkCommands(sub)...)
	}
	return all
}

// README names every variable that the program reads.
func TestEveryEnvironmentVariableIsInTheReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`^ADJUDGE_[A-Z0-9_]+$`)
	// What an attestation verifies is written like this, too, and is no variable.
	level := regexp.MustCompile(`_APPROVED$`)
	for variable, where := range stringLiterals(t) {
		if name.MatchString(variable) && !level.MatchString(variable) && !strings.Contains(string(readme), "`"+variable+"`") {
			t.Errorf("%s reads %s, which README.md does not name", where, variable)
		}
	}
}

// stringLiterals maps every word in a string of the sources to a file that holds it.
func stringLiterals(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, file := range sources(t) {
		if strings.HasSuffix(file.path, "_test.go") {
			continue // a test marks its own child processes
		}
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil {
					for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
						found[word] = file.path
					}
				}
			}
			return true
		})
	}
	return found
}

// Make's targets are documented by the lines that `make help` prints.
func TestEveryMakeTargetIsInItsHelp(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	helped := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9/]+):.*## .+$`).FindAllSubmatch(makefile, -1) {
		helped[string(m[1])] = true
	}
	for _, target := range []string{"help", "run", "dev", "generate", "fmt", "lint", "test", "test/race", "e2e", "bench", "desktop", "server", "package", "clean"} {
		if !helped[target] {
			t.Errorf("make %s is not there or says nothing in `make help`", target)
		}
	}
	internal := []string{"modules"} // what other targets lean on
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9/]+):`).FindAllSubmatch(makefile, -1) {
		if name := string(m[1]); !helped[name] && !slices.Contains(internal, name) {
			t.Errorf("make %s says nothing in `make help`", name)
		}
	}
}

// The walk of README is the one that testdata/script/walk.txtar plays: the same
// commands in the same order. Only how a server is started differs.
func TestTheWalkOfTheReadmeIsTheOneThatIsPlayed(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, walk, _ := strings.Cut(string(readme), "```sh\n")
	walk, _, _ = strings.Cut(walk, "```")
	shown := commandLines(walk)
	script, err := os.ReadFile("../testdata/script/walk.txtar")
	if err != nil {
		t.Fatal(err)
	}
	commands, _, _ := strings.Cut(string(script), "\n-- ")
	played := slices.DeleteFunc(commandLines(commands), func(line string) bool { return line == "adjudge doctor" })
	shown = slices.DeleteFunc(shown, func(line string) bool { return line == "adjudge serve" })
	if len(shown) < 9 || !slices.Equal(shown, played) {
		t.Errorf("README shows\n\t%s\nand walk.txtar plays\n\t%s", strings.Join(shown, "\n\t"), strings.Join(played, "\n\t"))
	}
}

// commandLines finds the commands of this program in lines of a shell or a script.
func commandLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line, _, _ = strings.Cut(line, "&")
		line = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(line), "! "), "exec ")
		if strings.HasPrefix(line, "adjudge ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// Links between the documents lead somewhere.
func TestLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)
	pages, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]string{}
	for _, page := range append(pages, "../build/README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			target := string(m[1])
			if strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), target)); err != nil {
				missing[target] = page
			}
		}
	}
	for _, target := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("%s links to %s, which is not there", missing[target], target)
	}
}

// golden compares with a file of this folder, or writes it under -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is stale; run `go test ./app -update` and read the difference", name)
	}
}
