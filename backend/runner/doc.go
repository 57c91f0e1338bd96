// Package runner supervises one attempt wherever an engine placed it: it lays
// out the inputs as files, starts the trainer, ships its log and metrics by
// byte offset, sends heartbeats, obeys a stop, kills what is left, and brings
// the outputs in.
//
// A runner outlives the server and asks again and again where it is now. What
// it must not lose stands in the job directory: state.json names its processes
// before it reports them, exit.json the outcome before it delivers it. Run on a
// directory with an outcome only delivers; on one whose runner died it kills
// the orphans and reports the attempt lost.
package runner
