//go:build e2e

package app

import (
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store/storetest"
)

// walkData is what the walk runs on: files as people have them, and what is
// known of them.
type walkData struct {
	train, test, fresh string            // paths; fresh has no labels
	truth              map[string]string // text to class, of fresh
	trained, tested    int               // items
	accuracy           float64           // the better model reaches at least this on test
}

// The whole loop, as people walk it: import, label by keys alone, snapshot, two
// trainings, a comparison, two votes, the gate, and tampering that closes it.
func TestTheWholeLoop(t *testing.T) {
	t.Parallel()
	t.Run("on the demo's questions", func(t *testing.T) {
		t.Parallel()
		walk(t, demoWalk(t), "")
	})
	t.Run("on the demo's questions, on PostgreSQL", func(t *testing.T) {
		t.Parallel()
		walk(t, demoWalk(t), storetest.Postgres(t))
	})
	t.Run("on banking77", func(t *testing.T) {
		t.Parallel()
		folder := os.Getenv("ADJUDGE_REALDATA")
		if folder == "" {
			folder = "../../shared/data"
		}
		if _, err := os.Stat(filepath.Join(folder, "banking77")); err != nil {
			t.Skipf("the real data is not here (%v); name its folder in ADJUDGE_REALDATA", err)
		}
		walk(t, bankingWalk(t, filepath.Join(folder, "banking77")), "")
	})
}

func demoWalk(t *testing.T) walkData {
	d := walkData{truth: map[string]string{}, trained: 500, tested: 300, accuracy: 0.7}
	rows := func(prefix string, n int, seed uint64, labels bool) [][]string {
		all := [][]string{{"text", "category"}}
		for _, q := range demoQuestions(prefix, n, seed, 0.3) {
			row := []string{q.Text, q.Class}
			if !labels {
				d.truth[q.Text], row = q.Class, row[:1]
			}
			all = append(all, row)
		}
		if !labels {
			all[0] = all[0][:1]
		}
		return all
	}
	d.train = writeCSV(t, "train.csv", rows("a", d.trained, 1, true))
	d.test = writeCSV(t, "test.csv", rows("b", d.tested, 2, true))
	d.fresh = writeCSV(t, "fresh.csv", rows("c", 60, 3, false))
	return d
}

// bankingWalk is the real data: 10,003 questions with labels, 3,080 to measure
// on, and the first 200 once more without their labels.
func bankingWalk(t *testing.T, folder string) walkData {
	d := walkData{train: filepath.Join(folder, "train.csv"), test: filepath.Join(folder, "test.csv"), truth: map[string]string{},
		trained: 10003, tested: 3080, accuracy: 0.88}
	file, err := os.Open(d.train)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	all, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	fresh := [][]string{{"text"}}
	for _, row := range all[1:201] {
		fresh = append(fresh, row[:1])
		d.truth[strings.TrimSpace(row[0])] = row[1]
	}
	d.fresh = writeCSV(t, "fresh.csv", fresh)
	return d
}

func writeCSV(t *testing.T, name string, rows [][]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := csv.NewWriter(file)
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// walk takes the loop on a database; empty is the SQLite file of the data directory.
func walk(t *testing.T, d walkData, database string) {
	var flags []string
	if database != "" {
		flags = []string{"--database", database}
	}
	s := startSite(t, flags...)
	ada := s.firstAdmin("Ada")

	// A project, and three datasets from files.
	ada.open("/projects/new")
	ada.fill("Name", "Bank support")
	ada.submit()
	ada.bringIn(d.train, "train", "")
	ada.wait(`document.querySelector("main").innerText.includes("Done")`)
	ada.bringIn(d.test, "test", "Evaluation")
	ada.wait(`document.querySelector("main").innerText.includes("Done")`)
	ada.bringIn(d.fresh, "fresh", "")
	ada.wait(`document.querySelector("main").innerText.includes("Done")`)

	// An evaluation dataset never enters a training snapshot with others.
	ada.open("/projects/bank-support/snapshots")
	ada.forgive(`422`)
	ada.freeze("mixed", "train", "test")
	ada.waitText(".error, .banner", "valuation")
	ada.open("/projects/bank-support/snapshots")
	ada.freeze("train-1", "train")
	ada.open("/projects/bank-support/snapshots")
	ada.freeze("test-1", "test")
	ada.open("/projects/bank-support/snapshots")
	ada.wait(`[...document.querySelectorAll("main tr")].filter((r) => /(train|test)-1/.test(r.innerText) && r.innerText.includes("Ready")).length === 2`)
	ada.looks("walk-snapshots")

	// A first model on what came with labels: its suggestions order the queue.
	ada.train("train-1", map[string]string{"epochs": "1", "word_ngrams": "1", "char_max": "0"})
	ada.looks("walk-run")

	// Fifty answers by keys alone.
	ada.open("/projects/bank-support/label?dataset=fresh")
	ada.answerFifty(d.truth)
	ada.looks("walk-label")

	// The labels of today in a second snapshot, and a better model from it.
	ada.open("/projects/bank-support/snapshots")
	ada.freeze("train-2", "train", "fresh")
	ada.open("/projects/bank-support/snapshots")
	// (What stands in both datasets counts once.)
	ada.wait(`[...document.querySelectorAll("main tr")].some((r) => r.innerText.includes("train-2") && r.innerText.includes("Ready"))`)
	ada.train("train-2", nil)
	better := accuracyOf(t, s, "text-linear@1", "text-linear@2")
	if better < d.accuracy {
		t.Errorf("the better model is right on %.4f of the evaluation items; %.2f at least was expected", better, d.accuracy)
	}

	// The comparison says in words which one is better and how sure that is.
	ada.open("/projects/bank-support/compare")
	ada.pick("baseline", "text-linear@1")
	ada.pick("candidate", "text-linear@2")
	ada.pick("snapshot", "test-1")
	ada.submit()
	ada.waitText("main", "on "+group(d.tested)+" items")
	ada.looks("walk-compare")
	if says := ada.text("main h2, main .verdict"); says == "" {
		t.Error("the comparison has no sentence")
	}

	// Three accounts: one proposes, two vote.
	s.person("nora", "bank-support", "reviewer")
	s.person("omar", "bank-support", "approver")
	s.person("dana", "bank-support", "data_scientist")
	dana := s.signIn("dana")
	dana.open("/projects/bank-support/candidates/2")
	dana.click("link", "Propose it")
	dana.wait(`document.querySelector('textarea[name="note"]')`)
	dana.submit()
	if code, said := s.exitCode("gate", "2", "--project", "bank-support"); code != 1 || !strings.Contains(said, "Nora") {
		t.Errorf("before the votes the gate answers %d: %s", code, said)
	}
	for _, name := range []string{"nora", "omar"} {
		v := s.signIn(name)
		v.open("/projects/bank-support/candidates/2/vote")
		v.sign("safe", "I looked at what changed.", password)
		v.waitText("main", "safe")
		if name == "omar" {
			v.wait(`document.querySelector("#gate .gateanswer.open")`)
			v.looks("walk-approved")
		}
	}
	open := func(when string, want int) {
		t.Helper()
		if code, said := s.exitCode("gate", "2", "--project", "bank-support"); code != want {
			t.Errorf("%s the gate answers %d, want %d: %s", when, code, want, said)
		}
	}
	open("after the votes", 0)

	// The signature verifies offline, for these bytes only.
	var model struct {
		Digest string `json:"digest"`
		Files  []struct {
			Path   string        `json:"path"`
			Size   int64         `json:"size"`
			Digest ledger.Digest `json:"digest"`
		} `json:"files"`
	}
	if err := json.Unmarshal([]byte(s.run("model", "show", "text-linear@2", "--project", "bank-support", "--json")), &model); err != nil {
		t.Fatal(err)
	}
	evidence := filepath.Join(t.TempDir(), "evidence")
	s.run("evidence", "export", "2", "--project", "bank-support", "-o", evidence)
	verify := func(subject string) int {
		code, _ := s.exitCode("verify", "--key", filepath.Join(evidence, "adjudge.pub"), "--environment", "production", "--subject", subject, evidence)
		return code
	}
	if right, wrong := verify(model.Digest), verify("sha256:"+strings.Repeat("0", 64)); right != 0 || wrong != 1 {
		t.Errorf("verify answers %d for the model and %d for another", right, wrong)
	}

	// One byte of the model, or one vote in the database, turns the answer.
	if len(model.Files) == 0 {
		t.Fatal("the model has no files")
	}
	hex := model.Files[len(model.Files)-1].Digest.Hex()
	path := filepath.Join(s.data, "blobs", hex[:2], hex)
	flipByte(t, path)
	open("with a changed byte of the model", 1)
	flipByte(t, path)
	open("with the byte as it was", 0)
	tamper(t, s, database, `UPDATE vote SET value = value + 1 WHERE seq = 1`)
	open("with a changed vote", 1)
	tamper(t, s, database, `UPDATE vote SET value = value - 1 WHERE seq = 1`)
	open("with the vote as it was", 0)
}

// bringIn imports a file through the page: choose, check, start.
func (v *visitor) bringIn(path, dataset, purpose string) {
	v.t.Helper()
	v.open("/projects/bank-support/import")
	v.upload("#file", path) // which sends it
	v.wait(`location.pathname.includes("/imports/") && document.readyState === "complete" && document.querySelector('input[name="dataset"]')`)
	v.set("dataset", dataset)
	if purpose != "" {
		v.click("radio", purpose+"…")
	}
	ask[bool](v, `(() => { const box = document.querySelector('input[name="add"][type="checkbox"]'); if (box && !box.checked) box.click(); return true; })()`)
	v.submit()
}

// freeze makes a snapshot of datasets through the page.
func (v *visitor) freeze(name string, datasets ...string) {
	v.t.Helper()
	ask[bool](v, `(() => { for (const box of document.querySelectorAll('input[name="dataset"]:checked')) box.click(); return true; })()`)
	for _, d := range datasets {
		ask[bool](v, fmt.Sprintf(`(() => { [...document.querySelectorAll('input[name="dataset"]')].find((box) => box.closest("label").querySelector("bdi").innerText === %q).click(); return true; })()`, d))
	}
	v.set("name", name)
	v.submit()
}

// pick chooses in a list by what it shows.
func (v *visitor) pick(field, option string) {
	v.t.Helper()
	found := ask[bool](v, fmt.Sprintf(`(() => {
		const list = document.querySelector('select[name=%q]');
		const o = [...list.options].find((o) => o.innerText.includes(%q));
		if (!o) return false;
		list.value = o.value;
		list.dispatchEvent(new Event("change", { bubbles: true }));
		return true; })()`, field, option))
	if !found {
		v.t.Fatalf("the list %q offers no %q:\n%s", field, option, v.text(fmt.Sprintf("select[name=%q]", field)))
	}
}

// train trains on a snapshot through the page and waits for the model and for
// what it says about the items.
func (v *visitor) train(snapshot string, params map[string]string) {
	v.t.Helper()
	v.open("/projects/bank-support/train")
	v.pick("snapshot", snapshot)
	for name, value := range params {
		v.set("params."+name, value)
	}
	v.submit()
	v.wait(`[...document.querySelectorAll("main .badge")].some((b) => b.innerText.includes("Succeeded"))`)
	v.wait(`fetch("/projects/bank-support/models").then((r) => r.text()).then((t) => { const d = new DOMParser().parseFromString(t, "text/html"); const rows = [...d.querySelectorAll("main tbody tr")]; return rows.length > 0 && rows.every((r) => /\d\.\d\s%/.test(r.textContent)); })`)
}

// answerFifty labels fifty items by keys alone: the key of the class where it
// has one, else "/" and its name.
func (v *visitor) answerFifty(truth map[string]string) {
	v.t.Helper()
	for range 50 {
		v.ready()
		text := v.shown()
		class, known := truth[strings.TrimSpace(text)]
		if !known {
			v.t.Fatalf("nobody imported %q", text)
		}
		key := ask[string](v, fmt.Sprintf(`(() => {
			const answer = [...document.querySelectorAll(".label-card:not([hidden]) .label-answer")].find((a) => a.querySelector(".name").textContent === %q);
			return answer?.querySelector("kbd")?.textContent.trim().toLowerCase() ?? ""; })()`, class))
		if key != "" {
			v.answer(key)
			continue
		}
		v.press("/")
		v.wait(`document.querySelector("dialog[open]")`)
		for _, c := range class {
			v.press(string(c))
		}
		v.press("Enter")
		v.wait(fmt.Sprintf(`(document.querySelector(".label-card:not([hidden]) .label-text")?.innerText ?? "") !== %q`, text))
	}
	v.allSaved()
}

// group writes a number as pages do: 10,003.
func group(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// accuracyOf returns how often the candidate of a comparison is right.
func accuracyOf(t *testing.T, s *site, baseline, candidate string) float64 {
	t.Helper()
	var compared struct {
		Comparison struct {
			Metrics []struct {
				Name      string
				Candidate struct{ Value float64 }
			}
		}
	}
	out := s.run("compare", baseline, candidate, "--project", "bank-support", "--snapshot", "test-1", "--json")
	if err := json.Unmarshal([]byte(out), &compared); err != nil || len(compared.Comparison.Metrics) == 0 {
		t.Fatalf("the comparison says nothing: %v\n%s", err, out)
	}
	return compared.Comparison.Metrics[0].Candidate.Value
}

func flipByte(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// tamper changes the database behind the server's back.
func tamper(t *testing.T, s *site, database, statement string) {
	t.Helper()
	driver := "pgx"
	if database == "" {
		driver, database = "sqlite", "file:"+filepath.Join(s.data, "adjudge.db")+"?_pragma=busy_timeout(30000)"
	}
	db, err := sql.Open(driver, database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	result, err := db.Exec(statement)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := result.RowsAffected(); n != 1 {
		t.Fatalf("%s changed %d rows", statement, n)
	}
}
