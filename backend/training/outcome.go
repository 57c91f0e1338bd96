package training

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
)

// Exit codes with a meaning of their own (sysexits.h).
const (
	ExitBadData   = 65
	ExitTryAgain  = 75
	ExitBadConfig = 78
)

// Outcome is how an attempt ended and what to say about it.
type Outcome struct {
	State   State
	Reason  Reason
	Message string // one sentence for people
}

// Judge decides how an attempt ended from what its runner reports. Exit code 0
// alone is no success: everything that the recipe promises must exist.
func Judge(step Step, f Finish) Outcome {
	missing := Missing(step.Outputs, f.Outputs)
	switch {
	case f.Reason == ReasonNotStarted || f.Reason == ReasonInput:
		return Outcome{Failed, f.Reason, f.Message}
	case f.Reason == ReasonLost:
		return Outcome{Lost, ReasonLost, f.Message}
	case f.Stopped == StopPreempt:
		return Outcome{Preempted, ReasonStopped, fault.Say("The machine was needed for something else.")}
	case f.Stopped != "":
		return Outcome{Cancelled, ReasonStopped, fault.Say("Stopped on request.")}
	case f.OutOfMemory:
		return Outcome{Failed, ReasonOutOfMemory, fault.Say("The trainer needed more memory than this machine has. Use less data at a time or a larger machine.")}
	case f.Signal != "":
		return Outcome{Failed, ReasonSignal, fault.Say("The trainer was ended from outside by signal %s; when memory runs short the system does that.", f.Signal)}
	case f.ExitCode == ExitTryAgain:
		return Outcome{Preempted, ReasonTryAgain, fault.Say("The trainer saved a checkpoint and asked to be run again.")}
	case f.ExitCode == ExitBadData:
		return Outcome{Failed, ReasonBadData, fault.Say("The trainer cannot use this data; the end of the log says why.")}
	case f.ExitCode == ExitBadConfig:
		return Outcome{Failed, ReasonBadConfig, fault.Say("The trainer cannot use these parameters; the end of the log says why.")}
	case f.ExitCode != 0:
		return Outcome{Failed, ReasonExit, fault.Say("The trainer ended with exit code %d; the end of the log says why.", f.ExitCode)}
	case len(missing) > 0:
		return Outcome{Failed, ReasonMissingOutput, fault.Say("The trainer ended well but left no %s in its output folder.", strings.Join(missing, ", "))}
	}
	return Outcome{State: Succeeded}
}

// Missing returns the promised outputs that are not there. A promise that ends
// in a slash is kept by any file below it.
func Missing(promised []string, got []OutputFile) []string {
	var missing []string
	for _, want := range promised {
		if !slices.ContainsFunc(got, func(f OutputFile) bool {
			return f.Path == path.Clean(want) && !strings.HasSuffix(want, "/") || strings.HasSuffix(want, "/") && strings.HasPrefix(f.Path, want)
		}) {
			missing = append(missing, want)
		}
	}
	return missing
}

// pauses before another attempt, when the machine and not the trainer failed.
var pauses = [...]time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}

// Again decides whether a job gets another attempt, and after which pause.
// Only failures of machines earn one: a trainer that failed would fail again.
func (o Outcome) Again(attempts, most int, cancelled bool) (time.Duration, bool) {
	infra := o.State == Lost || o.State == Preempted || o.Reason == ReasonEngine
	if !infra || cancelled || attempts >= most && o.Reason != ReasonTryAgain {
		return 0, false
	}
	if o.Reason == ReasonTryAgain {
		return 0, true // it asked for it, and counts as no failure
	}
	return pauses[min(max(attempts, 1), len(pauses))-1], true
}
