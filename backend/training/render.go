package training

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Render writes out what a runner will do, for people who ask what was
// submitted: the command and the files that it reads.
func (s Spec) Render() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# the runner then starts\n%s\n", quote(s.Command))
	file := func(name string, v any) {
		raw, err := json.Marshal(v)
		var pretty bytes.Buffer
		if err == nil {
			err = json.Indent(&pretty, raw, "", "  ")
		}
		if err == nil {
			fmt.Fprintf(&b, "\n# %s\n%s\n", name, &pretty)
		}
	}
	b.WriteString("\n# with these variables; DIR is the job's folder, SERVER this server, and the token is the attempt's own\n")
	for _, v := range s.Variables("DIR", "SERVER", s.Job.Fence, "…") {
		b.WriteString(v + "\n")
	}
	file("job.json", s.Job)
	file("params.json", s.Params)
	for _, in := range s.Inputs {
		if len(in.Dataset) > 0 {
			file("input/"+in.Name+"/dataset.json", in.Dataset)
		}
	}
	return b.String()
}

// quote writes a command as one could paste it into a shell.
func quote(command []string) string {
	words := make([]string, len(command))
	for i, w := range command {
		if strings.ContainsAny(w, " \t\n'\"\\$`*?&|;<>(){}[]#~") && w != "{adjudge}" || w == "" {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		words[i] = w
	}
	return strings.Join(words, " ")
}
