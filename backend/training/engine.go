package training

import "context"

// Engine is where an attempt executes. It only places a process, says whether
// it lives, and stops it; the process is always our runner, which does the
// rest. Every method may be called again for the same attempt, concurrently,
// and after a restart of the server. enginetest is the suite that an engine
// must pass.
type Engine interface {
	// Name is how people choose it: local, slurm, ray, kubernetes.
	Name() string
	// Slots is how many attempts may be placed at a time.
	Slots() int
	// Place starts a runner for an attempt. Placing an attempt that is alive
	// changes nothing and returns the same id; placing one whose runner ended
	// starts a runner that brings in what is left of it.
	Place(context.Context, Placement) (extID string, err error)
	// Describe says how each of the given attempts stands, in their order.
	Describe(context.Context, []Handle) ([]Vital, error)
	// Stop asks the runner of an attempt to stop its trainer, politely. It
	// returns before that happened and is no error for one that ended.
	Stop(context.Context, Handle, Stop) error
	// Clear kills every process that an attempt left and removes its files. It
	// is called once an attempt is over, and is no error for one that never was.
	Clear(context.Context, Handle) error
	// Known lists the fences of which the engine still has a process or a file.
	Known(context.Context) ([]int64, error)
	// Remains returns what an attempt printed from an offset on, at most a
	// megabyte of it, for an attempt whose runner can no longer ship it; nothing
	// where the engine cannot reach it.
	Remains(ctx context.Context, handle Handle, offset int64) ([]byte, error)
	// Render returns word for word what Place would submit, without secrets.
	Render(Placement) string
}

// Placement is what an engine needs to start a runner.
type Placement struct {
	Fence    int64
	Job      JobID
	Attempt  int
	Token    string // the attempt's own; empty when it is placed again and has it
	Previous int64  // the fence of the attempt before, whose checkpoint goes on; 0 for none
}

// Handle names a placed attempt.
type Handle struct {
	Fence int64
	ExtID string // empty where the server died before it heard
}

// Vital is whether a runner lives.
type Vital string

// The vital signs.
const (
	VitalAlive   Vital = "alive"   // its process is there
	VitalEnded   Vital = "ended"   // the trainer ended and its outcome waits to be brought in, but no runner is there to do it
	VitalGone    Vital = "gone"    // no process and no outcome
	VitalUnknown Vital = "unknown" // this engine cannot tell now
)
