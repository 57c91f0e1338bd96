package training

import (
	"encoding/json"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
)

// This file is the protocol between a runner and the server, version 1. Every
// request names the attempt by its fence and proves it by the attempt's token;
// a stale fence is answered with Conflict, and the runner then kills its
// trainer and exits.

// Spec is what a runner is told when it reports in.
type Spec struct {
	Job      JobFile         `json:"job"`     // becomes job.json
	Params   json.RawMessage `json:"params"`  // becomes params.json
	Command  []string        `json:"command"` // {adjudge} stands for the runner's own binary
	Outputs  []string        `json:"outputs"` // promised under output/
	Inputs   []Input         `json:"inputs"`  // become input/<name>/
	GraceS   int             `json:"grace_s"` // seconds between a polite stop and the end
	BeatS    float64         `json:"beat_s"`  // seconds between heartbeats
	LogLimit int64           `json:"log_limit"`
	Stop     *Stop           `json:"stop,omitempty"` // already asked to stop
	// Traceparent names the attempt to what its trainer tells a collector of
	// traces; empty where the server tells none.
	Traceparent string `json:"traceparent,omitempty"`
}

// JobFile is job.json.
type JobFile struct {
	Version   int              `json:"version"` // 1
	JobID     JobID            `json:"job_id"`
	Attempt   int              `json:"attempt"`
	Fence     int64            `json:"fence"`
	Kind      Kind             `json:"kind"`
	Project   ledger.ProjectID `json:"project"`
	CreatedBy ledger.PersonID  `json:"created_by"`
	Recipe    string           `json:"recipe"`
	Seed      uint64           `json:"seed"`
	Resume    bool             `json:"resume"`
	Deadline  *time.Time       `json:"deadline,omitempty"`
}

// Input is one folder of inputs.
type Input struct {
	Name    string          `json:"name"`
	Dataset json.RawMessage `json:"dataset,omitempty"` // becomes dataset.json
	Files   []string        `json:"files"`             // fetched one by one
}

// Stop asks a runner to end its trainer; it is also the content of control/stop.
type Stop struct {
	Reason string `json:"reason"` // cancel, preempt, prune, deadline
	GraceS int    `json:"grace_s"`
}

// Why a trainer is asked to stop.
const (
	StopCancel  = "cancel"
	StopPreempt = "preempt"
)

// Beat is a heartbeat.
type Beat struct {
	Phase Phase `json:"phase"`
	Host  *Host `json:"host,omitempty"` // where the runner and the trainer are
}

// Host says where an attempt runs, precisely enough to find it again.
type Host struct {
	Name         string `json:"name"`
	BootID       string `json:"boot_id"`
	Runner       int    `json:"runner_pid"`
	RunnerStart  uint64 `json:"runner_start_ticks"`
	Trainer      int    `json:"trainer_pid"`
	TrainerStart uint64 `json:"trainer_start_ticks"`
}

// Answer is what every write of a runner gets back; it doubles as the channel
// by which a stop arrives.
type Answer struct {
	Next  int64   `json:"next"`           // of a stream: the offset that is wanted next
	BeatS float64 `json:"beat_s"`         // seconds until the next heartbeat
	Stop  *Stop   `json:"stop,omitempty"` // asked to stop
}

// OutputFile is one file under output/.
type OutputFile struct {
	Path   string        `json:"path"` // relative to output/, with forward slashes
	Size   int64         `json:"size"`
	Digest ledger.Digest `json:"digest"`
}

// Finish is the last word of a runner.
type Finish struct {
	ExitCode     int             `json:"exit_code"`
	Signal       string          `json:"signal,omitempty"` // the trainer was ended by this signal, not by us
	OutOfMemory  bool            `json:"out_of_memory,omitempty"`
	Stopped      string          `json:"stopped,omitempty"` // the trainer ended because it was asked to, and why
	Reason       Reason          `json:"reason,omitempty"`  // lost, not_started or input, when there is no exit code
	Message      string          `json:"message,omitempty"`
	StartedAt    time.Time       `json:"started_at"`
	EndedAt      time.Time       `json:"ended_at"`
	LogBytes     int64           `json:"log_bytes"`
	LogCRC32     uint32          `json:"log_crc32"`
	MetricsBytes int64           `json:"metrics_bytes"`
	Outputs      []OutputFile    `json:"outputs"`
	Result       json.RawMessage `json:"result,omitempty"`      // output/result.json
	Environment  json.RawMessage `json:"environment,omitempty"` // what it ran on
}

// Stream names what a runner ships by byte offset.
type Stream string

// The streams of an attempt.
const (
	StreamLog     Stream = "log"     // log.txt, what the trainer printed
	StreamMetrics Stream = "metrics" // output/metrics.jsonl
)

// MaxChunk is the most that one write to a stream may carry.
const MaxChunk = 256 << 10

// The files that an engine and a runner share in a job directory, beside those
// that a trainer sees.
const (
	FileTicket = "ticket.json" // Ticket: written by the engine, before the runner starts
	FileTrace  = "state.json"  // Trace: written by the runner, before it reports
	FileExit   = "exit.json"   // Finish without outputs: written by the runner when the trainer ended
	FileLog    = "log.txt"     // what the trainer printed
	FileStop   = "control/stop"
)

// Ticket is what an engine hands to a runner.
type Ticket struct {
	Fence int64  `json:"fence"`
	Token string `json:"token"`
	Data  string `json:"data,omitempty"` // data directory whose server.json says where the server is now
	URL   string `json:"url,omitempty"`  // where the server is, when there is no such directory
}

// Trace is what a runner leaves so that its processes can be found again.
type Trace struct {
	Fence  int64  `json:"fence"`
	Host   Host   `json:"host"`
	Cgroup string `json:"cgroup,omitempty"`
}
