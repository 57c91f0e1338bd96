package labeling_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/labeling"
)

// state describes the items of the project as "key:status:class".
func (d *desk) state() string {
	d.t.Helper()
	p, err := d.Project(d.t.Context(), d.actor, string(d.project))
	if err != nil {
		d.t.Fatal(err)
	}
	var out []string
	for _, status := range labeling.Statuses() {
		page, err := d.Items(d.t.Context(), d.actor, d.project, labeling.ItemFilter{Status: status}, labeling.PageRequest{})
		if err != nil {
			d.t.Fatal(err)
		}
		for _, i := range page.Items {
			out = append(out, fmt.Sprintf("%s:%s:%s", i.Key, i.Status, p.Schema.Name(i.Label)))
		}
	}
	return strings.Join(out, " ")
}

func TestWhatIsDoneToManyItemsCanBeTakenBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := newDesk(t, s)
		d.bring("a.csv", "text,label,id\na,x,1\nb,y,2\nc,,3\n", labeling.StartImportRequest{Dataset: "d", AddClasses: true})
		page, err := d.Items(t.Context(), d.actor, d.project, labeling.ItemFilter{}, labeling.PageRequest{})
		if err != nil || len(page.Items) != 3 || page.Total != 3 || page.TotalOpen || page.Next != 0 {
			t.Fatalf("%+v, %v", page, err)
		}
		before := d.state()
		ids := []labeling.ItemID{page.Items[0].ID, page.Items[2].ID}
		for _, c := range []struct {
			req  labeling.BulkRequest
			want string
		}{
			{labeling.BulkRequest{Action: labeling.BulkRelabel, Class: page.Items[1].Label, Reason: "clear", Items: ids}, "1:accepted:y 2:accepted:y 3:accepted:y"},
			{labeling.BulkRequest{Action: labeling.BulkRequeue, Reason: "once more", Filter: labeling.ItemFilter{Status: labeling.StatusAccepted}}, "1:queued: 2:queued: 3:queued:"},
			{labeling.BulkRequest{Action: labeling.BulkDelete, Items: ids}, "2:accepted:y 1:trashed:x 3:trashed:"},
		} {
			bulk, err := d.ChangeItems(t.Context(), d.actor, d.project, c.req)
			if err != nil || bulk.Items != 2 {
				t.Fatalf("%s: %+v, %v", c.req.Action, bulk, err)
			}
			if got := d.state(); got != c.want {
				t.Errorf("%s: %s, want %s", c.req.Action, got, c.want)
			}
			for range 2 { // twice is as good as once
				if bulk, err = d.UndoBulk(t.Context(), d.actor, d.project, bulk.ID); err != nil || bulk.UndoneAt.IsZero() {
					t.Fatalf("undo %s: %+v, %v", c.req.Action, bulk, err)
				}
			}
			if got := d.state(); got != before {
				t.Errorf("%s taken back: %s, want %s", c.req.Action, got, before)
			}
		}
		h, err := d.Item(t.Context(), d.actor, d.project, ids[0])
		if err != nil || len(h.Annotations) != 2 || h.Annotations[0].Reason != "clear" || h.Annotations[0].State != labeling.AnnotationUndone || h.Annotations[1].State != labeling.AnnotationActive {
			t.Errorf("history = %+v, %v", h.Annotations, err)
		}
		annotator := ledger.Actor{Person: "bob", Scope: ledger.ScopeFull, Roles: map[ledger.ProjectID][]ledger.Role{d.project: {ledger.RoleAnnotator}}}
		if _, err := d.ChangeItems(t.Context(), annotator, d.project, labeling.BulkRequest{Action: labeling.BulkDelete, Items: ids}); !fault.Is(err, fault.Denied) {
			t.Errorf("an annotator deletes: %v", err)
		}
		if _, err := d.ChangeItems(t.Context(), d.actor, d.project, labeling.BulkRequest{Action: labeling.BulkDelete}); !fault.Is(err, fault.Invalid) {
			t.Errorf("nothing is chosen: %v", err)
		}
	})
}

func TestAHoldKeepsItemsFromABulkDeletion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		d := newDesk(t, s)
		var file strings.Builder
		file.WriteString("text,id\n")
		for i := range 150 { // two transactions
			fmt.Fprintf(&file, "text %d,%03d\n", i, i)
		}
		d.bring("a.csv", file.String(), labeling.StartImportRequest{Dataset: "d"})
		items, err := d.Items(t.Context(), d.actor, d.project, labeling.ItemFilter{}, labeling.PageRequest{Limit: 150})
		if err != nil || len(items.Items) != 150 {
			t.Fatalf("%d items, %v", len(items.Items), err)
		}
		var ids []labeling.ItemID
		for _, i := range items.Items {
			ids = append(ids, i.ID)
		}
		last := items.Items[len(items.Items)-1]
		before := d.state()
		for kind, c := range map[string]struct{ id, says string }{
			"item":    {string(last.ID), "A legal hold keeps the item " + last.Key + " (a lawsuit)."},
			"dataset": {string(last.Dataset), "A legal hold on its dataset keeps the item "},
			"project": {string(d.project), "A legal hold on its project keeps the item "},
		} {
			hold := erasure.Hold{Kind: kind, ID: c.id, Reason: "a lawsuit"}
			if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.PlaceHold(hold) }); err != nil {
				t.Fatal(err)
			}
			_, err := d.ChangeItems(t.Context(), d.actor, d.project, labeling.BulkRequest{Action: labeling.BulkDelete, Items: ids})
			if !fault.Is(err, fault.Conflict) || !strings.HasPrefix(fault.Message(err), c.says) {
				t.Errorf("a hold on the %s: %v", kind, err)
			}
			if got := d.state(); got != before {
				t.Errorf("a hold on the %s: what was refused changed something: %s", kind, got)
			}
			// Answers may change, and so may what is not held.
			if _, err := d.ChangeItems(t.Context(), d.actor, d.project, labeling.BulkRequest{Action: labeling.BulkRequeue, Reason: "once more", Items: ids}); err != nil {
				t.Errorf("a hold on the %s keeps items from being queued again: %v", kind, err)
			}
			if kind == "item" {
				rest, err := d.ChangeItems(t.Context(), d.actor, d.project, labeling.BulkRequest{Action: labeling.BulkDelete, Items: ids[:2]})
				if err != nil || rest.Items != 2 {
					t.Errorf("the others: %+v, %v", rest, err)
				}
				if _, err := d.UndoBulk(t.Context(), d.actor, d.project, rest.ID); err != nil {
					t.Error(err)
				}
			}
			if err := s.Update(t.Context(), func(tx *store.Tx) error { _, err := tx.LiftHold(kind, c.id); return err }); err != nil {
				t.Fatal(err)
			}
		}
		bulk, err := d.ChangeItems(t.Context(), d.actor, d.project, labeling.BulkRequest{Action: labeling.BulkDelete, Items: ids})
		if err != nil || bulk.Items != 150 {
			t.Errorf("with all holds lifted: %+v, %v", bulk, err)
		}
	})
}

func TestADifferenceTellsWhatChangedAndWhoSaidIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t, storetest.New(t))
	d.bring("a.csv", "text,label,id\na,x,1\nb,x,2\nc,y,3\n", labeling.StartImportRequest{Dataset: "d", AddClasses: true})
	d.freeze("before", "d")
	page, err := d.Items(t.Context(), d.actor, d.project, labeling.ItemFilter{}, labeling.PageRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ChangeItems(t.Context(), d.actor, d.project, labeling.BulkRequest{Action: labeling.BulkRelabel, Class: page.Items[2].Label, Reason: "seen twice", Items: []labeling.ItemID{page.Items[0].ID}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ChangeItems(t.Context(), d.actor, d.project, labeling.BulkRequest{Action: labeling.BulkDelete, Items: []labeling.ItemID{page.Items[1].ID}}); err != nil {
		t.Fatal(err)
	}
	d.bring("b.csv", "text,label,id\nd,y,4\n", labeling.StartImportRequest{Dataset: "d"})
	d.freeze("after", "d")
	diff, err := d.DiffSnapshots(t.Context(), d.actor, d.project, labeling.DiffRequest{Before: "before", After: "after"})
	if err != nil {
		t.Fatal(err)
	}
	if diff.Relabelled != 1 || diff.Removed != 1 || diff.Added != 1 || diff.Same != 1 || diff.Reworded != 0 || diff.SchemaChanged || diff.More {
		t.Errorf("%+v", diff)
	}
	var got []string
	for _, r := range diff.Rows {
		got = append(got, fmt.Sprintf("%s %s %s>%s %s %s", r.Kind, r.Key, r.Before, r.After, r.By, r.Reason))
	}
	want := "relabelled 1 x>y ana seen twice|removed 2 x>  |added 4 >y ana "
	if strings.Join(got, "|") != want {
		t.Errorf("rows = %q\nwant   %q", strings.Join(got, "|"), want)
	}
	if fmt.Sprint(diff.Balance) != "[{x 0 2 0} {y 1 1 3}]" {
		t.Errorf("balance = %v", diff.Balance)
	}
	few, err := d.DiffSnapshots(t.Context(), d.actor, d.project, labeling.DiffRequest{Before: "before", After: "after", Kinds: []labeling.DiffKind{labeling.DiffAdded, labeling.DiffRemoved}, Limit: 1})
	if err != nil || len(few.Rows) != 1 || !few.More || few.Relabelled != 1 {
		t.Errorf("few = %+v, %v", few, err)
	}
}

func TestColumnsAreGuessedByNameAndContent(t *testing.T) {
	t.Parallel()
	record := func(cells ...string) labeling.Record {
		var r labeling.Record
		for _, c := range cells {
			r.Values = append(r.Values, labeling.Value{Text: c, Present: true})
		}
		return r
	}
	var rows []labeling.Record
	for i := range 20 {
		rows = append(rows, record(fmt.Sprint(i), fmt.Sprintf("a rather long sentence number %d", i), []string{"good", "bad"}[i%2]))
	}
	for name, c := range map[string]struct {
		columns []string
		want    labeling.Mapping
	}{
		"by name":             {[]string{"id", "Question", "Category"}, labeling.Mapping{Text: "Question", Label: "Category", Key: "id"}},
		"by content":          {[]string{"column 1", "column 2", "column 3"}, labeling.Mapping{Text: "column 2", Label: "column 3"}},
		"names of other kind": {[]string{"label", "x", "y"}, labeling.Mapping{Text: "x", Label: "label"}},
		"nothing at all":      {nil, labeling.Mapping{}},
	} {
		if got := labeling.GuessMapping(c.columns, rows); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestFormatsAreGuessed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, head string
		want       labeling.Format
	}{
		"by content":            {"upload", "{\"text\":\"a\"}\n", labeling.FormatJSONL},
		"by name":               {"x.TSV", "a", labeling.FormatTSV},
		"Parquet by its bytes":  {"x.csv", "PAR1", labeling.FormatParquet},
		"commas":                {"x", "a,b\n", labeling.FormatCSV},
		"tabs behind a mark":    {"x", "\ufeffa\tb\n", labeling.FormatTSV},
		"anything else is text": {"x", "hello", labeling.FormatText},
	} {
		if got := labeling.GuessFormat(c.file, []byte(c.head)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
