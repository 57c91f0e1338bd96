package runner

import (
	"os"
	"strings"

	"github.com/adjudge/adjudge/backend/training"
)

// inherited is our own environment without what belongs to the server or to an
// attempt around us.
func inherited() []string {
	var kept []string
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); !strings.HasPrefix(name, "ADJUDGE_") && !strings.HasPrefix(name, "SM_") {
			kept = append(kept, v)
		}
	}
	return kept
}

// variables is the environment of the job contract for an attempt.
func variables(dir string, t training.Ticket, server string, spec training.Spec) []string {
	return spec.Variables(dir, server, t.Fence, t.Token)
}
