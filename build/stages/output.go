package main

import (
	"bytes"
	"fmt"
	"sync"
)

// output collects what a stage wrote and what its tests came to.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	passed  int
	broken  []string // tests that failed or had not ended, and packages that failed without one
	skipped []string
}

// Write makes an output the target of a command.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String returns all that was written.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// summary is the last column of the table.
func (o *output) summary() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.passed == 0 && len(o.skipped) == 0:
		return "ok"
	case len(o.skipped) == 0:
		return fmt.Sprintf("%d tests", o.passed)
	default:
		return fmt.Sprintf("%d tests, %d skipped", o.passed, len(o.skipped))
	}
}

// failures returns what failed and how many tests ended in all.
func (o *output) failures() (broken []string, done int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.broken, o.passed + len(o.broken)
}
