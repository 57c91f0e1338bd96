//go:build e2e

package app

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// compared is a project with two models whose answers are known: of 60 items
// in three classes the keywords model misses every fifth, the network every
// seventh, and each takes the next class for the right one.
func compared(t *testing.T) (s *site, v *visitor, path string) {
	t.Helper()
	s = startSite(t)
	v = s.firstAdmin("Ada")
	test := moods(t, "test", 0, 60)
	s.run("import", "--project", "bank", "--dataset", "test", "--purpose", "evaluation", test)
	s.run("snapshot", "create", "--project", "bank", "--dataset", "test", "--name", "exam")
	s.run("predict", "import", "--project", "bank", "--model", "keywords", "--snapshot", "exam", missing(t, test, 5))
	s.run("predict", "import", "--project", "bank", "--model", "network", "--snapshot", "exam", missing(t, test, 7))
	return s, v, comparisonPath(t, s, "bank", "keywords", "network", "exam")
}

// missing writes predictions for a file of items, wrong in every nth.
func missing(t *testing.T, items string, nth int) string {
	t.Helper()
	file, err := os.Open(items)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	next := map[string]string{"refund": "arrival", "arrival": "pin", "pin": "refund"}
	answers := [][]string{{"key", "class"}}
	for i, row := range rows[1:] {
		class := row[2]
		if i%nth == 0 {
			class = next[class]
		}
		answers = append(answers, []string{row[0], class})
	}
	return writeCSV(t, fmt.Sprintf("every%d.csv", nth), answers)
}

// comparisonPath compares two models and returns the path of the page.
func comparisonPath(t *testing.T, s *site, project, baseline, candidate, snapshot string) string {
	t.Helper()
	var record struct{ ID string }
	out := s.run("compare", baseline, candidate, "--project", project, "--snapshot", snapshot, "--json")
	if err := json.Unmarshal([]byte(out), &record); err != nil || record.ID == "" {
		t.Fatalf("the comparison has no id: %v\n%s", err, out)
	}
	return "/projects/" + project + "/compare/" + strings.TrimPrefix(record.ID, "sha256:")
}

// keysShown returns the keys of the items in the list of a comparison.
func (v *visitor) keysShown() string {
	v.t.Helper()
	return ask[string](v, `[...document.querySelectorAll(".compared-item")].map((e) => e.dataset.key).join(" ")`)
}

// filtered waits until the list shows only items of an outcome, and returns their number.
func (v *visitor) filtered(outcome string) int {
	v.t.Helper()
	v.wait(fmt.Sprintf(`(() => { const all = [...document.querySelectorAll(".compared-item .badge")]; return all.length > 0 && all.every((b) => b.innerText.trim() === %q); })()`, outcome))
	return ask[int](v, `document.querySelectorAll(".compared-item").length`)
}

func TestAComparisonIsReadAndFilteredByKeys(t *testing.T) {
	t.Parallel()
	s, v, path := compared(t)
	ada := byKeys(v)
	ada.open(path)
	// 12 wrong by every fifth, 9 by every seventh, 2 by both (0 and 35).
	ada.waitText("#verdict", "No decisive difference on 60 items")
	ada.waitText(".verdict", "The candidate won 10 items and lost 7")
	ada.looks("compare")

	ada.step("walk the items")
	ada.keys("j")
	first := ask[string](v, `document.activeElement.dataset.key`)
	ada.keys("j", "j")
	if got := ask[string](v, `[...document.querySelectorAll(".compared-item")].indexOf(document.activeElement).toString()`); got != "2" {
		t.Errorf("three times J leads to item %s", got)
	}
	ada.keys("k", "k")
	if got := ask[string](v, `document.activeElement.dataset.key`); got != first {
		t.Errorf("K leads back to %q, not %q", got, first)
	}
	ada.seen(ada.at())
	if got := ask[string](v, `[...document.querySelectorAll(".compared-item .badge")].slice(0, 17).map((b) => b.innerText.trim()).filter((w) => w === "Lost" || w === "Won").length.toString()`); got != "17" {
		t.Errorf("of the first 17 items %s are disagreements", got)
	}

	ada.step("filter by a quadrant")
	ada.open(path)
	ada.skip()
	ada.reach("link", "Only the baseline 7")
	ada.keys("Enter")
	ada.wait(`new URLSearchParams(location.search).get("outcome") === "lost"`)
	if n := ada.filtered("Lost"); n != 7 {
		t.Errorf("%d items were lost, want 7", n)
	}
	ada.stands("link", "Only the baseline 7")
	if !ask[bool](v, `document.activeElement.getAttribute("aria-current") === "true"`) {
		t.Error("the quadrant does not say that it is chosen")
	}
	lost := ada.path()
	ada.looks("compare-lost")

	ada.step("narrow it by a cell of the heat map")
	ada.reach("link", "refund taken for arrival…")
	ada.keys("Enter")
	ada.wait(`new URLSearchParams(location.search).get("class") === "refund" && document.querySelector(".heatmap a[aria-current]")`)
	ada.stands("link", "refund taken for arrival…")
	cell := ada.path()
	cellKeys := ada.keysShown()

	ada.step("back and forward")
	ada.keys("Alt+ArrowLeft")
	ada.wait(fmt.Sprintf(`location.pathname + location.search === %q && !document.querySelector(".heatmap a[aria-current]")`, lost))
	ada.filtered("Lost")
	ada.keys("Alt+ArrowRight")
	ada.wait(fmt.Sprintf(`location.pathname + location.search === %q && document.querySelector(".heatmap a[aria-current]")`, cell))
	if got := ada.keysShown(); got != cellKeys {
		t.Errorf("forward shows %q, before it was %q", got, cellKeys)
	}

	// Somebody else opens the address and sees the same.
	s.person("rita", "bank", "reviewer")
	rita := s.signIn("rita")
	rita.open(cell)
	if got := rita.keysShown(); got != cellKeys {
		t.Errorf("the same address shows %q to somebody else, not %q", got, cellKeys)
	}
	if got, want := rita.text("#items-title"), ada.text("#items-title"); got != want {
		t.Errorf("the same address says %q to somebody else, not %q", got, want)
	}

	ada.step("read the numbers behind the charts")
	ada.open(path)
	ada.skip()
	ada.reach("DisclosureTriangle", "The numbers behind it")
	ada.keys("Enter")
	ada.wait(`document.querySelector(".differences details[open] table")`)
	if got := strings.ReplaceAll(ada.text(".differences details table"), "\u202f", " "); !strings.Contains(got, "Accuracy") || !strings.Contains(got, "80.0 %") || !strings.Contains(got, "85.0 %") {
		t.Errorf("the table of numbers says %q", got)
	}
	ada.reach("DisclosureTriangle", "Largest changes as a table")
	ada.keys("Enter")
	ada.wait(`document.querySelector(".heat details[open] table tbody tr")`)
	if sum := ask[int](v, `[...document.querySelectorAll(".heat details table tbody tr td:last-child")].reduce((n, c) => n + Number(c.innerText.replace("−", "-")), 0)`); sum != 0 {
		t.Errorf("the changes of the table sum up to %d: some answer is missing", sum)
	}
	ada.told("ada")
}

// A comparison over 77 classes shows the ones that changed most and all on demand.
func TestAComparisonOfManyClassesBeginsWithTheWorst(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	v := s.firstAdmin("Ada")
	items, keyword, network := [][]string{{"key", "text", "label"}}, [][]string{{"key", "class"}}, [][]string{{"key", "class"}}
	for i := range 77 * 4 {
		class := fmt.Sprintf("class %02d", i%77)
		key := fmt.Sprint(i)
		items = append(items, []string{key, fmt.Sprintf("Question %d of %s", i, class), class})
		a, b := class, class
		if i%77 < 20 && i < 77*(i%77/10+1) { // the first twenty classes change, ten of them twice as much
			a = fmt.Sprintf("class %02d", (i%77+1)%77)
		}
		if i%77 == 70 {
			b = "class 71"
		}
		keyword, network = append(keyword, []string{key, a}), append(network, []string{key, b})
	}
	s.run("import", "--project", "bank", "--dataset", "test", "--purpose", "evaluation", writeCSV(t, "items.csv", items))
	s.run("snapshot", "create", "--project", "bank", "--dataset", "test", "--name", "exam")
	s.run("predict", "import", "--project", "bank", "--model", "keywords", "--snapshot", "exam", writeCSV(t, "keywords.csv", keyword))
	s.run("predict", "import", "--project", "bank", "--model", "network", "--snapshot", "exam", writeCSV(t, "network.csv", network))
	ada := byKeys(v)
	ada.open(comparisonPath(t, s, "bank", "keywords", "network", "exam"))
	heads := `document.querySelectorAll(".heatmap .axis").length`
	if got := ask[int](v, heads); got != 12 {
		t.Errorf("the map begins with %d classes", got)
	}
	if !ask[bool](v, `[...document.querySelectorAll(".heatmap a")].some((a) => a.getAttribute("aria-label").startsWith("class 70"))`) {
		t.Error("the class that lost most is not among them")
	}
	ada.looks("compare-77")
	ada.skip()
	ada.reach("link", "Show all 77 classes")
	ada.keys("Enter")
	ada.wait(heads + " === 77")
	ada.stands("link", "Show the most different classes")
	ada.looks("compare-77-all")
	ada.keys("Enter")
	ada.wait(heads + " === 12")
	ada.stands("link", "Show all 77 classes")
}
