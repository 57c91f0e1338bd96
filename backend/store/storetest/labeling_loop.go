package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// loop is the labeling service over a store, with people who label.
type loop struct {
	*labeling.Service
	t *testing.T
	s *store.Store
}

func newLoop(t *testing.T, s *store.Store) loop {
	return loop{t: t, s: s, Service: labeling.New(labeling.Config{Update: store.In[labeling.Tx](s), View: store.From[labeling.Tx](s),
		Now: s.Now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }})}
}

func somebody(name string, roles ...ledger.Role) ledger.Actor {
	return ledger.Actor{Person: ledger.PersonID(name), Name: name, Via: ledger.ViaLogin, Scope: ledger.ScopeFull,
		Roles: map[ledger.ProjectID][]ledger.Role{"p1": append(roles, ledger.RoleAnnotator)}}
}

func annotationID(n int) labeling.AnnotationID {
	return labeling.AnnotationID(fmt.Sprintf("0190dddd-0000-7000-8000-%012d", n))
}

func pageID(n int) string { return fmt.Sprintf("0190eeee-0000-7000-8000-%012d", n) }

// lease returns the keys of the items that a page is offered.
func (l loop) lease(who ledger.Actor, page, count int, change ...func(*labeling.LeaseRequest)) string {
	l.t.Helper()
	req := labeling.LeaseRequest{Page: pageID(page), Count: count}
	for _, c := range change {
		c(&req)
	}
	batch, err := l.LeaseTasks(l.t.Context(), who, "p1", req)
	if err != nil {
		l.t.Fatal(err)
	}
	keys := make([]string, len(batch.Tasks))
	for i, task := range batch.Tasks {
		_, keys[i], _ = strings.Cut(string(task.Item), "/")
	}
	return strings.Join(keys, "")
}

func (l loop) answer(who ledger.Actor, n int, key string, class labeling.ClassID) labeling.Annotation {
	l.t.Helper()
	a, err := l.Submit(l.t.Context(), who, "p1", labeling.SubmitRequest{Annotation: labeling.Annotation{
		ID: annotationID(n), Item: labeling.ItemID("d1/" + key), Kind: labeling.KindAnswer, Class: class, Seen: time.Second}})
	if err != nil {
		l.t.Fatal(err)
	}
	return a
}

func (l loop) item(key string) (item labeling.Item) {
	l.t.Helper()
	view(l.t, l.s, func(tx *store.Tx) (err error) {
		item, err = tx.Item(labeling.ItemID("d1/" + key))
		return err
	})
	return item
}

// LabelingLoop shows the promises of tasks, annotations, queues and keys.
func LabelingLoop(t *testing.T) {
	ana, bo := somebody("ana"), somebody("bo")
	lead := somebody("lead", ledger.RoleLead)
	for name, f := range map[string]func(t *testing.T, l loop){
		"two people are never offered the same task at once": func(t *testing.T, l loop) {
			if got := l.lease(ana, 1, 2); got != "ab" {
				t.Errorf("ana is offered %s", got)
			}
			if got := l.lease(bo, 2, 2); got != "cd" {
				t.Errorf("bo is offered %s", got)
			}
			if got := l.lease(ana, 3, 5); got != "efx" {
				t.Errorf("another tab of ana is offered %s", got)
			}
		},
		"what a page gives back is offered again": func(t *testing.T, l loop) {
			l.lease(ana, 1, 6)
			if err := l.ReleaseTasks(t.Context(), bo, "p1", pageID(1)); err != nil {
				t.Fatal(err)
			}
			if got := l.lease(bo, 2, 6); got != "x" {
				t.Errorf("bo gave back ana's tasks: %s", got)
			}
			if err := l.ReleaseTasks(t.Context(), ana, "p1", pageID(1)); err != nil {
				t.Fatal(err)
			}
			if got := l.lease(bo, 3, 6); got != "abcdef" {
				t.Errorf("bo is offered %s", got)
			}
		},
		"what somebody holds who was deactivated is offered to others": func(t *testing.T, l loop) {
			l.lease(ana, 1, 3)
			l.lease(ana, 2, 3)
			if err := l.ReturnLeases(t.Context(), []byte(`{"person":"`+string(ana.Person)+`"}`)); err != nil {
				t.Fatal(err)
			}
			if got := l.lease(bo, 3, 6); got != "abcdef" {
				t.Errorf("bo is offered %s", got)
			}
		},
		"overlap offers an item to as many people as it asks": func(t *testing.T, l loop) {
			l.change(func(p *labeling.Project) { p.Overlap = 2 })
			l.lease(ana, 1, 2)
			if got := l.lease(bo, 2, 2); got != "ab" {
				t.Errorf("bo is offered %s", got)
			}
			if got := l.lease(lead, 3, 2); got != "cd" {
				t.Errorf("the third is offered %s", got)
			}
			l.answer(ana, 1, "a", "cat")
			if got := l.lease(ana, 4, 2); got != "cd" {
				t.Errorf("ana is offered %s after her answer", got)
			}
			if got := l.item("a"); got.Status != labeling.StatusQueued || got.Answers != 1 {
				t.Errorf("half answered: %s, %d answers", got.Status, got.Answers)
			}
			l.answer(bo, 2, "a", "cat")
			if got := l.item("a"); got.Status != labeling.StatusAccepted || got.Label != "cat" {
				t.Errorf("answered by both: %s %s", got.Status, got.Label)
			}
		},
		"the same answer again changes nothing, another under its id is a conflict": func(t *testing.T, l loop) {
			first := l.answer(ana, 1, "a", "cat")
			again := l.answer(ana, 1, "a", "cat")
			equal(t, again, first)
			for name, change := range map[string]func(*labeling.SubmitRequest, *ledger.Actor){
				"class":  func(r *labeling.SubmitRequest, _ *ledger.Actor) { r.Class = "dog" },
				"item":   func(r *labeling.SubmitRequest, _ *ledger.Actor) { r.Item = "d1/b" },
				"person": func(_ *labeling.SubmitRequest, a *ledger.Actor) { *a = bo },
			} {
				r, who := labeling.SubmitRequest{Annotation: labeling.Annotation{ID: annotationID(1), Item: "d1/a", Kind: labeling.KindAnswer, Class: "cat"}}, ana
				change(&r, &who)
				if _, err := l.Submit(t.Context(), who, "p1", r); !fault.Is(err, fault.Conflict) {
					t.Errorf("another %s under the same id: %v", name, err)
				}
			}
			if n := l.count("annotation.submitted"); n != 1 {
				t.Errorf("%d events for one answer", n)
			}
			if d := l.dataset(); d.Accepted != 1 || d.Items != 6 {
				t.Errorf("counts: %+v", d)
			}
		},
		"an answer of somebody else waits for them": func(t *testing.T, l loop) {
			_, err := l.Submit(t.Context(), bo, "p1", labeling.SubmitRequest{By: "ana", Annotation: labeling.Annotation{ID: annotationID(1), Item: "d1/a", Kind: labeling.KindAnswer, Class: "cat"}})
			if !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("got %v", err)
			}
		},
		"a late answer is kept and marked; a differing one is adjudicated": func(t *testing.T, l loop) {
			if a := l.answer(ana, 1, "a", "cat"); a.Extra {
				t.Error("the first answer is extra")
			}
			if a := l.answer(bo, 2, "a", "dog"); !a.Extra {
				t.Error("the late answer is not marked")
			}
			if got := l.item("a"); got.Status != labeling.StatusDisputed || got.Label != "" {
				t.Errorf("differing answers: %s %s", got.Status, got.Label)
			}
			if _, _, err := l.Disputes(t.Context(), ana, "p1", 0, 10); !fault.Is(err, fault.Denied) {
				t.Errorf("an annotator sees the disputes: %v", err)
			}
			list, more, err := l.Disputes(t.Context(), lead, "p1", 0, 10)
			if err != nil || more || len(list) != 1 || len(list[0].Annotations) != 2 || !list[0].Annotations[1].Extra {
				t.Fatalf("disputes: %+v, %v", list, err)
			}
			if _, err := l.Adjudicate(t.Context(), lead, "p1", "d1/a", "dog", " "); !fault.Is(err, fault.Invalid) {
				t.Errorf("a decision without a reason: %v", err)
			}
			if _, err := l.Adjudicate(t.Context(), lead, "p1", "d1/a", "dog", "see the guideline"); err != nil {
				t.Fatal(err)
			}
			if got := l.item("a"); got.Status != labeling.StatusAccepted || got.Label != "dog" {
				t.Errorf("decided: %s %s", got.Status, got.Label)
			}
			l.undo(ana, 1)
			if got := l.item("a"); got.Status != labeling.StatusAccepted || got.Label != "dog" {
				t.Errorf("an undo after the decision: %s %s", got.Status, got.Label)
			}
		},
		"a list of disputes ends where there are no more, however long its items are": func(t *testing.T, l loop) {
			const items = 12
			change(t, l.s, func(tx *store.Tx) error {
				for n := range items {
					i := Item("d1", fmt.Sprintf("long %d", n))
					i.Status, i.Meta = labeling.StatusDisputed, map[string]string{"source": strings.Repeat("x", ledger.MostRead/items*2)}
					if _, err := tx.CreateItem(i); err != nil {
						return err
					}
				}
				return nil
			})
			for limit, want := range map[int]int{4: 3, 5: 3, 200: 2} {
				seen, pages, after, more := 0, 0, int64(0), true
				for ; more; pages++ {
					list, goesOn, err := l.Disputes(t.Context(), lead, "p1", after, limit)
					if err != nil || len(list) == 0 {
						t.Fatalf("after %d of %d: %d disputes, %v", seen, items, len(list), err)
					}
					seen, after, more = seen+len(list), list[len(list)-1].Item.Seq, goesOn
				}
				if seen != items || pages != want {
					t.Errorf("%d at once: %d disputes on %d pages, want %d", limit, seen, pages, want)
				}
			}
		},
		"undo opens the item again, once, and leases it to the page that shows it": func(t *testing.T, l loop) {
			l.lease(ana, 1, 1)
			l.answer(ana, 1, "a", "cat")
			l.lease(ana, 1, 1)
			l.undo(ana, 1)
			l.undo(ana, 1)
			if got := l.item("a"); got.Status != labeling.StatusQueued || got.Answers != 0 || got.Label != "" {
				t.Errorf("undone: %+v", got)
			}
			if got := l.lease(bo, 2, 2); got != "cd" {
				t.Errorf("bo is offered %s", got)
			}
			if _, err := l.Undo(t.Context(), bo, "p1", annotationID(1), "", ""); !fault.Is(err, fault.NotFound) {
				t.Errorf("somebody else undoes: %v", err)
			}
			if a := l.answer(ana, 1, "a", "cat"); a.State != labeling.AnnotationUndone {
				t.Errorf("sending an undone answer again makes it %s", a.State)
			}
			if n := l.count("annotation.undone"); n != 1 {
				t.Errorf("%d events for one undo", n)
			}
			p, err := l.Progress(t.Context(), ana, "p1", "train")
			if err != nil || p.Mine != 0 || p.Accepted != 0 || p.Items != 6 {
				t.Errorf("progress %+v, %v", p, err)
			}
		},
		"answering again supersedes one's own answer": func(t *testing.T, l loop) {
			l.answer(ana, 1, "a", "cat")
			if a := l.answer(ana, 2, "a", "dog"); a.Extra {
				t.Error("one's own second answer is extra")
			}
			if got := l.item("a"); got.Status != labeling.StatusAccepted || got.Label != "dog" || got.Answers != 1 {
				t.Errorf("got %+v", got)
			}
		},
		"a skipped item goes to others and comes back when asked for": func(t *testing.T, l loop) {
			skip := func(who ledger.Actor, n int) {
				t.Helper()
				if _, err := l.Submit(t.Context(), who, "p1", labeling.SubmitRequest{Annotation: labeling.Annotation{ID: annotationID(n), Item: "d1/a", Kind: labeling.KindSkip, Reason: "blurred"}}); err != nil {
					t.Fatal(err)
				}
			}
			skip(ana, 1)
			if got := l.lease(ana, 1, 1); got != "b" {
				t.Errorf("ana is offered %s", got)
			}
			if got := l.lease(bo, 2, 1); got != "a" {
				t.Errorf("bo is offered %s", got)
			}
			skip(bo, 2)
			if got := l.item("a"); got.Status != labeling.StatusSkipped {
				t.Errorf("everybody passed it on: %s", got.Status)
			}
			if got := l.lease(ana, 3, 6, func(r *labeling.LeaseRequest) { r.Skipped = true }); got != "cdefxa" {
				t.Errorf("asked for skipped ones, ana is offered %s", got)
			}
			l.answer(ana, 3, "a", "cat")
			if got := l.item("a"); got.Status != labeling.StatusAccepted {
				t.Errorf("answered after all: %s", got.Status)
			}
		},
		"only one dataset is offered where one is named": func(t *testing.T, l loop) {
			if got := l.lease(ana, 1, 6, func(r *labeling.LeaseRequest) { r.Dataset = "test" }); got != "x" {
				t.Errorf("ana is offered %s", got)
			}
			if _, err := l.LeaseTasks(t.Context(), ana, "p1", labeling.LeaseRequest{Page: pageID(2), Dataset: "none"}); !fault.Is(err, fault.NotFound) {
				t.Errorf("a dataset that does not exist: %v", err)
			}
		},
		"an evaluation item has no suggestion, and an answer that claims one is refused": func(t *testing.T, l loop) {
			if err := l.s.Update(t.Context(), func(tx *store.Tx) error {
				for _, id := range []labeling.ItemID{"d2/x", "d1/a"} {
					item, err := tx.Item(id)
					if err != nil {
						return err
					}
					item.Model, item.ModelLabel, item.ModelScore, item.Uncertainty = "m", "dog", new(0.9), new(0.1)
					if err := tx.UpdateItem(item); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			batch, err := l.LeaseTasks(t.Context(), ana, "p1", labeling.LeaseRequest{Page: pageID(1), Count: 50})
			if err != nil {
				t.Fatal(err)
			}
			for _, task := range batch.Tasks {
				if want := map[labeling.ItemID]labeling.ClassID{"d1/a": "dog"}[task.Item]; task.Suggestion != want {
					t.Errorf("%s is suggested %q, want %q", task.Item, task.Suggestion, want)
				}
			}
			_, err = l.Submit(t.Context(), ana, "p1", labeling.SubmitRequest{Annotation: labeling.Annotation{ID: annotationID(1), Item: "d2/x", Kind: labeling.KindAnswer, Class: "dog", Suggestion: "dog"}})
			if fault.Fields(err)["suggestion"] == "" {
				t.Errorf("got %v", err)
			}
		},
		"least certain first, the unknown last, and new items after them": func(t *testing.T, l loop) {
			l.predict(map[string]float64{"b": 0.2, "d": 0.9, "e": 0.5})
			l.order(lead, labeling.OrderUncertain)
			if got := l.lease(ana, 1, 2); got != "de" {
				t.Errorf("ana is offered %s", got)
			}
			l.answer(ana, 1, "d", "cat")
			Add(t, l.s, "g")
			if got := l.lease(bo, 2, 9); got != "bacfxg" {
				t.Errorf("bo is offered %s", got)
			}
		},
		"a new order is switched to at once and the old rows go": func(t *testing.T, l loop) {
			l.order(lead, labeling.OrderRandom)
			first := l.lease(ana, 1, 7)
			if err := l.ReleaseTasks(t.Context(), ana, "p1", pageID(1)); err != nil {
				t.Fatal(err)
			}
			if again := l.lease(ana, 2, 7); again != first {
				t.Errorf("the shuffled order changed from %s to %s", first, again)
			}
			if err := l.ReleaseTasks(t.Context(), ana, "p1", pageID(2)); err != nil {
				t.Fatal(err)
			}
			l.order(lead, labeling.OrderImported)
			if got := l.lease(ana, 3, 7); got != "abcdefx" {
				t.Errorf("as imported: %s", got)
			}
			q, err := l.Queue(t.Context(), ana, "p1")
			if err != nil || q.Generation != 0 || q.Wanted != "" {
				t.Errorf("queue %+v, %v", q, err)
			}
			if _, err := l.OrderQueue(t.Context(), ana, "p1", labeling.OrderRandom); !fault.Is(err, fault.Denied) {
				t.Errorf("an annotator orders the queue: %v", err)
			}
		},
		"keys of a person come back": func(t *testing.T, l loop) {
			keys, err := l.SaveKeys(t.Context(), ana, "p1", labeling.Keys{Off: true, Classes: map[labeling.ClassID]string{"cat": "k"}})
			if err != nil || keys["cat"] != "k" || keys["dog"] != "d" {
				t.Errorf("%v, %v", keys, err)
			}
			k, assigned, err := l.Keys(t.Context(), ana, "p1")
			if err != nil || !k.Off || assigned["cat"] != "k" {
				t.Errorf("%+v, %v, %v", k, assigned, err)
			}
			if _, assigned, _ := l.Keys(t.Context(), bo, "p1"); assigned["cat"] != "1" {
				t.Errorf("bo has ana's keys: %v", assigned)
			}
		},
		"people at once never share a task and lose no answer": func(t *testing.T, l loop) {
			var keys []string
			for n := range 60 {
				keys = append(keys, fmt.Sprintf("n%03d", n))
			}
			Add(t, l.s, keys...)
			var mu sync.Mutex
			held := map[labeling.ItemID]ledger.PersonID{}
			var group sync.WaitGroup
			for person := range 6 {
				group.Go(func() {
					who := somebody(fmt.Sprint("person", person))
					for n := 0; ; {
						batch, err := l.LeaseTasks(context.Background(), who, "p1", labeling.LeaseRequest{Page: pageID(person), Count: 3})
						if err != nil {
							t.Error(err)
							return
						}
						if len(batch.Tasks) == 0 {
							return
						}
						for _, task := range batch.Tasks {
							mu.Lock()
							if other, taken := held[task.Item]; taken {
								t.Errorf("%s was offered to %s and %s", task.Item, other, who.Person)
							}
							held[task.Item] = who.Person
							mu.Unlock()
							n++
							if _, err := l.Submit(context.Background(), who, "p1", labeling.SubmitRequest{Annotation: labeling.Annotation{
								ID: annotationID(person*1000 + n), Item: task.Item, Kind: labeling.KindAnswer, Class: "cat"}}); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			group.Wait()
			if d := l.dataset(); d.Accepted != 66 || d.Items != 66 {
				t.Errorf("%d of %d accepted", d.Accepted, d.Items)
			}
			if n := l.count("annotation.submitted"); n != 67 {
				t.Errorf("%d events for 67 answers", n)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			Each(t, func(t *testing.T, s *store.Store) {
				Animals(t, s, "a", "b", "c", "d", "e", "f")
				if err := s.Update(t.Context(), func(tx *store.Tx) error {
					if err := tx.CreateDataset(labeling.Dataset{ID: "d2", Project: "p1", Name: "test", Purpose: labeling.PurposeEvaluation}); err != nil {
						return err
					}
					_, err := tx.CreateItem(Item("d2", "x"))
					return err
				}); err != nil {
					t.Fatal(err)
				}
				f(t, newLoop(t, s))
			})
		})
	}
	t.Run("a queue is offered in its order, however many of its head are taken", queueIsOffered)
	t.Run("a page that fell silent loses its tasks to others after twenty seconds", func(t *testing.T) {
		t.Parallel()
		now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		s, err := store.Open(t.Context(), SQLite(t), store.Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		Animals(t, s, "a", "b")
		l := newLoop(t, s)
		l.lease(ana, 1, 2)
		now = now.Add(19 * time.Second)
		if got := l.lease(bo, 2, 2); got != "" {
			t.Errorf("after 19 s bo is offered %s", got)
		}
		if held, _, err := l.KeepTasks(t.Context(), ana, "p1", pageID(1), ""); !held || err != nil {
			t.Errorf("the heartbeat says %v, %v", held, err)
		}
		now = now.Add(19 * time.Second)
		if got := l.lease(bo, 2, 2); got != "" {
			t.Errorf("19 s after the heartbeat bo is offered %s", got)
		}
		now = now.Add(2 * time.Second)
		if got := l.lease(bo, 2, 2); got != "ab" {
			t.Errorf("21 s after the heartbeat bo is offered %s", got)
		}
		if held, _, err := l.KeepTasks(t.Context(), ana, "p1", pageID(1), ""); held || err != nil {
			t.Errorf("a lapsed page is told %v, %v", held, err)
		}
		if a := l.answer(ana, 1, "a", "cat"); a.Extra {
			t.Error("the first answer counts, whoever holds the lease")
		}
		if a := l.answer(bo, 2, "a", "dog"); !a.Extra {
			t.Error("the second is not marked")
		}
	})
}

func (l loop) change(f func(*labeling.Project)) {
	l.t.Helper()
	if err := l.s.Update(l.t.Context(), func(tx *store.Tx) error {
		p, err := tx.Project("p1")
		if err != nil {
			return err
		}
		f(&p)
		return tx.UpdateProject(p)
	}); err != nil {
		l.t.Fatal(err)
	}
}

func (l loop) predict(uncertainties map[string]float64) {
	l.t.Helper()
	if err := l.s.Update(l.t.Context(), func(tx *store.Tx) error {
		for key, u := range uncertainties {
			item, err := tx.Item(labeling.ItemID("d1/" + key))
			if err != nil {
				return err
			}
			item.Model, item.ModelLabel, item.ModelScore, item.Uncertainty = "m", "cat", new(1-u), new(u)
			if err := tx.UpdateItem(item); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		l.t.Fatal(err)
	}
}

// order chooses an order and carries out the work that makes it.
func (l loop) order(who ledger.Actor, order labeling.QueueOrder) {
	l.t.Helper()
	if _, err := l.OrderQueue(l.t.Context(), who, "p1", order); err != nil {
		l.t.Fatal(err)
	}
	row, found, err := l.s.ClaimWork(l.t.Context(), l.s.Now().Add(time.Hour), l.s.Now().Add(2*time.Hour))
	if err != nil || !found || row.Kind != labeling.WorkQueue {
		l.t.Fatalf("the work is %+v, %v, %v", row, found, err)
	}
	if err := l.FillQueue(l.t.Context(), row.Payload); err != nil {
		l.t.Fatal(err)
	}
	if err := l.s.FinishWork(l.t.Context(), row.ID); err != nil {
		l.t.Fatal(err)
	}
}

func (l loop) undo(who ledger.Actor, n int) {
	l.t.Helper()
	if _, err := l.Undo(l.t.Context(), who, "p1", annotationID(n), who.Person, pageID(1)); err != nil {
		l.t.Fatal(err)
	}
}

func (l loop) count(kind string) (n int) {
	l.t.Helper()
	if err := l.s.WalkHistory(l.t.Context(), func(r ledger.Record) error {
		if r.Kind == kind {
			n++
		}
		return nil
	}); err != nil {
		l.t.Fatal(err)
	}
	return n
}

func (l loop) dataset() (d labeling.Dataset) {
	l.t.Helper()
	all, err := l.Datasets(l.t.Context(), somebody("ana"), "p1")
	if err != nil {
		l.t.Fatal(err)
	}
	return all[slices.IndexFunc(all, func(d labeling.Dataset) bool { return d.ID == "d1" })]
}

// Add writes further items into the dataset of Animals.
func Add(t testing.TB, s *store.Store, keys ...string) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx *store.Tx) error {
		for _, key := range keys {
			if _, err := tx.CreateItem(Item("d1", key)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
