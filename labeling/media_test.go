package labeling_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/labeling"
)

// shelf is a source of objects that a test may change.
type shelf struct {
	mu      sync.Mutex
	objects map[string]string
	away    bool
	looks   int
}

func (s *shelf) put(name, bytes string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[name] = bytes
}

func (s *shelf) take(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, name)
}

func (s *shelf) Name(reference string) (string, error) { return reference, nil }

func (s *shelf) Look(ctx context.Context, uri string) (labeling.MediaObject, error) {
	o, err := s.Fetch(ctx, uri)
	return o, err
}

type closer struct{ io.ReadSeeker }

func (closer) Close() error { return nil }

func (s *shelf) Fetch(_ context.Context, uri string) (labeling.MediaObject, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks++
	if s.away {
		return labeling.MediaObject{}, fault.New(fault.Unavailable, "The directory is away")
	}
	bytes, there := s.objects[uri]
	switch {
	case !there:
		return labeling.MediaObject{}, fault.New(fault.NotFound, "There is no file %s", uri)
	case bytes == "huge":
		return labeling.MediaObject{}, fault.New(fault.TooLarge, "%s has more than 64 MB", uri)
	}
	o := labeling.MediaObject{ReadSeekCloser: closer{strings.NewReader(bytes)}, Digest: ledger.DigestOf([]byte(bytes)), Bytes: int64(len(bytes))}
	if strings.HasPrefix(bytes, "png") {
		o.Type = "image/png"
	}
	return o, nil
}

// gallery is a desk with a dataset of pictures.
func gallery(t *testing.T) (*desk, *shelf, []labeling.Item) {
	t.Helper()
	d := newDesk(t, storetest.New(t))
	s := &shelf{objects: map[string]string{"a.png": "png a", "b.png": "png b", "page.svg": "<svg>", "huge.png": "huge"}}
	d.Service.Media = s
	i := d.bring("pictures.csv", "image,caption,label\na.png,,cat\nb.png,a dog,dog\nnone.png,,cat\npage.svg,,cat\nhuge.png,,dog\n,only text,cat\n",
		labeling.StartImportRequest{Dataset: "animals", AddClasses: true, Mapping: labeling.Mapping{Media: "image", Text: "caption", Label: "label"}})
	if i.Added != 3 || i.Bad != 3 {
		t.Fatalf("import: %d added, %d refused: %s", i.Added, i.Bad, d.problems(i))
	}
	want := "4: There is no file none.png\n5: page.svg is no picture (JPEG, PNG, GIF, WebP), recording (WAV, MP3, Ogg) or video (MP4, WebM) by its first bytes; convert it to one of these\n6: huge.png has more than 64 MB"
	if got := d.problems(i); got != want {
		t.Fatalf("problems:\n%s\nwant:\n%s", got, want)
	}
	page, err := d.Items(t.Context(), d.actor, d.project, labeling.ItemFilter{}, labeling.PageRequest{})
	if err != nil || len(page.Items) != 3 {
		t.Fatalf("%d items (%v)", len(page.Items), err)
	}
	return d, s, page.Items
}

func (d *desk) events(kind string) (found []string) {
	d.t.Helper()
	if err := d.store.WalkHistory(d.t.Context(), func(r ledger.Record) error {
		if r.Kind == kind {
			found = append(found, r.Subject.ID+" "+string(r.Payload))
		}
		return nil
	}); err != nil {
		d.t.Fatal(err)
	}
	return found
}

func TestAnItemRefersToAnObjectByItsDigest(t *testing.T) {
	t.Parallel()
	_, _, items := gallery(t)
	a, b, text := items[0], items[1], items[2]
	if a.Text != "" || a.Media == nil || a.Media.URI != "a.png" || a.Media.Digest != ledger.DigestOf([]byte("png a")) || a.Media.Bytes != 5 || a.Media.Type != "image/png" {
		t.Errorf("first item: %+v %+v", a, a.Media)
	}
	if b.Text != "a dog" || b.Media == nil || b.Content == ledger.DigestOf([]byte("a dog")) || a.Content == b.Content {
		t.Errorf("second item: %+v: its content must cover the object", b)
	}
	if text.Media != nil || text.Content != ledger.DigestOf([]byte("only text")) {
		t.Errorf("third item: %+v: a text alone keeps its digest", text)
	}
}

func TestAChangedObjectIsAFaultUntilItIsBack(t *testing.T) {
	t.Parallel()
	d, s, items := gallery(t)
	ctx, id := t.Context(), items[0].ID
	open := func() (string, error) {
		_, o, err := d.OpenMedia(ctx, d.actor, d.project, id)
		if err != nil {
			return "", err
		}
		defer o.Close()
		var b bytes.Buffer
		_, err = b.ReadFrom(o)
		return b.String(), err
	}
	if got, err := open(); got != "png a" || err != nil {
		t.Fatalf("%q (%v)", got, err)
	}
	s.put("a.png", "png other")
	for range 3 {
		if _, err := open(); !fault.Is(err, fault.Conflict) || !strings.Contains(fault.Message(err), "is not the one that was imported (digest "+items[0].Media.Digest.Hex()[:8]+"… expected, "+ledger.DigestOf([]byte("png other")).Hex()[:8]) {
			t.Fatalf("a changed object: %v", err)
		}
	}
	if got := d.events(labeling.EventMediaChanged); len(got) != 1 || !strings.HasPrefix(got[0], string(id)) || strings.Contains(got[0], "a.png") {
		t.Fatalf("events: %v", got)
	}
	batch, err := d.LeaseTasks(ctx, d.actor, d.project, labeling.LeaseRequest{Page: "00000000-0000-4000-8000-000000000001"})
	if err != nil {
		t.Fatal(err)
	}
	_ = batch // both have answers: nothing is offered
	s.put("a.png", "png third")
	if _, err := open(); !fault.Is(err, fault.Conflict) {
		t.Fatal(err)
	}
	if got := d.events(labeling.EventMediaChanged); len(got) != 2 {
		t.Fatalf("another digest is another event: %v", got)
	}
	s.take("a.png")
	if _, err := open(); !fault.Is(err, fault.NotFound) || len(d.events(labeling.EventMediaGone)) != 1 {
		t.Fatalf("an object that is gone: %v", err)
	}
	s.mu.Lock()
	s.away = true
	s.mu.Unlock()
	if _, err := open(); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("a directory that is away says nothing about what is in it: %v", err)
	}
	s.mu.Lock()
	s.away = false
	s.mu.Unlock()
	s.put("a.png", "png a")
	if got, err := open(); got != "png a" || err != nil || len(d.events(labeling.EventMediaRestored)) != 1 {
		t.Fatalf("back again: %q (%v), %v", got, err, d.events(labeling.EventMediaRestored))
	}
	if h, err := d.Item(ctx, d.actor, d.project, id); err != nil || h.Item.Media.Fault != (labeling.MediaFault{}) {
		t.Errorf("fault %+v (%v)", h.Item.Media.Fault, err)
	}
}

func TestACheckFindsWhatChangedAndGoesOnWhereItDied(t *testing.T) {
	t.Parallel()
	d, s, _ := gallery(t)
	ctx := t.Context()
	rows := &strings.Builder{}
	rows.WriteString("image\n")
	for n := range 120 {
		name := fmt.Sprintf("many/%03d.png", n)
		s.put(name, "png "+name)
		fmt.Fprintln(rows, name)
	}
	if i := d.bring("many.csv", rows.String(), labeling.StartImportRequest{Dataset: "many", Header: labeling.HeaderYes, Mapping: labeling.Mapping{Media: "image"}}); i.Added != 120 {
		t.Fatalf("%d added: %s", i.Added, d.problems(i))
	}
	s.put("many/007.png", "png other")
	s.take("many/119.png")
	r, err := d.CheckMedia(ctx, d.actor, d.project, "many")
	if err != nil || r.Check.Of != 120 {
		t.Fatalf("%+v (%v)", r.Check, err)
	}
	died, cancel := context.WithCancel(ctx)
	payload, _ := json.Marshal(map[string]any{"Dataset": r.Dataset.ID})
	s.mu.Lock()
	s.looks = 0
	s.mu.Unlock()
	cancel()
	if err := d.RunMediaCheck(died, payload); err == nil {
		t.Fatal("a check goes on without its server")
	}
	d.work()
	if r, err = d.MediaReport(ctx, d.actor, d.project, "many"); err != nil {
		t.Fatal(err)
	}
	if r.Check.Done != 120 || r.Check.Faults != 2 || r.Check.Missed != 0 || r.Check.FinishedAt.IsZero() || r.Faulty != 2 || len(r.Faults) != 2 {
		t.Fatalf("report %+v", r)
	}
	if r.Faults[0].Media.URI != "many/007.png" || r.Faults[0].Media.Fault.State != labeling.MediaChanged || r.Faults[1].Media.Fault.State != labeling.MediaGone {
		t.Errorf("faults %+v %+v", r.Faults[0].Media, r.Faults[1].Media)
	}
	if got := d.events(labeling.EventMediaChecked); len(got) != 1 {
		t.Errorf("events %v", got)
	}
	s.put("many/007.png", "png many/007.png")
	if _, err = d.CheckMedia(ctx, d.actor, d.project, "many"); err != nil {
		t.Fatal(err)
	}
	d.work()
	if r, err = d.MediaReport(ctx, d.actor, d.project, "many"); err != nil || r.Faulty != 1 {
		t.Errorf("%d faults (%v)", r.Faulty, err)
	}
}

// otherServer is a server of the same installation whose operator named no place.
func (d *desk) otherServer(now func() time.Time) *labeling.Service {
	c := d.Config
	c.Media, c.Now = nil, now
	return labeling.New(c)
}

func TestAServerWithoutPlacesLeavesACheckToOneThatHasSome(t *testing.T) {
	t.Parallel()
	d, s, _ := gallery(t)
	now := time.Now()
	other := d.otherServer(func() time.Time { return now })
	s.take("a.png")
	r, err := d.CheckMedia(t.Context(), d.actor, d.project, "animals")
	if err != nil {
		t.Fatal(err)
	}
	payload, _ := json.Marshal(map[string]any{"Dataset": r.Dataset.ID})
	for range 3 {
		if err := other.RunMediaCheck(t.Context(), payload); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("the check must go back for the other server: %v", err)
		}
		now = now.Add(time.Minute)
	}
	if r, err = d.MediaReport(t.Context(), d.actor, d.project, "animals"); err != nil || !r.Check.FinishedAt.IsZero() {
		t.Fatalf("%+v (%v)", r.Check, err)
	}
	d.work()
	now = now.Add(time.Hour)
	if err := other.RunMediaCheck(t.Context(), payload); err != nil {
		t.Errorf("a check that is over needs nobody: %v", err)
	}
	r, err = d.MediaReport(t.Context(), d.actor, d.project, "animals")
	if err != nil || r.Check.FinishedAt.IsZero() || r.Check.Done != 2 || r.Check.Faults != 1 || r.Check.Missed != 0 {
		t.Errorf("%+v (%v)", r.Check, err)
	}
}

func TestACheckThatNoServerCanDoEndsAndSaysSo(t *testing.T) {
	t.Parallel()
	d, _, _ := gallery(t)
	now := time.Now()
	other := d.otherServer(func() time.Time { return now })
	r, err := d.CheckMedia(t.Context(), d.actor, d.project, "animals")
	if err != nil {
		t.Fatal(err)
	}
	payload, _ := json.Marshal(map[string]any{"Dataset": r.Dataset.ID})
	if err := other.RunMediaCheck(t.Context(), payload); !fault.Is(err, fault.Unavailable) {
		t.Fatal(err)
	}
	now = now.Add(6 * time.Minute)
	if err := other.RunMediaCheck(t.Context(), payload); err != nil {
		t.Fatal(err)
	}
	r, err = d.MediaReport(t.Context(), d.actor, d.project, "animals")
	if err != nil || r.Check.FinishedAt.IsZero() || r.Check.Of != 2 || r.Check.Done != 2 || r.Check.Faults != 0 || r.Check.Missed != 2 || r.Faulty != 0 {
		t.Errorf("%+v (%v)", r.Check, err)
	}
	d.work() // the order that is left changes nothing
	if got := d.events(labeling.EventMediaChecked); len(got) != 1 || !strings.Contains(got[0], `"unreachable":2`) {
		t.Errorf("events %v", got)
	}
	// A new check does what this one could not.
	if _, err := d.CheckMedia(t.Context(), d.actor, d.project, "animals"); err != nil {
		t.Fatal(err)
	}
	d.work()
	if r, err = d.MediaReport(t.Context(), d.actor, d.project, "animals"); err != nil || r.Check.Missed != 0 || r.Check.FinishedAt.IsZero() {
		t.Errorf("%+v (%v)", r.Check, err)
	}
}

// Without a key in the file, the same file again makes the same items, whatever
// became of the objects.
func TestTheSameReferencesAgainChangeNothing(t *testing.T) {
	t.Parallel()
	d, s, _ := gallery(t)
	s.put("a.png", "png other")
	i := d.bring("pictures.csv", "image,caption,label\na.png,,cat\nb.png,a dog,dog\n",
		labeling.StartImportRequest{Dataset: "animals", Mapping: labeling.Mapping{Media: "image", Text: "caption", Label: "label"}})
	if i.Added != 0 || i.Unchanged != 2 {
		t.Errorf("%d added, %d unchanged", i.Added, i.Unchanged)
	}
}

func TestAServerWithoutPlacesRefusesReferencesByLine(t *testing.T) {
	t.Parallel()
	d := newDesk(t, storetest.New(t))
	i := d.bring("pictures.csv", "image\na/b.png\n", labeling.StartImportRequest{Dataset: "animals", Header: labeling.HeaderYes, Mapping: labeling.Mapping{Media: "image"}})
	if got := d.problems(i); i.Added != 0 || !strings.Contains(got, "serve --media NAME=DIR") {
		t.Errorf("%d added: %s", i.Added, got)
	}
}

func TestSnapshotsAndExportsCarryReferencesAndDigests(t *testing.T) {
	t.Parallel()
	d, _, items := gallery(t)
	ctx := t.Context()
	snap, err := d.CreateSnapshot(ctx, d.actor, d.project, labeling.CreateSnapshotRequest{Datasets: []string{"animals"}})
	if err != nil {
		t.Fatal(err)
	}
	d.work()
	var lines, sheet bytes.Buffer
	if err := d.ExportSnapshot(ctx, d.actor, d.project, string(snap.ID), labeling.FormatJSONL, &lines); err != nil {
		t.Fatal(err)
	}
	if want := `"media":"a.png","media_digest":"` + string(items[0].Media.Digest) + `","text":""}`; !strings.Contains(lines.String(), want) {
		t.Errorf("rows:\n%s\nwant %s", lines.String(), want)
	}
	if err := d.ExportDataset(ctx, d.actor, d.project, "animals", labeling.FormatCSV, &sheet); err != nil {
		t.Fatal(err)
	}
	if want := ",a dog,dog,accepted,b.png," + string(items[1].Media.Digest); !strings.HasPrefix(sheet.String(), "key,text,label,status,media,media_digest\n") || !strings.Contains(sheet.String(), want) {
		t.Errorf("sheet:\n%s\nwant %s", sheet.String(), want)
	}
}

// A snapshot of texts is what it was before items could refer to objects, to the
// byte: its digests stand in signatures.
func TestASnapshotOfTextsStaysAsItWas(t *testing.T) {
	t.Parallel()
	row := labeling.SnapshotRow{Key: "17", Content: ledger.DigestOf([]byte("x")), Text: "x", Answer: "a"}
	want := `{"answer":"a","content":"` + string(ledger.DigestOf([]byte("x"))) + `","key":"17","text":"x"}` + "\n"
	if got := string(row.AppendJSON(nil)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestColumnsOfReferencesAreGuessed(t *testing.T) {
	t.Parallel()
	rows := func(values ...string) []labeling.Record {
		var list []labeling.Record
		for _, v := range values {
			var r labeling.Record
			for cell := range strings.SplitSeq(v, "|") {
				r.Values = append(r.Values, labeling.Value{Text: cell, Present: true})
			}
			list = append(list, r)
		}
		return list
	}
	for name, c := range map[string]struct {
		columns []string
		rows    []labeling.Record
		want    labeling.Mapping
	}{
		"a picture and its class":    {[]string{"image", "label"}, rows("scans/1.jpg|cat", "scans/2.JPG|dog"), labeling.Mapping{Media: "image", Label: "label"}},
		"with a text":                {[]string{"file", "text"}, rows("media://scans/1.png|what it says"), labeling.Mapping{Media: "file", Text: "text"}},
		"an address":                 {[]string{"url", "id"}, rows("https://x.org/a.webp?size=2|1"), labeling.Mapping{Media: "url", Key: "id"}},
		"a path that is none":        {[]string{"path", "text"}, rows("/home/ana|words"), labeling.Mapping{Text: "text"}},
		"a file of another kind":     {[]string{"file", "text"}, rows("a/b.pdf|words"), labeling.Mapping{Text: "text"}},
		"one value that is no place": {[]string{"image", "text"}, rows("a/b.png|words", "none|words"), labeling.Mapping{Text: "text"}},
	} {
		if got := labeling.GuessMapping(c.columns, c.rows); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
