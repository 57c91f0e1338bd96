package labeling_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	"github.com/adjudge/adjudge/backend/work"
	"github.com/adjudge/adjudge/labeling"
)

// inline parses in this process; the child has tests of its own.
type inline struct{ size int } // records in a batch

func (p inline) Parse(ctx context.Context, req labeling.ParseRequest, each func(labeling.Batch) error) error {
	var r interface {
		Columns() []string
		Next() (labeling.Record, error)
	}
	var err error
	switch req.Format {
	case labeling.FormatCSV:
		r, err = csv.NewReader(req.File, 0, req.Header)
	case labeling.FormatJSONL:
		r = jsonl.NewReader(text.NewLines(req.File))
	default:
		r = text.NewReader(req.File)
	}
	if err != nil {
		return err
	}
	size := p.size
	if size == 0 {
		size = labeling.BatchRecords
	}
	var b labeling.Batch
	for req.Limit == 0 || b.Passed < req.Skip+req.Limit {
		rec, err := r.Next()
		bad, isBad := errors.AsType[*labeling.RecordError](err)
		if err == io.EOF {
			break
		}
		if err != nil && !isBad {
			return err
		}
		b.Passed++
		if b.Passed <= req.Skip {
			continue
		}
		if isBad {
			b.Errors = append(b.Errors, *bad)
		} else {
			rec.Values = append([]labeling.Value{}, rec.Values...)
			b.Records = append(b.Records, rec)
		}
		if b.Columns = r.Columns(); len(b.Records)+len(b.Errors) == size {
			if err := each(b); err != nil {
				return err
			}
			b.Records, b.Errors = nil, nil
		}
	}
	b.Columns = r.Columns()
	return each(b)
}

// desk is a labeling desk with one project, and the work it enqueues.
type desk struct {
	*labeling.Service
	t       testing.TB
	store   *store.Store
	actor   ledger.Actor
	project labeling.ProjectID
}

func newDesk(t testing.TB, s *store.Store) *desk {
	t.Helper()
	files, err := blob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, store: s, actor: ledger.Actor{Person: "ana", Name: "Ana", Admin: true, Via: ledger.ViaLogin, Scope: ledger.ScopeFull}}
	d.Service = labeling.New(labeling.Config{
		Update: store.In[labeling.Tx](s), View: store.From[labeling.Tx](s), Now: time.Now,
		NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
		Files: files, Parser: inline{}, Tables: columns.Tables{},
	})
	p, err := d.CreateProject(t.Context(), d.actor, labeling.CreateProjectRequest{Name: "Bank"})
	if err != nil {
		t.Fatal(err)
	}
	d.project = p.ID
	return d
}

// work carries out all follow-up work that is due.
func (d *desk) work() {
	d.t.Helper()
	handlers := map[string]work.Handler{
		labeling.WorkImport: d.RunImport, labeling.WorkSnapshot: d.BuildSnapshot, labeling.WorkIndex: d.IndexItems, labeling.WorkMedia: d.RunMediaCheck,
	}
	for {
		row, found, err := d.store.ClaimWork(d.t.Context(), time.Now().Add(time.Hour), time.Now().Add(2*time.Hour))
		if err != nil {
			d.t.Fatal(err)
		}
		if !found {
			return
		}
		if err := handlers[row.Kind](d.t.Context(), row.Payload); err != nil {
			d.t.Fatal(err)
		}
		if err := d.store.FinishWork(d.t.Context(), row.ID); err != nil {
			d.t.Fatal(err)
		}
	}
}

// bring imports a file and returns the import when it is over.
func (d *desk) bring(name, content string, req labeling.StartImportRequest) labeling.Import {
	d.t.Helper()
	i, err := d.Upload(d.t.Context(), d.actor, d.project, name, strings.NewReader(content))
	if err != nil {
		d.t.Fatal(err)
	}
	if i, err = d.StartImport(d.t.Context(), d.actor, d.project, i.ID, req); err != nil {
		d.t.Fatal(err)
	}
	d.work()
	if i, err = d.Import(d.t.Context(), d.actor, d.project, i.ID); err != nil {
		d.t.Fatal(err)
	}
	return i
}

func (d *desk) problems(i labeling.Import) string {
	d.t.Helper()
	list, err := d.ImportProblems(d.t.Context(), d.actor, d.project, i.ID, 100)
	if err != nil {
		d.t.Fatal(err)
	}
	var lines []string
	for _, p := range list {
		lines = append(lines, fmt.Sprintf("%d: %s", p.Line, p.Reason))
	}
	return strings.Join(lines, "\n")
}

func TestAnImportBringsItemsAnswersAndClasses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := newDesk(t, s)
		i := d.bring("train.csv", "text,category,id\nWhere is my card?,card_arrival,1\nIt broke,broken,2\nragged\nNo label,,3\n<script>alert(1)</script>,😀 שלום,4\n,broken,5\nagain,broken,1\n",
			labeling.StartImportRequest{Dataset: "train", AddClasses: true, Mapping: labeling.Mapping{Text: "text", Label: "category", Key: "id"}})
		if i.State != labeling.ImportDone || i.Added != 4 || i.Labeled != 3 || i.Bad != 2 || i.Unchanged != 1 || i.Passed != 7 || i.Percent() != 100 {
			t.Errorf("import = %+v", i)
		}
		want := "4: 1 field, but the file has 3 columns; quote a field that contains the separator ','\n" +
			"7: the text in \"text\" is empty\n8: the key \"1\" is there already with another text; nothing was changed"
		if got := d.problems(i); got != want {
			t.Errorf("problems =\n%s\nwant\n%s", got, want)
		}
		p, err := d.Project(t.Context(), d.actor, "bank")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, c := range p.Schema.Classes {
			names = append(names, c.Name)
		}
		if strings.Join(names, ",") != "broken,card_arrival,😀 שלום" {
			t.Errorf("classes = %v", names)
		}
		sets, err := d.Datasets(t.Context(), d.actor, d.project)
		if err != nil || len(sets) != 1 || sets[0].Items != 4 || sets[0].Accepted != 3 {
			t.Errorf("datasets = %+v, %v", sets, err)
		}
	})
}

func TestTheSameFileAgainChangesNothingAndSaysSo(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"with keys":    "text,id\na,1\nb,2\nb,3\n",
		"without keys": "text,other\na,1\nb,2\nb,3\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, storetest.New(t))
			first := d.bring("x.csv", content, labeling.StartImportRequest{Dataset: "x"})
			if first.Added != 3 || first.Unchanged != 0 {
				t.Errorf("first = %+v", first)
			}
			again := d.bring("x.csv", content, labeling.StartImportRequest{Dataset: "x"})
			if again.Added != 0 || again.Unchanged != 3 || again.Bad != 0 {
				t.Errorf("again = %+v", again)
			}
			other := d.bring("x.csv", content, labeling.StartImportRequest{Dataset: "y"})
			if other.Added != 3 {
				t.Errorf("into another dataset = %+v", other)
			}
		})
	}
}

func TestAnImportDiesAnywhereAndComesInOnce(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("text,label\n")
	for n := range 40 {
		switch {
		case n%7 == 3:
			b.WriteString("ragged\n")
		default:
			fmt.Fprintf(&b, "text %d,c%d\n", n%11, n%3) // texts repeat: their keys count
		}
	}
	die := errors.New("died")
	for at := 1; at <= 8; at++ {
		d := newDesk(t, storetest.New(t))
		d.Parser = inline{size: 5}
		i, err := d.Upload(t.Context(), d.actor, d.project, "x.csv", strings.NewReader(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		if i, err = d.StartImport(t.Context(), d.actor, d.project, i.ID, labeling.StartImportRequest{Dataset: "x", AddClasses: true}); err != nil {
			t.Fatal(err)
		}
		whole, left := d.Update, at
		d.Update = func(ctx context.Context, f func(labeling.Tx) error) error {
			if left--; left < 0 {
				return die
			}
			return whole(ctx, f)
		}
		payload, _ := json.Marshal(map[string]any{"Import": i.ID})
		if err := d.RunImport(t.Context(), payload); !errors.Is(err, die) {
			t.Fatalf("run dies with %v", err)
		}
		d.Update = whole
		d.Parser = inline{size: 7} // a new release cuts the file elsewhere
		d.work()
		i, err = d.Import(t.Context(), d.actor, d.project, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		if i.State != labeling.ImportDone || i.Passed != 40 || i.Added != 34 || i.Bad != 6 || i.Labeled != 34 || i.Unchanged != 0 {
			t.Errorf("died at update %d: %+v", at, i)
		}
		if got := strings.Count(d.problems(i), "\n") + 1; got != 6 {
			t.Errorf("died at update %d: %d problems", at, got)
		}
		d.store.Close()
	}
}

func TestAnImportIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	d := newDesk(t, storetest.New(t))
	d.bring("a.csv", "text,label\na,x\n", labeling.StartImportRequest{Dataset: "test", Purpose: labeling.PurposeEvaluation, AddClasses: true})
	for name, c := range map[string]struct {
		content string
		req     labeling.StartImportRequest
		says    string
	}{
		"an empty dataset name":      {"text\na\n", labeling.StartImportRequest{}, "A dataset needs a name"},
		"a column that is not there": {"text\na\n", labeling.StartImportRequest{Dataset: "x", Mapping: labeling.Mapping{Text: "txet"}}, `The file has no column "txet"; it has: text.`},
		"another purpose":            {"text\na\n", labeling.StartImportRequest{Dataset: "test", Purpose: labeling.PurposeTraining}, "The dataset test is for evaluation and stays so"},
		"a broken file":              {"\"a\n", labeling.StartImportRequest{Dataset: "x"}, "x.csv: The first line cannot be read"},
	} {
		i, err := d.Upload(t.Context(), d.actor, d.project, "x.csv", strings.NewReader(c.content))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = d.StartImport(t.Context(), d.actor, d.project, i.ID, c.req); !strings.Contains(fault.Message(err), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.Upload(t.Context(), d.actor, d.project, "x.csv", strings.NewReader("")); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an empty file: %v", err)
	}
	nobody := ledger.Actor{Person: "bob", Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{d.project: {ledger.RoleAnnotator}}}
	if _, err := d.Upload(t.Context(), nobody, d.project, "x.csv", strings.NewReader("x")); fault.KindOf(err) != fault.Denied {
		t.Errorf("an annotator imports: %v", err)
	}
}

func TestALabelThatIsNoClassIsRefusedUnlessClassesAreAdded(t *testing.T) {
	t.Parallel()
	d := newDesk(t, storetest.New(t))
	i := d.bring("a.csv", "text,label\na,x\nb,\n", labeling.StartImportRequest{Dataset: "x"})
	if i.Added != 1 || i.Bad != 1 || d.problems(i) != `2: "x" is no class of the schema; add it there, or let the import add classes` {
		t.Errorf("%+v\n%s", i, d.problems(i))
	}
}

func rows(t *testing.T, d *desk, name string) (labeling.Snapshot, string) {
	t.Helper()
	snap, seq, err := d.OpenSnapshot(t.Context(), d.actor, d.project, name)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for row, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s=%s ", row.Key, row.Answer)
	}
	return snap, strings.TrimSpace(b.String())
}

func (d *desk) freeze(name string, datasets ...string) labeling.Snapshot {
	d.t.Helper()
	snap, err := d.CreateSnapshot(d.t.Context(), d.actor, d.project, labeling.CreateSnapshotRequest{Name: name, Datasets: datasets})
	if err != nil {
		d.t.Fatal(err)
	}
	d.work()
	if snap, err = d.Snapshot(d.t.Context(), d.actor, d.project, string(snap.ID)); err != nil {
		d.t.Fatal(err)
	}
	return snap
}

func TestTheSameContentHasTheSameDigestOnAnyMachineInAnyOrder(t *testing.T) {
	t.Parallel()
	const want = "sha256:2764c0c0abe49f37377ecf27f3cbd423612132bd42958dc9bef57c740fe5af26"
	for name, content := range map[string]string{
		"in order":  "text,label,id\nWhere is it?,card,a\nIt broke 😀,broken,b\n\"two\nlines\",card,c\n",
		"out of it": "id,text,label\nc,\"two\nlines\",card\nb,It broke 😀,broken\na,Where is it?,card\n",
	} {
		storetest.Each(t, func(t *testing.T, s *store.Store) {
			d := newDesk(t, s)
			d.bring("x.csv", content, labeling.StartImportRequest{Dataset: "x", AddClasses: true})
			snap := d.freeze("", "x")
			if snap.State != labeling.SnapshotReady || snap.Items != 3 || snap.Number != 1 || snap.Purpose != labeling.PurposeTraining {
				t.Fatalf("%s: %+v", name, snap)
			}
			if string(snap.Digest) != want {
				t.Errorf("%s: digest %s, want %s", name, snap.Digest, want)
			}
			if snap.Parquet != "sha256:62e1cd77a8efe5c6cfef9349bc900d7b1280b9e0b5bcb25b9b2af355b0ef281a" {
				t.Errorf("%s: parquet %s", name, snap.Parquet)
			}
			if _, got := rows(t, d, string(snap.Digest)); got != "a=card b=broken c=card" {
				t.Errorf("%s: rows %s", name, got)
			}
			file, err := d.Files.Open(t.Context(), snap.Parquet)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			raw, _ := io.ReadAll(file)
			table, err := columns.Open(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			if texts, err := table.Texts(0, "text"); err != nil || strings.Join(texts, "|") != "Where is it?|It broke 😀|two\nlines" {
				t.Errorf("%s: parquet texts %q, %v", name, texts, err)
			}
		})
	}
}

func TestEvaluationItemsNeverEnterATrainingSnapshot(t *testing.T) {
	t.Parallel()
	d := newDesk(t, storetest.New(t))
	d.bring("a.csv", "text,label,id\na,x,1\nb,x,2\nc,y,3\n", labeling.StartImportRequest{Dataset: "train", AddClasses: true})
	d.bring("b.csv", "text,label,id\nb,x,77\n", labeling.StartImportRequest{Dataset: "test", Purpose: labeling.PurposeEvaluation})
	_, err := d.CreateSnapshot(t.Context(), d.actor, d.project, labeling.CreateSnapshotRequest{Datasets: []string{"train", "test"}})
	if fault.KindOf(err) != fault.Unmet || !strings.Contains(fault.Message(err), "test is for evaluation: its items never enter a training snapshot") {
		t.Errorf("mixed: %v", err)
	}
	snap := d.freeze("first", "train")
	if _, got := rows(t, d, "first"); got != "1=x 3=y" || snap.HeldOut != 1 {
		t.Errorf("rows %s, held out %d: the text of an evaluation item came in under another key", got, snap.HeldOut)
	}
	if snap = d.freeze("", "test"); snap.Purpose != labeling.PurposeEvaluation || snap.Items != 1 {
		t.Errorf("evaluation = %+v", snap)
	}
}

func TestAnItemInSeveralDatasetsCountsOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, storetest.New(t))
	d.bring("a.csv", "text,label\na,x\nb,x\n", labeling.StartImportRequest{Dataset: "one", AddClasses: true})
	d.bring("b.csv", "text,label\nb,y\nc,y\n", labeling.StartImportRequest{Dataset: "two", AddClasses: true})
	if snap := d.freeze("", "one", "two"); snap.Items != 3 || snap.Merged != 1 || snap.Classes[1].Items != 2 {
		t.Errorf("%+v", snap)
	}
	d.bring("c.csv", "text,label,id\na,x,k\n", labeling.StartImportRequest{Dataset: "three"})
	d.bring("d.csv", "text,label,id\nb,x,k\n", labeling.StartImportRequest{Dataset: "four"})
	if snap := d.freeze("", "three", "four"); snap.State != labeling.SnapshotFailed || !strings.Contains(snap.Failure, `an item with the key "k", but with different texts`) {
		t.Errorf("%+v", snap)
	}
}

func TestSnapshotsAreFoundByNumberDigestAndName(t *testing.T) {
	t.Parallel()
	d := newDesk(t, storetest.New(t))
	d.bring("a.csv", "text,label\na,x\n", labeling.StartImportRequest{Dataset: "one", AddClasses: true})
	first := d.freeze("first", "one")
	second := d.freeze("", "one")
	if first.Digest != second.Digest || second.Number != 2 {
		t.Errorf("second = %+v", second)
	}
	for _, name := range []string{"1", "#1", "first", string(first.ID), string(first.Digest)} {
		if got, err := d.Snapshot(t.Context(), d.actor, d.project, name); err != nil || got.Number != 1 {
			t.Errorf("%q finds %d, %v", name, got.Number, err)
		}
	}
	if _, err := d.Snapshot(t.Context(), d.actor, d.project, "nope"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("nope: %v", err)
	}
	if list, err := d.Snapshots(t.Context(), d.actor, d.project); err != nil || len(list) != 2 || list[0].Number != 2 {
		t.Errorf("list = %+v, %v", list, err)
	}
}
