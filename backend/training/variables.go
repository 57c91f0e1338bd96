package training

import (
	"path/filepath"
	"strconv"
	"strings"
)

// Variables is the environment of the job contract, version 1, with the aliases
// under which scripts written for other systems look for the same things.
func (s Spec) Variables(dir, server string, fence int64, token string) []string {
	resume := "0"
	if s.Job.Resume {
		resume = "1"
	}
	seed, output := strconv.FormatUint(s.Job.Seed, 10), filepath.Join(dir, "output")
	env := []string{
		"ADJUDGE_JOB_DIR=" + dir, // first: by it a runner finds its processes
		"ADJUDGE_INPUT_DIR=" + filepath.Join(dir, "input"),
		"ADJUDGE_OUTPUT_DIR=" + output,
		"ADJUDGE_CHECKPOINT_DIR=" + filepath.Join(dir, "checkpoint"),
		"ADJUDGE_PARAMS=" + filepath.Join(dir, "params.json"),
		"ADJUDGE_SEED=" + seed,
		"ADJUDGE_ATTEMPT=" + strconv.Itoa(s.Job.Attempt),
		"ADJUDGE_FENCE=" + strconv.FormatInt(fence, 10),
		"ADJUDGE_RESUME=" + resume,
		"ADJUDGE_NUM_GPUS=0",
		"ADJUDGE_API_URL=" + server,
		"ADJUDGE_TOKEN=" + token,
		"PYTHONUNBUFFERED=1",
		"PYTHONHASHSEED=" + seed,
		"SM_MODEL_DIR=" + filepath.Join(output, "model"),
		"SM_OUTPUT_DATA_DIR=" + output,
		"SM_HPS=" + string(s.Params),
		"SM_NUM_GPUS=0",
	}
	if s.Traceparent != "" {
		env = append(env, "TRACEPARENT="+s.Traceparent)
	}
	for _, in := range s.Inputs {
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
