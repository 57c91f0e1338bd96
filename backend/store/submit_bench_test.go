package store_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/labeling"
)

// BenchmarkSubmit measures durable answers of 200 people at once, each waiting
// for the acknowledgement of their last, in a project of 77 classes.
func BenchmarkSubmit(b *testing.B) {
	for _, people := range []int{1, 200} {
		b.Run(fmt.Sprintf("people=%d/classes=77", people), func(b *testing.B) { benchmarkSubmit(b, people) })
	}
}

// BenchmarkSubmitServers measures the same on a PostgreSQL that flushes, with
// people spread over one server and over two: the writers take turns.
func BenchmarkSubmitServers(b *testing.B) {
	for _, servers := range []int{1, 2} {
		b.Run(fmt.Sprintf("people=200/servers=%d", servers), func(b *testing.B) {
			cluster := storetest.StartCluster(b)
			benchmarkSubmitAt(b, 200, slices.Repeat([]string{cluster.Address}, servers)...)
		})
	}
}

func benchmarkSubmit(b *testing.B, people int) {
	benchmarkSubmitAt(b, people, filepath.Join(b.TempDir(), "adjudge.db"))
}

func benchmarkSubmitAt(b *testing.B, people int, addresses ...string) {
	var desks []*labeling.Service
	var s *store.Store
	newID := func() string { return uuid.Must(uuid.NewV7()).String() }
	for _, address := range addresses {
		opened, err := store.Open(b.Context(), address, store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = opened.Close() }()
		s = opened
		desks = append(desks, labeling.New(labeling.Config{Update: store.In[labeling.Tx](s), View: store.From[labeling.Tx](s), Now: s.Now, NewID: newID}))
	}
	p := labeling.Project{ID: "p1", Slug: "bench", Name: "Bench", SchemaVersion: 1, Overlap: 1}
	for n := range 77 {
		p.Schema.Classes = append(p.Schema.Classes, labeling.Class{ID: labeling.ClassID(newID()), Name: fmt.Sprint("class ", n)})
	}
	items := make([]labeling.ItemID, b.N)
	for begin := 0; begin == 0 || begin < b.N; begin += 1000 {
		if err := s.Update(b.Context(), func(tx *store.Tx) error {
			if begin == 0 {
				if err := tx.CreateProject(p); err != nil {
					return err
				}
				if err := tx.CreateDataset(labeling.Dataset{ID: "d1", Project: "p1", Name: "train", Purpose: labeling.PurposeTraining}); err != nil {
					return err
				}
			}
			for n := begin; n < min(begin+1000, b.N); n++ {
				items[n] = labeling.ItemID(newID())
				if _, err := tx.CreateItem(labeling.Item{ID: items[n], Project: "p1", Dataset: "d1", Key: fmt.Sprint(n), Text: "I am still waiting on my card?", Status: labeling.StatusQueued}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	var next atomic.Int64
	took := make([][]time.Duration, people)
	b.ResetTimer()
	var group sync.WaitGroup
	for person := range people {
		group.Go(func() {
			id := ledger.PersonID(fmt.Sprintf("person-%d", person))
			actor := ledger.Actor{Person: id, Via: ledger.ViaLogin, Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{"p1": {ledger.RoleAnnotator}}}
			for n := next.Add(1) - 1; n < int64(b.N); n = next.Add(1) - 1 {
				begin := time.Now()
				_, err := desks[person%len(desks)].Submit(b.Context(), actor, "p1", labeling.SubmitRequest{Annotation: labeling.Annotation{ID: labeling.AnnotationID(newID()),
					Item: items[n], Kind: labeling.KindAnswer, Class: p.Schema.Classes[n%77].ID, Seen: time.Second}})
				if err != nil {
					b.Error(err)
					return
				}
				took[person] = append(took[person], time.Since(begin))
			}
		})
	}
	group.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "answers/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}
