package checkpoint_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/checkpoint"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store/storetest"
)

// A full disk takes half a line, or the process ends in the middle of it.
func TestAHalfLineInTheFileOfCheckpointsShutsNoGate(t *testing.T) {
	t.Parallel()
	for name, half := range map[string]func(line string) string{
		"half a line":         func(line string) string { return line[:len(line)/2] },
		"all but its end":     func(line string) string { return line },
		"nothing of the line": func(string) string { return "" },
	} {
		for _, lines := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s after %d", name, lines), func(t *testing.T) {
				t.Parallel()
				p := newPlace(t, storetest.SQLite(t))
				p.record(t, "a", "candidate.approved")
				made, err := p.Make(t.Context(), "approval")
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(p.Dir, checkpoint.File)
				torn := strings.Repeat(string(made.Envelope)+"\n", lines) + half(string(made.Envelope))
				if err := os.WriteFile(path, []byte(torn), 0o600); err != nil {
					t.Fatal(err)
				}
				if covered, err := p.Covers(t.Context(), 2); err != nil || !covered {
					t.Fatalf("the gate: %t, %v", covered, err)
				}
				if _, err := p.Make(t.Context(), "by hand"); err != nil {
					t.Fatal(err)
				}
				if err := p.check(t, path, p.Key); err != nil {
					t.Error(err)
				}
				file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
				if err == nil {
					_, err = file.WriteString(half(string(made.Envelope)))
					err = errors.Join(err, file.Close())
				}
				if err == nil {
					err = p.Start(t.Context())
				}
				if err == nil { // as doctor reads it, strictly
					_, err = checkpoint.Read(path)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// Of several servers on one database each has a file of its own. What another made
// stands there too before anybody can take it out of the database again.
func TestAServerKeepsTheCheckpointsThatAnotherMade(t *testing.T) {
	t.Parallel()
	for name, learns := range map[string]func(*testing.T, place) error{
		"at its start":           func(t *testing.T, p place) error { return p.Start(t.Context()) },
		"when a gate is asked":   func(t *testing.T, p place) error { _, err := p.Covers(t.Context(), 2); return err },
		"and from time to time":  func(t *testing.T, p place) error { return p.Follow(t.Context()) },
		"once, however often so": func(t *testing.T, p place) error { return errors.Join(p.Follow(t.Context()), p.Follow(t.Context())) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newPlace(t, storetest.SQLite(t))
			b := a
			config := a.Config
			config.Dir = t.TempDir()
			b.Keeper = checkpoint.New(config)
			a.record(t, "candidate.approved")
			if _, err := b.Make(t.Context(), "approval"); err != nil {
				t.Fatal(err)
			}
			a.record(t, "approval.withdrawn")
			if err := a.AfterDecision(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if err := learns(t, b); err != nil {
				t.Fatal(err)
			}
			list, err := checkpoint.Read(filepath.Join(b.Dir, checkpoint.File))
			if err != nil || len(list) != 2 || list[1].Seq != 2 {
				t.Fatalf("%d checkpoints: %v", len(list), err)
			}
			a.sql(t, `DELETE FROM checkpoint WHERE seq = 2`, `DELETE FROM event_payload WHERE seq = 2`, `DELETE FROM event WHERE seq = 2`)
			again := checkpoint.New(config)
			if err := again.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := again.Covers(t.Context(), 1); !fault.Is(err, fault.Conflict) {
				t.Errorf("after the withdrawal was cut off: %v", err)
			}
		})
	}
}

// behind returns two servers on one database, the second of which lacks what the
// first made last.
func behind(t *testing.T, change func(*checkpoint.Config)) (a, b place) {
	t.Helper()
	a = newPlace(t, storetest.SQLite(t))
	b = a
	config := a.Config
	config.Dir = t.TempDir()
	change(&config)
	b.Keeper = checkpoint.New(config)
	a.record(t, "candidate.approved")
	if err := a.AfterDecision(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// Another server made the checkpoint; that the disk of this one is full changes
// nothing about what the history is.
func TestADiskThatTakesNoCheckpointShutsNoGateAndStopsNoStart(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	_, b := behind(t, func(c *checkpoint.Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
		if err := os.Symlink(filepath.Join(c.Dir, "gone", "away"), filepath.Join(c.Dir, checkpoint.File)); err != nil {
			t.Fatal(err)
		}
	})
	if covered, err := b.Covers(t.Context(), 1); err != nil || !covered {
		t.Errorf("the gate: %t, %v", covered, err)
	}
	if err := b.Start(t.Context()); err != nil {
		t.Errorf("the start: %v", err)
	}
	if !strings.Contains(log.String(), b.Dir) {
		t.Errorf("the log says %q", log.String())
	}
	if err := b.Follow(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("nobody is told: %v", err)
	}
}

func TestTwoGatesAtOnceKeepACheckpointOnce(t *testing.T) {
	t.Parallel()
	var met sync.WaitGroup
	met.Add(2)
	_, b := behind(t, func(c *checkpoint.Config) {
		hash := c.EventHash
		c.EventHash = func(ctx context.Context, seq int64) (ledger.Digest, int64, error) {
			met.Done() // both have seen that it is missing
			met.Wait()
			return hash(ctx, seq)
		}
	})
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if err := b.Follow(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if list, err := checkpoint.Read(filepath.Join(b.Dir, checkpoint.File)); err != nil || len(list) != 1 {
		t.Errorf("%d lines: %v", len(list), err)
	}
}

func TestAFileOfCheckpointsThatChangedIsReadAgain(t *testing.T) {
	t.Parallel()
	a, _ := behind(t, func(*checkpoint.Config) {})
	path := filepath.Join(a.Dir, checkpoint.File)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.ReplaceAll(good, []byte(`"payload"`), []byte(`"pay-off"`))
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i, content := range [][]byte{good, good, bad, bad, good} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, day, day.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if covered, err := a.Covers(t.Context(), 1); covered != (err == nil) || covered != bytes.Equal(content, good) {
				t.Errorf("%d: %t, %v", i, covered, err)
			}
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	a.sql(t, `DELETE FROM checkpoint`)
	if covered, err := a.Covers(t.Context(), 1); err != nil || covered {
		t.Errorf("without one: %t, %v", covered, err)
	}
}

// Of a row only what was signed counts.
func TestAChangedColumnOfACheckpointCoversNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t, storetest.SQLite(t))
	p.record(t, "candidate.approved")
	if _, err := p.Make(t.Context(), "approval"); err != nil {
		t.Fatal(err)
	}
	p.record(t, "approval.withdrawn")
	hash, _, err := p.store.EventHash(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	p.sql(t, fmt.Sprintf(`UPDATE checkpoint SET seq = 2, hash = '%s'`, hash))
	if covered, err := p.Covers(t.Context(), 2); err != nil || covered {
		t.Errorf("covered: %t, %v", covered, err)
	}
}
