package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
)

func TestWhatACommandSaysIsNoCommandToATerminal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain, naïve, 日本\tand\n":       "plain, naïve, 日本\tand\n",
		"\x1b[2K\x1b[1Aapproved":        `\u001b[2K\u001b[1Aapproved`,
		"\u009b2Kapproved\u0007":        `\u009b2Kapproved\u0007`,
		"\x9b2Kapproved":                `\ufffd2Kapproved`,
		"10 %\r20 %\r30 %\r\nend\n":     "10 %\n20 %\n30 %\nend\n",
		"rejected \u202edevorppa\u202c": `rejected \u202edevorppa\u202c`,
		"\x7f":                          `\u007f`,
	} {
		var out bytes.Buffer
		cmd := &cobra.Command{}
		cmd.SetOut(&out)
		if n, err := terminal(cmd).Write([]byte(text)); err != nil || n != len(text) {
			t.Errorf("%q: %d, %v", text, n, err)
		}
		if out.String() != want {
			t.Errorf("%q came out as %q", text, out.String())
		}
	}
	// Of every character: what reaches the terminal is no control character, and
	// JSON that went through reads as what was put in.
	for r := range rune(0x10000) {
		var out bytes.Buffer
		cmd := &cobra.Command{}
		cmd.SetOut(&out)
		if err := printJSON(cmd, map[string]string{"name": string(r)}); err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexFunc(strings.ReplaceAll(out.String(), "\n", ""), unicode.IsControl); i >= 0 {
			t.Errorf("U+%04X is written as %q", r, out.String())
		}
		var back map[string]string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back["name"] != string(r) {
			t.Errorf("U+%04X came back as %q: %v", r, back["name"], err)
		}
	}
}

// A program writes in pieces: print(…, end="\r", flush=True) ends one in the middle
// of a line, and a pipe ends one in the middle of a character.
func TestPiecesComeOutAsTheWholeDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pieces []string
		want   string
	}{
		{[]string{"10 %\r", "20 %\r", "30 %\r"}, "10 %\n20 %\n30 %\n"},
		{[]string{"10 %\r", "\nend\n"}, "10 %\nend\n"},
		{[]string{"end\r\n", "\nof it"}, "end\n\nof it"},
		{[]string{"na\xc3", "\xafve \xe6", "\x97", "\xa5本"}, "naïve 日本"},
		{[]string{"\xc2", "\x9b2K"}, `\u009b2K`},
		{[]string{"\xe2\x80", "\xaedevorppa"}, `\u202edevorppa`},
		{[]string{"\xc3", "2K", "\x9b", "2K"}, `\ufffd2K\ufffd2K`},
	} {
		var out bytes.Buffer
		cmd := &cobra.Command{}
		cmd.SetOut(&out)
		to := terminal(cmd)
		for _, piece := range c.pieces {
			if n, err := to.Write([]byte(piece)); err != nil || n != len(piece) {
				t.Errorf("%q: %d, %v", piece, n, err)
			}
		}
		if out.String() != c.want {
			t.Errorf("%q came out as %q", c.pieces, out.String())
		}
	}
}

// What goes to a terminal or a log goes there by terminal, or by Main for what goes to
// the error output. Files that were asked for go out as they are.
func TestNothingIsSaidOnATerminalButByOneWriter(t *testing.T) {
	t.Parallel()
	asTheyAre := map[string]int{
		"ingest.go":   1, // a child process to its parent
		"snapshot.go": 2, // the file that is downloaded
		"policy.go":   1, // the text that its digest is of
		"runner.go":   1, // a trainer into its log, which the server keeps
		"terminal.go": 1,
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := regexp.MustCompile(`OutOrStdout\(\)|os\.Stdout\b|os\.Stderr\b|fmt\.Print|\bunescaped\(`)
	asTheyAre["desktop.go"], asTheyAre["team_open.go"] = 5, 2 // a window's own errors, and the program that takes its place
	asTheyAre["progress.go"] = 3                              // the bar
	for _, path := range slices.DeleteFunc(sources, func(path string) bool { return strings.HasSuffix(path, "_test.go") }) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(out.FindAll(raw, -1)); n != asTheyAre[path] {
			t.Errorf("%s writes to the output %d times by itself, not %d", path, n, asTheyAre[path])
		}
	}
	var errs bytes.Buffer
	Main([]string{"evil\x1b[2K"}, nil, &bytes.Buffer{}, &errs)
	if errs.Len() == 0 || strings.ContainsRune(errs.String(), 0x1b) {
		t.Errorf("the error is %q", errs.String())
	}
}
