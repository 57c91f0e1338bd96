package training

import "slices"

// State is where a job or an attempt stands.
type State string

// The states. A job is queued until it is claimed; an attempt begins at starting.
const (
	Queued    State = "queued"
	Starting  State = "starting"  // claimed, its runner is being placed
	Running   State = "running"   // the trainer has been started
	Stopping  State = "stopping"  // asked to stop, not yet ended
	Succeeded State = "succeeded" // ended well, with all it promised
	Failed    State = "failed"    // ended badly by its own doing
	Cancelled State = "cancelled" // ended because a person asked
	Preempted State = "preempted" // ended because the machine was needed
	Lost      State = "lost"      // its runner is gone and nobody knows more
)

// Over reports whether nothing more will happen in this state.
func (s State) Over() bool {
	return slices.Contains([]State{Succeeded, Failed, Cancelled, Preempted, Lost}, s)
}

// Active reports whether a process may be at work.
func (s State) Active() bool { return s == Starting || s == Running || s == Stopping }

// Phase is how far an active attempt has come; finer than State, for eyes only.
type Phase string

// The phases of an attempt.
const (
	PhaseStarting   Phase = "starting"   // the runner fetches inputs
	PhaseRunning    Phase = "running"    // the trainer works
	PhaseCollecting Phase = "collecting" // the trainer ended, outputs are brought in
	PhaseDone       Phase = "done"
)

// Reason says in one stable word why an attempt ended as it did.
type Reason string

// The reasons.
const (
	ReasonNone          Reason = ""
	ReasonStopped       Reason = "stopped"        // a person asked
	ReasonExit          Reason = "exit"           // the trainer exited with a code other than 0
	ReasonSignal        Reason = "signal"         // the trainer was killed, not by us
	ReasonOutOfMemory   Reason = "out_of_memory"  // the kernel killed it for memory
	ReasonBadData       Reason = "bad_data"       // exit code 65
	ReasonBadConfig     Reason = "bad_config"     // exit code 78
	ReasonTryAgain      Reason = "try_again"      // exit code 75: it saved a checkpoint and wants another go
	ReasonMissingOutput Reason = "missing_output" // exit code 0 without what the recipe promises
	ReasonNotStarted    Reason = "not_started"    // the command could not be started
	ReasonInput         Reason = "input"          // the inputs could not be laid out
	ReasonLost          Reason = "lost"           // the runner died
	ReasonEngine        Reason = "engine"         // the engine could not place the runner
)
