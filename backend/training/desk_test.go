package training_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/backend/training/recipe"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// files keeps bytes in memory.
type files struct {
	mu  sync.Mutex
	all map[ledger.Digest][]byte
}

func (f *files) Put(_ context.Context, in io.Reader) (ledger.Digest, int64, error) {
	raw, err := io.ReadAll(in)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all[ledger.DigestOf(raw)] = raw
	return ledger.DigestOf(raw), int64(len(raw)), err
}

func (f *files) Open(_ context.Context, d ledger.Digest) (io.ReadSeekCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, ok := f.all[d]
	if !ok {
		return nil, fault.New(fault.NotFound, "no such file")
	}
	return struct {
		io.ReadSeeker
		io.Closer
	}{bytes.NewReader(raw), io.NopCloser(nil)}, nil
}

// engine places nothing and says what it is told to say.
type engine struct {
	mu     sync.Mutex
	placed chan training.Placement
	vital  map[int64]training.Vital
	stops  []int64
	clears []int64
	refuse error
	rounds int // how often a queue began to look at it
}

func (e *engine) Name() string { return "local" }
func (e *engine) Slots() int   { return 8 }
func (e *engine) Place(_ context.Context, p training.Placement) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse != nil {
		return "", e.refuse
	}
	if e.vital[p.Fence] != training.VitalEnded {
		e.vital[p.Fence] = training.VitalAlive
	}
	e.placed <- p
	return fmt.Sprint("ext-", p.Fence), nil
}
func (e *engine) Describe(_ context.Context, handles []training.Handle) (vitals []training.Vital, _ error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, h := range handles {
		vitals = append(vitals, e.vital[h.Fence])
	}
	return vitals, nil
}
func (e *engine) Stop(_ context.Context, h training.Handle, _ training.Stop) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stops = append(e.stops, h.Fence)
	return nil
}
func (e *engine) Clear(_ context.Context, h training.Handle) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clears = append(e.clears, h.Fence)
	return nil
}
func (e *engine) Known(context.Context) ([]int64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rounds++
	return nil, nil
}
func (e *engine) Remains(_ context.Context, _ training.Handle, offset int64) ([]byte, error) {
	return []byte("what was left\n")[min(offset, 14):], nil
}
func (e *engine) Render(training.Placement) string { return "placed" }
func (e *engine) say(fence int64, v training.Vital) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.vital[fence] = v
}

// desk is a service over a real store with a project that can be trained.
type desk struct {
	*training.Service
	t         *testing.T
	store     *store.Store
	engine    *engine
	files     *files
	clock     *clock
	predicted []compare.Prediction
}

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var ann = ledger.Actor{Person: "ann", Name: "Ann", Via: ledger.ViaLogin, Scope: ledger.ScopeFull,
	Roles: map[ledger.ProjectID][]ledger.Role{"p": {ledger.RoleDataScientist}}}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, engine: &engine{placed: make(chan training.Placement, 100), vital: map[int64]training.Vital{}}, files: &files{all: map[ledger.Digest][]byte{}},
		clock: &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}}
	s, err := store.Open(t.Context(), storetest.SQLite(t), store.Options{Rehearse: true, Now: d.clock.read})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	book, err := recipe.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	n := 0
	next := func() string { mu.Lock(); defer mu.Unlock(); n++; return fmt.Sprintf("id-%06d", n) }
	d.store = s
	d.Service = training.New(training.Config{
		Update: store.In[training.Tx](s), View: store.From[training.Tx](s), NewID: next, Now: d.clock.read, Secret: func() string { return "secret " + next() },
		Files: d.files, Recipes: book, Engines: []training.Engine{d.engine}, Server: "a",
		Predicted: func(_ context.Context, _ training.Job, answers iter.Seq2[compare.Prediction, error]) error {
			for p, err := range answers {
				if err != nil {
					return err
				}
				d.predicted = append(d.predicted, p)
			}
			return nil
		},
	})
	rows, _, _ := d.files.Put(t.Context(), strings.NewReader(`{"answer":"a","content":"sha256:1","key":"1","text":"one"}`+"\n"))
	counts := []labeling.ClassCount{{Class: "a", Items: 2}, {Class: "b", Items: 1}, {Class: "never", Items: 0}}
	err = s.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.CreateProject(labeling.Project{ID: "p", Slug: "p", Name: "P", Overlap: 1}); err != nil {
			return err
		}
		for _, snap := range []labeling.Snapshot{
			{ID: "good", Purpose: labeling.PurposeTraining, State: labeling.SnapshotReady, Classes: counts, Items: 3, Rows: rows, Digest: "sha256:s"},
			{ID: "evaluation", Purpose: labeling.PurposeEvaluation, State: labeling.SnapshotReady, Classes: counts, Items: 3},
			{ID: "building", Purpose: labeling.PurposeTraining, State: labeling.SnapshotBuilding, Classes: counts},
			{ID: "single", Purpose: labeling.PurposeTraining, State: labeling.SnapshotReady, Classes: counts[1:], Items: 1},
		} {
			snap.Project = "p"
			if _, err := tx.CreateSnapshot(snap); err != nil {
				return err
			}
		}
		for name, purpose := range map[string]labeling.Purpose{"open": labeling.PurposeTraining, "done": labeling.PurposeTraining, "test": labeling.PurposeEvaluation, "empty": labeling.PurposeEvaluation} {
			if err := tx.CreateDataset(labeling.Dataset{ID: labeling.DatasetID(name), Project: "p", Name: name, Purpose: purpose}); err != nil {
				return err
			}
			for i := range 3 {
				item := labeling.Item{ID: labeling.ItemID(fmt.Sprint(name, i)), Project: "p", Dataset: labeling.DatasetID(name), Key: fmt.Sprint(i), Text: fmt.Sprint("text ", i), Status: labeling.StatusQueued}
				if name == "done" || i == 0 {
					item.Status, item.Label = labeling.StatusAccepted, "class"
				}
				if name == "empty" {
					continue
				}
				if _, err := tx.CreateItem(item); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// dispatch keeps the queue moving until the test ends.
func (d *desk) dispatch() {
	ctx, stop := context.WithCancel(d.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Dispatch(ctx) }()
	d.t.Cleanup(func() { stop(); <-done })
}

func (d *desk) submit(change func(*training.SubmitRequest)) (training.Submitted, error) {
	req := training.SubmitRequest{Project: "p", Recipe: "text-linear", Snapshot: "good"}
	if change != nil {
		change(&req)
	}
	return d.Submit(d.t.Context(), ann, req)
}

// train submits a job and returns it with its placement.
func (d *desk) train() (training.Submitted, training.Placement) {
	d.t.Helper()
	made, err := d.submit(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return made, d.placement()
}

func (d *desk) placement() training.Placement {
	d.t.Helper()
	select {
	case p := <-d.engine.placed:
		return p
	case <-time.After(time.Minute):
		d.t.Fatal("nothing is placed")
		return training.Placement{}
	}
}

func (d *desk) page(number int) training.RunPage {
	d.t.Helper()
	page, err := d.Run(d.t.Context(), ann, "p", number)
	if err != nil {
		d.t.Fatal(err)
	}
	return page
}

// until wakes the queue until a run is as wanted.
func (d *desk) until(number int, what string, is func(training.RunPage) bool) training.RunPage {
	d.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		d.Wake()
		page := d.page(number)
		if is(page) {
			return page
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("run %d is %s (%s), not %s", number, page.Run.State, page.Run.Reason, what)
		}
	}
}

// looked waits until a queue has looked at its engine once more, from beginning
// to end.
func (d *desk) looked(s *training.Service, e *engine) {
	d.t.Helper()
	rounds := func() int { e.mu.Lock(); defer e.mu.Unlock(); return e.rounds }
	// One round may be at work already; the one after it is over when a third begins.
	for end, deadline := rounds()+3, time.Now().Add(time.Minute); rounds() < end; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatal("the queue does not look")
		}
		s.Wake()
	}
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// finish plays a runner whose trainer ended well.
func (d *desk) finish(fence int64) {
	d.t.Helper()
	ctx := d.t.Context()
	_, err := d.Heartbeat(ctx, fence, training.Beat{Phase: training.PhaseRunning, Host: &training.Host{Name: "here"}})
	d.must(err)
	_, err = d.Append(ctx, fence, training.StreamLog, 0, []byte("hello\n::progress 0.5 half\n"))
	d.must(err)
	_, err = d.Append(ctx, fence, training.StreamMetrics, 0, []byte("no json\n"+`{"step":1,"split":"validation","metrics":{"accuracy":0.5}}`+"\n"+`{"step":2,"split":"validation","metrics":{"accuracy":0.75}}`+"\n"))
	d.must(err)
	for _, name := range []string{"model/model.json", "model/weights.bin", "metrics.jsonl"} {
		_, err = d.SaveOutput(ctx, fence, name, strings.NewReader("bytes of "+name))
		d.must(err)
	}
	d.must(d.Finish(ctx, fence, training.Finish{LogBytes: 26, Result: json.RawMessage(`{"primary_metric":{"name":"accuracy","value":0.75}}`), Environment: json.RawMessage(`{"go":"x"}`)}))
}

// answer plays the runner of a predict job.
func (d *desk) answer(p training.Placement) {
	d.t.Helper()
	ctx := d.t.Context()
	spec, err := d.StartAttempt(ctx, p.Fence)
	d.must(err)
	model, err := d.OpenInput(ctx, p.Fence, "model", "weights.bin")
	d.must(err)
	if raw, _ := io.ReadAll(model); string(raw) != "bytes of model/weights.bin" {
		d.t.Errorf("the model's file is %q", raw)
	}
	in, err := d.OpenInput(ctx, p.Fence, "data", "part-0.jsonl")
	d.must(err)
	raw, err := io.ReadAll(in)
	d.must(err)
	var out bytes.Buffer
	for line := range bytes.Lines(raw) {
		var item struct{ Key string }
		d.must(json.Unmarshal(line, &item))
		fmt.Fprintf(&out, `{"item":%q,"label":"a","score":0.75,"proba":{"a":0.75,"b":0.25}}`+"\n", item.Key)
	}
	_, err = d.SaveOutput(ctx, p.Fence, "predictions.jsonl", &out)
	d.must(err)
	d.must(d.Finish(ctx, p.Fence, training.Finish{}))
	order, _ := json.Marshal(map[string]any{"job": spec.Job.JobID, "fence": p.Fence})
	d.must(d.TakePredictions(ctx, order))
}
