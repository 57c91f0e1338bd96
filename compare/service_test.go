package compare_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/adjudge/adjudge/backend/blob"
	"github.com/adjudge/adjudge/backend/columns"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/format/csv"
	"github.com/adjudge/adjudge/backend/format/jsonl"
	"github.com/adjudge/adjudge/backend/format/text"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// plainParser reads CSV and JSONL in this process; the child of the real one is
// tested where it lives.
type plainParser struct{}

func (plainParser) Parse(_ context.Context, req labeling.ParseRequest, each func(labeling.Batch) error) error {
	var reader interface {
		Columns() []string
		Next() (labeling.Record, error)
	}
	if req.Format == labeling.FormatJSONL {
		reader = jsonl.NewReader(text.NewLines(req.File))
	} else {
		r, err := csv.NewReader(req.File, ',', labeling.HeaderGuess)
		if err != nil {
			return err
		}
		reader = r
	}
	for {
		record, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		batch := labeling.Batch{Columns: reader.Columns()}
		if bad, ok := errors.AsType[*labeling.RecordError](err); ok {
			batch.Errors = []labeling.RecordError{*bad}
		} else if err != nil {
			return err
		} else {
			batch.Records = []labeling.Record{record}
		}
		if err := each(batch); err != nil {
			return err
		}
	}
}

// world is a store with the project animals: an evaluation dataset and a
// training dataset of eight labeled items each, and a snapshot of each.
type world struct {
	*compare.Service
	store      *store.Store
	evaluation labeling.Snapshot
	training   labeling.Snapshot
}

var scientist = ledger.Actor{Person: "ann", Via: ledger.ViaLogin, Scope: ledger.ScopeFull,
	Roles: map[ledger.ProjectID][]ledger.Role{"p1": {ledger.RoleDataScientist}}}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func newWorld(t *testing.T) *world {
	t.Helper()
	s := storetest.New(t)
	files, err := blob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	storetest.Animals(t, s)
	must(t, s.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.CreateDataset(labeling.Dataset{ID: "d2", Project: "p1", Name: "test", Purpose: labeling.PurposeEvaluation, CreatedAt: time.UnixMicro(7).UTC()}); err != nil {
			return err
		}
		for _, dataset := range []labeling.DatasetID{"d1", "d2"} {
			for i := range 8 {
				item := storetest.Item(dataset, fmt.Sprintf("k%d", i))
				item.Content = ledger.DigestOf([]byte(item.ID))
				item.Status, item.Label = labeling.StatusAccepted, []labeling.ClassID{"cat", "dog"}[i%2]
				if _, err := tx.CreateItem(item); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	desk := labeling.New(labeling.Config{Update: store.In[labeling.Tx](s), View: store.From[labeling.Tx](s), Now: s.Now, NewID: newID, Files: files, Tables: columns.Tables{}})
	w := &world{store: s, Service: compare.New(compare.Config{
		Update: store.In[compare.Tx](s), View: store.From[compare.Tx](s), Now: s.Now, NewID: newID, Files: files, Columns: columns.Predictions{}, Parser: plainParser{},
	})}
	freeze := func(name string) labeling.Snapshot {
		snapshot, err := desk.CreateSnapshot(t.Context(), scientist, "p1", labeling.CreateSnapshotRequest{Name: name, Datasets: []string{name}})
		must(t, err)
		w.work(t, map[string]func(context.Context, json.RawMessage) error{labeling.WorkSnapshot: desk.BuildSnapshot})
		snapshot, err = desk.Snapshot(t.Context(), scientist, "p1", string(snapshot.ID))
		must(t, err)
		if snapshot.Items != 8 {
			t.Fatalf("snapshot %s has %d items: %s", name, snapshot.Items, snapshot.Failure)
		}
		return snapshot
	}
	w.evaluation, w.training = freeze("test"), freeze("train")
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// work carries out the work there is, with the desk's own handlers and others.
func (w *world) work(t *testing.T, others map[string]func(context.Context, json.RawMessage) error) {
	t.Helper()
	for {
		now := w.store.Now()
		row, found, err := w.store.ClaimWork(t.Context(), now, now.Add(time.Hour))
		must(t, err)
		if !found {
			return
		}
		handler := others[row.Kind]
		if w.Service != nil {
			for kind, own := range map[string]func(context.Context, json.RawMessage) error{
				compare.WorkRead: w.ReadUpload, compare.WorkSuggest: w.CopySuggestions, compare.WorkEvaluate: w.EvaluateSet,
			} {
				if kind == row.Kind {
					handler = own
				}
			}
		}
		if handler != nil {
			for range 2 { // a crash between doing and finishing makes it twice
				must(t, handler(t.Context(), row.Payload))
			}
		}
		must(t, w.store.FinishWork(t.Context(), row.ID))
	}
}

// upload brings the answers of a model, one letter per item: c for cat, d for dog.
func (w *world) upload(t *testing.T, model string, snapshot labeling.Snapshot, answers string) compare.PredictionSet {
	t.Helper()
	var b strings.Builder
	b.WriteString("key,class,score\n")
	for i, a := range answers {
		fmt.Fprintf(&b, "k%d,%s,0.%d\n", i, map[rune]string{'c': "Cat", 'd': "Dog"}[a], 9-i)
	}
	return w.uploadFile(t, model, snapshot, "answers.csv", b.String())
}

func (w *world) uploadFile(t *testing.T, model string, snapshot labeling.Snapshot, name, content string) compare.PredictionSet {
	t.Helper()
	set, err := w.UploadPredictions(t.Context(), scientist, compare.UploadRequest{Project: "p1", Model: model, Snapshot: snapshot.ID, File: name, Body: strings.NewReader(content)})
	must(t, err)
	w.work(t, nil)
	set, err = w.PredictionSet(t.Context(), scientist, "p1", set.ID)
	must(t, err)
	return set
}

func TestTwoUploadsMakeAComparison(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upload(t, "old", w.evaluation, "cdcdcdcc") // 7 right
	w.upload(t, "new", w.evaluation, "ccccdddd") // k0 k2 k5 k7 right
	request := compare.CompareRequest{Project: "p1", Baseline: "old", Candidate: "new@1", Snapshot: w.evaluation.ID}
	got, err := w.Compare(t.Context(), scientist, request)
	must(t, err)
	c := got.Comparison
	if c.Quadrants != (compare.Quadrants{Both: 3, OnlyBaseline: 4, OnlyCandidate: 1, Neither: 0}) {
		t.Errorf("quadrants = %+v", c.Quadrants)
	}
	if c.Base.Snapshot != w.evaluation.Digest || c.Base.Items != 8 || c.Verdict != compare.VerdictUndecided {
		t.Errorf("comparison = %+v", c)
	}
	again, err := w.Compare(t.Context(), scientist, request)
	must(t, err)
	if again.Record.Digest != got.Record.Digest || !again.Record.CreatedAt.Equal(got.Record.CreatedAt) {
		t.Error("the same question made another document")
	}
	opened, err := w.Comparison(t.Context(), scientist, "p1", got.Record.Digest)
	must(t, err)
	if opened.Comparison.Sentence != c.Sentence {
		t.Errorf("opened %+v", opened)
	}
	// Both were measured on their own as well.
	evaluations, err := w.Evaluations(t.Context(), scientist, "p1", "")
	must(t, err)
	if len(evaluations) != 2 || evaluations[1].Accuracy.Value != .875 {
		t.Errorf("evaluations = %+v", evaluations)
	}
}

func TestItemsComeDisagreementsFirstAndInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upload(t, "old", w.evaluation, "cdcdcdcc")
	w.upload(t, "new", w.evaluation, "ccccdddc")
	got, err := w.Compare(t.Context(), scientist, compare.CompareRequest{Project: "p1", Baseline: "old", Candidate: "new", Snapshot: w.evaluation.ID})
	must(t, err)
	walk := func(filter compare.ItemFilter) (keys []string, total int) {
		for {
			list, err := w.ComparedItems(t.Context(), scientist, "p1", got.Record.Digest, filter)
			must(t, err)
			for _, row := range list.Rows {
				keys = append(keys, row.Key+":"+row.Outcome.String())
				if row.Text != "text of "+row.Key || row.Item == "" {
					t.Errorf("row = %+v", row)
				}
			}
			if list.Next == "" {
				return keys, list.Total
			}
			filter.After = list.Next
		}
	}
	all := []string{"k1:lost", "k3:lost", "k4:lost", "k6:lost", "k7:both-wrong", "k0:both-right", "k2:both-right", "k5:both-right"}
	for name, c := range map[string]struct {
		filter compare.ItemFilter
		want   []string
	}{
		"everything, three at a time": {compare.ItemFilter{Limit: 3}, all},
		"what was lost":               {compare.ItemFilter{Outcomes: []string{"lost"}, Limit: 2}, all[:4]},
		"all that is wrong twice":     {compare.ItemFilter{Outcomes: []string{"wrong"}}, all[4:5]},
		"a class":                     {compare.ItemFilter{Class: "Cat", Outcomes: []string{"lost", "both-right"}}, []string{"k4:lost", "k6:lost", "k0:both-right", "k2:both-right"}},
		"an answer of the candidate":  {compare.ItemFilter{Candidate: "Dog"}, []string{"k4:lost", "k6:lost", "k5:both-right"}},
		"a class that does not exist": {compare.ItemFilter{Class: "Bird"}, nil},
	} {
		if keys, total := walk(c.filter); !slices.Equal(keys, c.want) || total != len(c.want) {
			t.Errorf("%s: %v of %d, want %v", name, keys, total, c.want)
		}
	}
	list, err := w.ComparedItems(t.Context(), scientist, "p1", got.Record.Digest, compare.ItemFilter{Class: "Cat", Outcomes: []string{"lost"}})
	must(t, err)
	if list.Facets.Outcomes != [5]int{2, 0, 0, 0, 2} { // the class alone
		t.Errorf("outcomes = %v", list.Facets.Outcomes)
	}
	if len(list.Facets.Classes) != 2 || list.Facets.Classes[1].Lost != 2 { // the outcome alone
		t.Errorf("classes = %+v", list.Facets.Classes)
	}
	for _, bad := range []compare.ItemFilter{{Outcomes: []string{"nonsense"}}, {After: "x"}} {
		if _, err := w.ComparedItems(t.Context(), scientist, "p1", got.Record.Digest, bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestEvaluationItemsNeverGetASuggestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	withheld := w.upload(t, "m", w.evaluation, "cdcdcdcd")
	given := w.upload(t, "m", w.training, "cdcdcdcd")
	if !withheld.Report.Withheld || withheld.Report.Copied != 0 || given.Report.Withheld || given.Report.Copied != 8 {
		t.Errorf("withheld %+v, given %+v", withheld.Report, given.Report)
	}
	must(t, w.store.View(t.Context(), func(tx *store.Tx) error {
		blind, err := tx.ItemKeyed("d2", "k1")
		if err != nil || blind.ModelLabel != "" || blind.Model != "" {
			t.Errorf("the evaluation item knows %q, %v", blind.ModelLabel, err)
		}
		item, err := tx.ItemKeyed("d1", "k1")
		if err != nil || item.ModelLabel != "dog" || item.ModelScore == nil || *item.ModelScore != .8 || item.Model != string(given.Model) {
			t.Errorf("the training item knows %+v, %v", item, err)
		}
		return nil
	}))
}

func TestAnUploadReportsWhatItCannotTake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	set := w.uploadFile(t, "m", w.evaluation, "a.jsonl", `{"key":"k0","class":"Cat","score":0.5}
{"key":"k1","probabilities":{"Dog":0.7,"Cat":0.3}}
{"key":"nobody","class":"Cat"}
{"key":"k0","class":"Dog"}
{"key":"k2","class":"Cat","score":7}
{"key":"k3"}
{"key":"k4","class":"Bird"}
not json
`)
	r := set.Report
	if set.State != compare.PredictionsReady || set.Rows != 3 || r.Read != 8 || r.Unknown != 1 || r.Missing != 5 || r.Problems != 4 || !slices.Equal(r.Classes, []string{"Bird"}) {
		t.Errorf("set = %+v", set)
	}
	if len(r.Notes) != 5 || r.Notes[0].Line != 3 || r.Notes[0].Key != "nobody" || r.Notes[4].Line != 8 {
		t.Errorf("notes = %+v", r.Notes)
	}
	if _, err := w.Evaluate(t.Context(), scientist, "p1", "m", w.evaluation.ID); !fault.Is(err, fault.Unmet) || !strings.Contains(fault.Message(err), "no prediction for 5 of the 8 items") {
		t.Errorf("a set with gaps is measured: %v", err)
	}
}

func TestAnUploadThatCannotBeReadFailsWithTheReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct{ content, says string }{
		"no key column":   {"name,class\na,Cat\n", `No column holds the keys of items; name it "key". The file has: "name", "class".`},
		"no class column": {"key,x\nk0,1\n", `No column holds the predicted class; name it "class". The file has: "key", "x".`},
		"nothing fits":    {"key,class\nzzz,Cat\n", "No row of f.csv belongs to an item of this snapshot. The first reason is: the snapshot has no item with this key."},
	} {
		set := w.uploadFile(t, "m", w.evaluation, "f.csv", c.content)
		if set.State != compare.PredictionsFailed || set.Report.Failure != c.says {
			t.Errorf("%s: %s, %q", name, set.State, set.Report.Failure)
		}
	}
}

func TestUploadsMakeModels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := ledger.DigestOf([]byte("1")), ledger.DigestOf([]byte("2"))
	upload := func(model string, digest ledger.Digest) (compare.Model, error) {
		set, err := w.UploadPredictions(t.Context(), scientist, compare.UploadRequest{
			Project: "p1", Model: model, Digest: digest, Snapshot: w.evaluation.ID, File: "a.csv", Body: strings.NewReader("key,class\nk0,Cat\n")})
		if err != nil {
			return compare.Model{}, err
		}
		return w.Model(t.Context(), scientist, "p1", string(set.Model))
	}
	for _, step := range []struct {
		model  string
		digest ledger.Digest
		title  string
	}{{"m", one, "m@1"}, {"m", "", "m@1"}, {"m", one, "m@1"}, {"m", two, "m@2"}, {"m@1", "", "m@1"}, {"other", "", "other@1"}} {
		m, err := upload(step.model, step.digest)
		if err != nil || m.Title() != step.title || m.CreatedBy != "ann" {
			t.Errorf("%s with %q: %+v, %v", step.model, step.digest, m, err)
		}
	}
	for name, c := range map[string]struct {
		model  string
		digest ledger.Digest
		kind   fault.Kind
	}{
		"a version that does not exist": {"m@9", "", fault.NotFound},
		"a version with other bytes":    {"m@1", two, fault.Invalid},
		"a broken digest":               {"m", "sha256:zz", fault.Invalid},
		"a name with a slash":           {"a/b", "", fault.Invalid},
	} {
		if _, err := upload(c.model, c.digest); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.UploadPredictions(t.Context(), scientist, compare.UploadRequest{Project: "p1", Model: "m", Snapshot: w.evaluation.ID, File: "a.csv", Body: strings.NewReader("")}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an empty file: %v", err)
	}
}

func TestPredictionsOfADatasetServeItsSnapshots(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upload(t, "m", w.training, "cdcdcdcd") // makes the model
	m, err := w.Model(t.Context(), scientist, "p1", "m")
	must(t, err)
	add := func() compare.PredictionSet {
		set, err := w.AddPredictions(t.Context(), scientist, compare.AddRequest{Project: "p1", Model: m.ID, Dataset: "d2", Rows: func(yield func(compare.Prediction, error) bool) {
			for i := range 8 {
				if !yield(compare.Prediction{Key: fmt.Sprintf("k%d", i), Class: "Cat", Score: .5, Runner: .25}, nil) {
					return
				}
			}
		}})
		must(t, err)
		return set
	}
	first := add()
	if second := add(); second.ID != first.ID {
		t.Error("the same rows made another set")
	}
	w.work(t, nil)
	evaluations, err := w.Evaluations(t.Context(), scientist, "p1", m.ID)
	must(t, err)
	if len(evaluations) != 2 || evaluations[0].Snapshot != w.evaluation.ID || evaluations[0].Accuracy.Value != .5 {
		t.Errorf("evaluations = %+v", evaluations)
	}
	broken := errors.New("disk")
	_, err = w.AddPredictions(t.Context(), scientist, compare.AddRequest{Project: "p1", Model: m.ID, Dataset: "d2", Rows: func(yield func(compare.Prediction, error) bool) {
		yield(compare.Prediction{}, broken)
	}})
	if !errors.Is(err, broken) {
		t.Errorf("a broken source: %v", err)
	}
}

func TestWhoMayCompare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.upload(t, "a", w.evaluation, "cdcdcdcd")
	w.upload(t, "b", w.evaluation, "cdcdcdcd")
	as := func(role ledger.Role) ledger.Actor {
		return ledger.Actor{Person: "x", Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{"p1": {role}}}
	}
	request := compare.CompareRequest{Project: "p1", Baseline: "a", Candidate: "b", Snapshot: w.evaluation.ID}
	for _, role := range ledger.Roles() {
		_, err := w.Compare(t.Context(), as(role), request)
		if want := role.May(ledger.ActionCompare); (err == nil) != want {
			t.Errorf("%s compares: %v", role, err)
		}
		_, err = w.UploadPredictions(t.Context(), as(role), compare.UploadRequest{Project: "p1", Model: "m", Snapshot: w.evaluation.ID, File: "a.csv", Body: strings.NewReader("key,class\nk0,Cat\n")})
		if want := role.May(ledger.ActionPredict); (err == nil) != want {
			t.Errorf("%s imports: %v", role, err)
		}
		if _, err := w.Models(t.Context(), as(role), compare.ModelFilter{Project: "p1"}); err != nil {
			t.Errorf("%s lists models: %v", role, err)
		}
	}
	if _, err := w.Compare(t.Context(), scientist, compare.CompareRequest{Project: "p1", Baseline: "a", Candidate: "a@1", Snapshot: w.evaluation.ID}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a model against itself: %v", err)
	}
	if _, err := w.Compare(t.Context(), scientist, compare.CompareRequest{Project: "p1", Baseline: "a", Candidate: "b", Snapshot: w.training.ID}); !fault.Is(err, fault.Unmet) {
		t.Errorf("without predictions: %v", err)
	}
}
