package web

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
)

type listed30 struct {
	Text string `json:"text"`
}

func TestAListEndsWhereItsAnswerIsFullAndSaysWhereItGoesOn(t *testing.T) {
	t.Parallel()
	rows := make([]int, 30)
	for i := range rows {
		rows[i] = i
	}
	long := strings.Repeat("\x01", 100_000) // 600 KB in JSON
	draw := func(n int) listed30 { return listed30{strconv.Itoa(n) + long} }
	place := func(n int) string { return strconv.Itoa(n) }
	seen := 0
	for pages := 1; ; pages++ {
		page := pageOf(rows[seen:], draw, place, false)
		if n := bytesOf(page); n > mostAnswer+700_000 {
			t.Errorf("page %d has %d bytes", pages, n)
		}
		seen += len(page.Items)
		if page.Next == "" {
			if seen != len(rows) || pages != 3 {
				t.Errorf("%d pages, %d rows", pages, seen)
			}
			break
		}
		if page.Next != place(seen-1) {
			t.Fatalf("next is %s after %d rows", page.Next, seen)
		}
	}
	if page := pageOf(rows[:3], draw, place, true); page.Next != "2" {
		t.Errorf("the store has more, but next is %q", page.Next)
	}
	if page := pageOf(nil, draw, place, true); page.Next != "" || page.Items == nil {
		t.Errorf("an empty page: %+v", page)
	}

	whole := func() *List[listed30] {
		l := &List[listed30]{}
		for _, n := range rows {
			l.Items = append(l.Items, draw(n))
		}
		return l
	}
	after, seen := "", 0
	for {
		l := whole()
		if err := l.from(after); err != nil || bytesOf(l) > mostAnswer+700_000 {
			t.Fatalf("from %q: %d bytes, %v", after, bytesOf(l), err)
		}
		for _, row := range l.Items {
			if !strings.HasPrefix(row.Text, strconv.Itoa(seen)+"\x01") {
				t.Fatalf("row %d is %.4q", seen, row.Text)
			}
			seen++
		}
		if after = l.Next; after == "" {
			break
		}
	}
	if seen != len(rows) {
		t.Errorf("%d rows", seen)
	}
	for _, place := range []string{"x", "7", "-1-ab", "0-ab", "7-ab"} {
		if err := whole().from(place); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q, which is no place, is taken: %v", place, err)
		}
	}
}

type listedByID struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

func TestRowsThatComeOrGoMeanwhileRepeatAndSkipNone(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", mostAnswer/4)
	list := func(ids string) *List[listedByID] {
		l := &List[listedByID]{}
		for _, id := range ids {
			l.Items = append(l.Items, listedByID{string(id), long})
		}
		return l
	}
	first := list("abcdefg")
	if err := first.from(""); err != nil || len(first.Items) != 4 {
		t.Fatalf("%d rows, %v", len(first.Items), err)
	}
	for now, want := range map[string]string{"abcdefg": "efg", "zyabcdefg": "efg", "defg": "efg", "abcdzefg": "zefg", "abcd": "", "abcdf": "f"} {
		l := list(now)
		for i := range l.Items {
			l.Items[i].Text = "worded anew"
		}
		got := ""
		if err := l.from(first.Next); err != nil {
			t.Errorf("%s: %v", now, err)
		}
		for _, row := range l.Items {
			got += row.ID
		}
		if got != want {
			t.Errorf("of %s the next page is %q, not %q", now, got, want)
		}
	}
	if err := list("abcefg").from(first.Next); !fault.Is(err, fault.Invalid) {
		t.Errorf("the row that the page ended with is gone: %v", err)
	}
}

// Every listing of the API takes the place where the page before ended, so that
// none needs to send everything at once.
func TestEveryListingOfTheAPIGoesOnAfterAPlace(t *testing.T) {
	t.Parallel()
	lists := 0
	for path, item := range closed(t, nil).api.OpenAPI().Paths {
		op := item.Get
		if op == nil || op.Responses["200"] == nil {
			continue
		}
		schema := op.Responses["200"].Content["application/json"]
		if schema == nil {
			continue
		}
		body := schema.Schema
		if body.Ref != "" {
			body = closed(t, nil).api.OpenAPI().Components.Schemas.SchemaFromRef(body.Ref)
		}
		if body == nil || body.Properties["items"] == nil || body.Properties["next"] == nil {
			continue
		}
		lists++
		takes := false
		for _, p := range op.Parameters {
			takes = takes || p.In == "query" && (p.Name == "after" || p.Name == "before")
		}
		if !takes {
			t.Errorf("%s lists and takes no place to go on after", path)
		}
	}
	if lists < 15 {
		t.Errorf("only %d listings were looked at", lists)
	}
}

func TestAPlaceIsReadFromTheRequest(t *testing.T) {
	t.Parallel()
	if got := afterIn(withAfter(t.Context(), "7")); got != "7" || afterIn(context.Background()) != "" {
		t.Errorf("after is %q", got)
	}
	if !readWhole[struct{}, Answer[List[int]]]() || readWhole[ItemsInput, Answer[List[int]]]() || readWhole[struct{}, Answer[int]]() {
		t.Error("lists that are read as a whole are not told from others")
	}
}
