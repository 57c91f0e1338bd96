package runner

import (
	"os"
	"path/filepath"
	"strconv"
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

// variables is the environment of the job contract, version 1, with the aliases
// under which scripts written for other systems look for the same things.
func variables(dir string, t training.Ticket, server string, spec training.Spec) []string {
	resume := "0"
	if spec.Job.Resume {
		resume = "1"
	}
	seed, output := strconv.FormatUint(spec.Job.Seed, 10), filepath.Join(dir, "output")
	env := []string{
		marker + "=" + dir, // first: by it our processes are found
		"ADJUDGE_INPUT_DIR=" + filepath.Join(dir, "input"),
		"ADJUDGE_OUTPUT_DIR=" + output,
		"ADJUDGE_CHECKPOINT_DIR=" + filepath.Join(dir, "checkpoint"),
		"ADJUDGE_PARAMS=" + filepath.Join(dir, "params.json"),
		"ADJUDGE_SEED=" + seed,
		"ADJUDGE_ATTEMPT=" + strconv.Itoa(spec.Job.Attempt),
		"ADJUDGE_FENCE=" + strconv.FormatInt(t.Fence, 10),
		"ADJUDGE_RESUME=" + resume,
		"ADJUDGE_NUM_GPUS=0",
		"ADJUDGE_API_URL=" + server,
		"ADJUDGE_TOKEN=" + t.Token,
		"PYTHONUNBUFFERED=1",
		"PYTHONHASHSEED=" + seed,
		"SM_MODEL_DIR=" + filepath.Join(output, "model"),
		"SM_OUTPUT_DATA_DIR=" + output,
		"SM_HPS=" + string(spec.Params),
		"SM_NUM_GPUS=0",
	}
	for _, in := range spec.Inputs {
		name := strings.Map(func(c rune) rune {
			if c >= 'a' && c <= 'z' {
				return c - 'a' + 'A'
			}
			if c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
				return c
			}
			return '_'
		}, in.Name)
		env = append(env, "SM_CHANNEL_"+name+"="+filepath.Join(dir, "input", in.Name))
	}
	return env
}
