package checkpoint_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/checkpoint"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/signer"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
)

// place is an installation with some history.
type place struct {
	*checkpoint.Keeper
	store *store.Store
	path  string
	key   *signer.Key
}

func newPlace(t *testing.T, path string, witnesses ...checkpoint.Pusher) place {
	t.Helper()
	key, err := signer.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := storetest.Open(t, path)
	p := place{store: s, path: path, key: key}
	p.Keeper = checkpoint.New(checkpoint.Config{
		Update: store.In[checkpoint.Tx](s), View: store.From[checkpoint.Tx](s), Now: s.Now, Signer: key,
		Installation: "abc", Dir: t.TempDir(), Witnesses: witnesses, Decisions: map[string]string{"candidate.approved": "approval", "approval.withdrawn": "withdrawal"},
		Key: signer.NewRing(key), EventHash: s.EventHash,
	})
	return p
}

func (p place) record(t *testing.T, kinds ...string) {
	t.Helper()
	for _, kind := range kinds {
		if err := p.store.Update(t.Context(), func(tx *store.Tx) error {
			return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: kind, Payload: map[string]string{"of": kind}})
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func (p place) sql(t *testing.T, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+p.path+"?_pragma=busy_timeout(30000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// check compares the newest checkpoint in a file with the history.
func (p place) check(t *testing.T, path string, key checkpoint.Verifier) error {
	t.Helper()
	list, err := checkpoint.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	last := list[len(list)-1]
	hash, length, err := p.store.EventHash(t.Context(), last.Seq)
	if err != nil {
		t.Fatal(err)
	}
	return checkpoint.Check(last, key, length, hash)
}

// rewrite makes a whole new chain over changed events, as somebody would who
// can write the database and knows this program.
func (p place) rewrite(t *testing.T) {
	t.Helper()
	var prev ledger.Event
	var statements []string
	if err := p.store.WalkHistory(t.Context(), func(r ledger.Record) error {
		e := r.Event
		if e.Seq == 2 {
			e.Actor = "mallory"
		}
		if e.Prev = ledger.ZeroDigest; prev.Seq > 0 {
			e.Prev = prev.Hash
		}
		e.Hash = e.Sum()
		prev = e
		statements = append(statements, fmt.Sprintf("UPDATE event SET actor = '%s', prev = '%s', hash = '%s' WHERE seq = %d", e.Actor, e.Prev, e.Hash, e.Seq))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	p.sql(t, statements...)
}

func TestACheckpointFindsWhatTheChainAloneCannot(t *testing.T) {
	t.Parallel()
	other, err := signer.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		tamper func(*testing.T, place)
		key    *signer.Key
		file   func(string) string
		says   string
	}{
		"nothing was done":              {},
		"the history went on":           {tamper: func(t *testing.T, p place) { p.record(t, "d", "e") }},
		"the whole chain was rewritten": {tamper: func(t *testing.T, p place) { p.rewrite(t) }, says: "was rewritten"},
		"the tail was cut": {tamper: func(t *testing.T, p place) {
			p.sql(t, "DELETE FROM event_payload WHERE seq = 3", "DELETE FROM event WHERE seq = 3")
		}, says: "was cut"},
		"the tail was cut and written anew": {tamper: func(t *testing.T, p place) {
			p.sql(t, "DELETE FROM event_payload WHERE seq = 3", "DELETE FROM event WHERE seq = 3")
			p.record(t, "x", "y")
		}, says: "was rewritten"},
		"the key was replaced":                     {key: other, says: "none of this installation's keys"},
		"a byte of the signature was changed":      {file: func(s string) string { return strings.Replace(s, `"sig":"MEU`, `"sig":"MEV`, 1) }, says: "changed after it was signed"},
		"the payload was erased, as people may be": {tamper: func(t *testing.T, p place) { p.sql(t, "DELETE FROM event_payload WHERE seq = 2") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, storetest.SQLite(t))
			p.record(t, "a", "b", "c")
			made, err := p.Make(t.Context(), "daily")
			for err == nil && !strings.Contains(string(made.Envelope), `"sig":"MEU`) { // a signature begins in one of two ways
				made, err = p.Make(t.Context(), "daily")
			}
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(p.Dir, checkpoint.File)
			if c.tamper != nil {
				c.tamper(t, p)
				if _, err := p.store.CheckHistory(t.Context()); err != nil {
					t.Fatalf("the chain alone finds it already: %v", err)
				}
			}
			if c.file != nil {
				raw, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
				lines[len(lines)-1] = c.file(lines[len(lines)-1])
				if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			key := p.key
			if c.key != nil {
				key = c.key
			}
			err = p.check(t, path, signer.NewRing(key))
			if c.says == "" && err != nil || c.says != "" && (!fault.Is(err, fault.Conflict) || !strings.Contains(fault.Message(err), c.says)) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func TestACheckpointIsMadeOncePerDayAndAfterEachDecision(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		key, err := signer.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		p := place{store: s, Keeper: checkpoint.New(checkpoint.Config{
			Update: store.In[checkpoint.Tx](s), View: store.From[checkpoint.Tx](s), Now: s.Now, Signer: key,
			Installation: "abc", Dir: t.TempDir(), Decisions: map[string]string{"candidate.approved": "approval", "approval.withdrawn": "withdrawal"},
			Key: signer.NewRing(key), EventHash: s.EventHash,
		})}
		made := func(want int) {
			t.Helper()
			state, err := p.State(t.Context(), ledger.System())
			if err != nil || len(state.Checkpoints) != want {
				t.Fatalf("%d checkpoints, want %d: %v", len(state.Checkpoints), want, err)
			}
		}
		p.record(t, "a")
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		row, found, err := s.ClaimWork(t.Context(), s.Now(), s.Now().Add(time.Minute))
		if err != nil || !found || row.Kind != checkpoint.WorkDaily {
			t.Fatalf("%+v, %v", row, err)
		}
		for range 2 { // as after a crash before it was finished
			if err := p.Daily(t.Context(), row.Payload); err != nil {
				t.Fatal(err)
			}
			made(1)
		}
		if err := s.FinishWork(t.Context(), row.ID); err != nil {
			t.Fatal(err)
		}
		if _, found, err := s.ClaimWork(t.Context(), s.Now(), s.Now().Add(time.Minute)); found || err != nil {
			t.Errorf("tomorrow's is due today: %v", err)
		}
		next, found, err := s.ClaimWork(t.Context(), s.Now().AddDate(0, 0, 1), s.Now().AddDate(0, 0, 2))
		if err != nil || !found || next.Kind != checkpoint.WorkDaily {
			t.Errorf("nothing is due tomorrow: %+v, %v", next, err)
		}
		after := func() {
			t.Helper()
			if err := p.AfterDecision(t.Context(), json.RawMessage(`{}`)); err != nil {
				t.Fatal(err)
			}
		}
		p.record(t, "vote.cast")
		after()
		made(1)
		p.record(t, "candidate.approved")
		after()
		after()
		made(2)
		p.record(t, "approval.withdrawn")
		after()
		made(3)
		if state, err := p.State(t.Context(), ledger.System()); err != nil || state.Checkpoints[0].Reason != "withdrawal" {
			t.Errorf("the newest is %+v, %v", state.Checkpoints[0], err)
		}
		if _, err := p.State(t.Context(), ledger.Actor{Person: "ann", Scope: ledger.ScopeFull}); err == nil {
			t.Error("anybody may see the checkpoints")
		}
	})
}

func TestAGitRepositoryIsAWitness(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	git := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	bare := filepath.Join(t.TempDir(), "witness.git")
	w, err := checkpoint.ParseWitness("git+file://"+bare, t.TempDir(), "abc", "")
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, storetest.SQLite(t), w)
	p.record(t, "a")
	if _, err := p.Make(t.Context(), "daily"); err != nil {
		t.Fatal(err)
	}
	order := json.RawMessage(fmt.Sprintf(`{"witness":%q}`, w.Name()))
	if err := p.Push(t.Context(), order); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("there is no repository yet: %v", err)
	}
	state, err := p.State(t.Context(), ledger.System())
	if err != nil || state.Witnesses[0].Waiting != 1 || state.Witnesses[0].Failed.IsZero() || !strings.Contains(state.Witnesses[0].Reason, "git cannot clone") {
		t.Fatalf("%+v, %v", state.Witnesses, err)
	}
	git(t.TempDir(), "init", "--quiet", "--bare", bare)
	p.record(t, "b")
	if _, err := p.Make(t.Context(), "approval"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second has nothing to bring
		if err := p.Push(t.Context(), order); err != nil {
			t.Fatal(err)
		}
	}
	state, err = p.State(t.Context(), ledger.System())
	if err != nil || state.Witnesses[0].Waiting != 0 || !state.Witnesses[0].Failed.IsZero() {
		t.Fatalf("%+v, %v", state.Witnesses, err)
	}
	clone := filepath.Join(t.TempDir(), "clone")
	git(t.TempDir(), "clone", "--quiet", bare, clone)
	if n := strings.Count(git(clone, "log", "--format=%h"), "\n"); n != 1 {
		t.Errorf("%d commits", n)
	}
	kept, err := checkpoint.Read(filepath.Join(clone, "abc.jsonl"))
	if err != nil || len(kept) != 2 {
		t.Fatalf("%d checkpoints: %v", len(kept), err)
	}
	if err := p.check(t, filepath.Join(clone, "abc.jsonl"), signer.NewRing(p.key)); err != nil {
		t.Error(err)
	}
	// A third, on top of what is there.
	if _, err := p.Make(t.Context(), "daily"); err != nil {
		t.Fatal(err)
	}
	if err := p.Push(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(git(bare, "log", "--format=%h"), "\n"); n != 2 {
		t.Errorf("%d commits", n)
	}
}

// mailbox is a mail server that takes one mail and keeps its text.
func mailbox(t *testing.T) (address string, got <-chan string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	mails := make(chan string, 9)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(conn)
			say := func(line string) { _, _ = fmt.Fprint(conn, line+"\r\n") }
			say("220 here")
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					break
				}
				switch word := strings.ToUpper(strings.Fields(line)[0]); word {
				case "DATA":
					say("354 go on")
					var text strings.Builder
					for line, err = in.ReadString('\n'); err == nil && line != ".\r\n"; line, err = in.ReadString('\n') {
						text.WriteString(line)
					}
					mails <- text.String()
					say("250 kept")
				case "QUIT":
					say("221 bye")
				default:
					say("250 ok")
				}
			}
			_ = conn.Close()
		}
	}()
	return listener.Addr().String(), mails
}

// slowWitness notes what it is brought, and whether two bring at once.
type slowWitness struct {
	inside  atomic.Int32
	crowded atomic.Bool
	brought atomic.Int32
}

func (*slowWitness) Name() string { return "slow" }

func (w *slowWitness) Push(_ context.Context, list []ledger.Checkpoint) error {
	if w.inside.Add(1) > 1 {
		w.crowded.Store(true)
	}
	defer w.inside.Add(-1)
	for range 50 { // lets whoever is ready come in
		runtime.Gosched()
	}
	w.brought.Add(int32(len(list))) //nolint:gosec // few
	return nil
}

func TestPushesToAWitnessTakeTurnsAndBringEachCheckpointOnce(t *testing.T) {
	t.Parallel()
	w := &slowWitness{}
	p := newPlace(t, storetest.SQLite(t), w)
	p.record(t, "a")
	if _, err := p.Make(t.Context(), "daily"); err != nil {
		t.Fatal(err)
	}
	var pushes sync.WaitGroup
	for range 8 {
		pushes.Go(func() {
			if err := p.Push(t.Context(), json.RawMessage(`{"witness":"slow"}`)); err != nil {
				t.Error(err)
			}
		})
	}
	pushes.Wait()
	if w.crowded.Load() || w.brought.Load() != 1 {
		t.Errorf("two at once: %t; brought %d times", w.crowded.Load(), w.brought.Load())
	}
}

// brokenOff is a witness that is being brought something when the server stops.
type brokenOff struct{ stop context.CancelFunc }

func (brokenOff) Name() string { return "broken off" }

func (w brokenOff) Push(ctx context.Context, _ []ledger.Checkpoint) error {
	w.stop()
	return ctx.Err()
}

// Stopping a server is nothing that is wrong with a witness.
func TestAPushThatTheServerBreaksOffIsNoFailureOfTheWitness(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	p := newPlace(t, storetest.SQLite(t), brokenOff{stop})
	p.record(t, "a")
	if _, err := p.Make(ctx, "daily"); err != nil {
		t.Fatal(err)
	}
	if err := p.Push(ctx, json.RawMessage(`{"witness":"broken off"}`)); err == nil {
		t.Error("it counts as done")
	}
	state, err := p.State(t.Context(), ledger.System())
	if err != nil || len(state.Witnesses) != 1 || !state.Witnesses[0].Failed.IsZero() || state.Witnesses[0].Holder != "" || state.Witnesses[0].Waiting != 1 {
		t.Errorf("the witness is %+v (%v)", state.Witnesses, err)
	}
}

// stuckWitness keeps whoever brings it something until it is let go.
type stuckWitness struct {
	slowWitness
	came, leave chan struct{}
}

func (w *stuckWitness) Push(ctx context.Context, list []ledger.Checkpoint) error {
	w.came <- struct{}{}
	<-w.leave
	return w.slowWitness.Push(ctx, list)
}

// Two servers on one database: an order of each is carried out at the same time,
// and a mailbox has no way to see that a mail is there already.
func TestOfTwoServersOneBringsAWitnessACheckpoint(t *testing.T) {
	t.Parallel()
	databases := map[string]func(testing.TB) string{"sqlite": storetest.SQLite}
	if os.Getenv(storetest.PostgresVariable) != "" {
		databases["postgres"] = storetest.Postgres
	}
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &stuckWitness{came: make(chan struct{}, 2), leave: make(chan struct{})}
			path := database(t)
			one := newPlace(t, path, w)
			other := one
			other.Keeper = checkpoint.New(one.Config) // a server of its own
			if name == "postgres" {
				other = newPlace(t, path, w)
			}
			one.record(t, "a")
			if _, err := one.Make(t.Context(), "daily"); err != nil {
				t.Fatal(err)
			}
			order := json.RawMessage(`{"witness":"slow"}`)
			first, second := make(chan error, 1), make(chan error, 1)
			go func() { first <- one.Push(t.Context(), order) }()
			<-w.came
			// What comes while the first is at it has to be brought by the second.
			if _, err := other.Make(t.Context(), "approval"); err != nil {
				t.Fatal(err)
			}
			asked, update := make(chan struct{}), other.Update
			other.Update = func(ctx context.Context, f func(checkpoint.Tx) error) error {
				err := update(ctx, f)
				select {
				case asked <- struct{}{}:
				default:
				}
				return err
			}
			go func() { second <- other.Push(t.Context(), order) }()
			<-asked // it has looked, and waits for its turn
			select {
			case <-w.came:
				t.Error("two servers bring something at once")
			case err := <-second:
				t.Errorf("the second server did not wait: %v", err)
			default:
			}
			close(w.leave)
			if err := errors.Join(<-first, <-second); err != nil {
				t.Fatal(err)
			}
			if got := w.brought.Load(); got != 2 || w.crowded.Load() {
				t.Errorf("two checkpoints were brought as %d", got)
			}
		})
	}
}

// A server that dies in the middle holds its witness only for a while.
func TestTheTurnOfAServerThatDiedEnds(t *testing.T) {
	t.Parallel()
	w := &slowWitness{}
	p := newPlace(t, storetest.SQLite(t), w)
	p.record(t, "a")
	if _, err := p.Make(t.Context(), "daily"); err != nil {
		t.Fatal(err)
	}
	hold := func(until time.Time) {
		if err := p.store.Update(t.Context(), func(tx *store.Tx) error {
			return tx.SaveWitness(ledger.Witness{Name: "slow", Holder: "dead", HeldUntil: until})
		}); err != nil {
			t.Fatal(err)
		}
	}
	hold(p.store.Now().Add(time.Hour))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := p.Push(ctx, json.RawMessage(`{"witness":"slow"}`)); err == nil || w.brought.Load() != 0 {
		t.Errorf("it did not wait for the other's turn to end (%v)", err)
	}
	hold(p.store.Now().Add(-time.Second))
	if err := p.Push(t.Context(), json.RawMessage(`{"witness":"slow"}`)); err != nil || w.brought.Load() != 1 {
		t.Errorf("%v, brought %d", err, w.brought.Load())
	}
}

func TestAMailIsAWitness(t *testing.T) {
	t.Parallel()
	address, mails := mailbox(t)
	w, err := checkpoint.ParseWitness("smtp://"+address+"?from=adjudge@example.org&to=audit@example.org", t.TempDir(), "abc", "")
	if err != nil {
		t.Fatal(err)
	}
	p := newPlace(t, storetest.SQLite(t), w)
	p.record(t, "a", "b")
	if _, err := p.Make(t.Context(), "daily"); err != nil {
		t.Fatal(err)
	}
	if err := p.Push(t.Context(), json.RawMessage(fmt.Sprintf(`{"witness":%q}`, w.Name()))); err != nil {
		t.Fatal(err)
	}
	mail := <-mails
	if !strings.Contains(mail, "To: audit@example.org") || !strings.Contains(mail, "2 events") {
		t.Errorf("the mail says:\n%s", mail)
	}
	for line := range strings.Lines(mail) {
		if len(line) > 200 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	saved := filepath.Join(t.TempDir(), "mail.eml")
	if err := os.WriteFile(saved, []byte(mail), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.check(t, saved, signer.NewRing(p.key)); err != nil {
		t.Error(err)
	}
}

func TestAnAddressThatIsNoWitnessIsRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "https://example.org", "git+", "smtp://host?from=a@b.c&to=d@e.f", "smtp://host:25?from=a@b.c", "s3://bucket"} {
		if _, err := checkpoint.ParseWitness(address, "", "", ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", address, err)
		}
	}
	w, err := checkpoint.ParseWitness("git+https://bot:secret@example.org/x.git", "", "", "")
	if err != nil || strings.Contains(w.Name(), "secret") {
		t.Errorf("%v, %v", w, err)
	}
}

func TestACheckpointCoversWhatCameBeforeIt(t *testing.T) {
	t.Parallel()
	p := newPlace(t, storetest.SQLite(t))
	p.record(t, "a", "candidate.approved")
	covers := func(seq int64) bool {
		t.Helper()
		covered, err := p.Covers(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		return covered
	}
	if covers(1) {
		t.Error("without a checkpoint")
	}
	if err := p.AfterDecision(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	p.record(t, "approval.withdrawn")
	if !covers(2) || covers(3) {
		t.Error("a checkpoint of two events covers two")
	}
	// A database without its row still has the file beside it.
	p.sql(t, `DELETE FROM checkpoint`)
	if !covers(2) {
		t.Error("by the file alone")
	}
	p.sql(t, `DELETE FROM event_payload WHERE seq >= 2`, `DELETE FROM event WHERE seq >= 2`)
	if _, err := p.Covers(t.Context(), 1); !fault.Is(err, fault.Conflict) {
		t.Errorf("a history that was cut: %v", err)
	}
}
