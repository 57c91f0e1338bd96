//go:build e2e

package app

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/adjudge/adjudge/backend/web"
)

// startTrainable starts a site with a project "bank" that has a snapshot of
// training items.
func startTrainable(t *testing.T, rows int) *site {
	t.Helper()
	s := startSite(t)
	var csv strings.Builder
	csv.WriteString("key,text,label\n")
	said := [][]string{
		{"my card is lost", "the card does not work", "where is my new card"},
		{"I want my money back", "refund me please", "when does the refund come"},
		{"my transfer failed", "how long does a transfer take", "transfer to a friend"},
	}
	for i := range rows {
		class := []string{"card", "refund", "transfer"}[i%3]
		if i%10 == 9 {
			class = "" // to be predicted
		}
		fmt.Fprintf(&csv, "k%d,\"%s, number %d\",%s\n", i, said[i%3][i/3%3], i, class)
	}
	file := filepath.Join(t.TempDir(), "train.csv")
	if err := os.WriteFile(file, []byte(csv.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run("project", "create", "Bank", "--class", "card", "--class", "refund", "--class", "transfer")
	s.run("import", "--project", "bank", "--dataset", "train", file)
	s.run("snapshot", "create", "--project", "bank", "--dataset", "train")
	return s
}

func TestTrainingIsStartedWatchedAndReadInTheBrowser(t *testing.T) {
	t.Parallel()
	s := startTrainable(t, 900)
	ana := s.firstAdmin("Ana")
	ana.open("/projects/bank/runs")
	ana.waitText("h2", "Nothing was trained yet")
	ana.looks("runs-empty")

	ana.open("/projects/bank/snapshots/1")
	ana.click("link", "Train")
	ana.wait(`location.pathname === "/projects/bank/train"`)
	ana.wait(`document.querySelector("[name='params.epochs']").value === "8"`)
	ana.looks("train")
	ana.forgive("422")
	// A server that is asked by hand still names the field that is wrong.
	ask[bool](ana, `(() => { document.querySelectorAll("input").forEach((i) => { i.removeAttribute("max"); i.removeAttribute("min"); }); return true; })()`)
	ana.set("params.epochs", "9000")
	ana.click("button", "Start training")
	ana.waitText("#params\\.epochs-error", "Epochs: 9000 is out of range; it must lie between 1 and 200.")
	ana.wait(`document.querySelector("[name='params.epochs']").value === "9000" && document.querySelector("[name='params.refit']").checked`)
	ana.set("params.epochs", "150")
	ana.click("button", "Start training")

	// The page shows the run as it goes, without being loaded again.
	ana.wait(`location.pathname === "/projects/bank/runs/1"`)
	ask[bool](ana, `(() => { window.same = true; return true; })()`)
	ana.waitText("run-log li", "epoch 1/150")
	ana.wait(`document.querySelectorAll("run-chart svg[role=img]").length === 2`)
	ana.waitText("run-chart [data-part=sentence]", "validation accuracy went from")
	ana.looks("run-running")
	ana.waitText("#run-state", "Succeeded")
	ana.waitText("#run-actions", "Candidate 1")
	ana.waitText("run-log li", "saved a model with")
	ana.waitText("#run-about", "unlabeled items, so that the next answers come least certain first")
	ana.wait(`window.same === true`)
	ana.looks("run")
	ana.size(1440, 2100)
	ana.screenshot("run-whole")
	ana.size(1440, 900)

	// Search marks, and a line can be linked to.
	ask[bool](ana, `(() => { (() => { const s = document.querySelector("[data-part=search]"); s.value = "epoch 7/"; s.dispatchEvent(new Event("input")); })(); return true; })()`)
	ana.wait(`document.querySelectorAll("run-log mark").length > 0`)
	ana.open("/projects/bank/runs/1#L3")
	ana.wait(`document.querySelector("#L3.at")`)

	ana.open("/projects/bank/runs")
	ana.waitText("table", "text-linear@1")
	ana.looks("runs")
	ana.click("link", "Run 1")
	ana.click("link", "Train again")
	ana.wait(`document.querySelector("[name='params.epochs']").value === "150"`)
}

// flood puts a log of a million lines of 50 bytes in the place of run 1's. One of
// them, line 654321, is an error.
func flood(t *testing.T, s *site) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.data, "adjudge.db")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, statement := range []string{
		`DELETE FROM training_log WHERE fence = 1`,
		`WITH RECURSIVE line(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM line WHERE i < 1000000)
			INSERT INTO training_log (fence, start, stop, body)
			SELECT 1, 50000 * ((i - 1) / 1000), 50000 * ((i - 1) / 1000) + 50000,
				CAST(group_concat(printf('%-49s', CASE i WHEN 654321 THEN 'error: the disk is full at step ' ELSE 'step ' END || i) || char(10), '' ORDER BY i) AS BLOB)
			FROM line GROUP BY (i - 1) / 1000`,
		`UPDATE training_attempt SET log_bytes = 50000000 WHERE fence = 1`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALogOfAMillionLinesIsReadAtAnyPlace(t *testing.T) {
	t.Parallel()
	s := startTrainable(t, 30)
	ana := s.firstAdmin("Ana")
	s.run("train", "--project", "bank", "--recipe", "text-linear", "--snapshot", "1", "--wait")
	flood(t, s)

	// The end is there at once, and what is on the page is a small part.
	ana.open("/projects/bank/runs/1")
	ana.waitText("run-log", "step 1000000")
	ana.waitText("run-log [data-part=words]", "1,000,000 lines. Here are")
	if n := ask[int](ana, `document.querySelectorAll("run-log li").length`); n > 6000 {
		t.Errorf("%d lines are on the page", n)
	}
	ana.looks("run-log-end")

	// An error and a word far away are found, and scrolling goes on from there.
	ana.click("button", "Next error")
	ana.wait(`document.querySelector("#L654321.at.error")`)
	ana.looks("run-log-error")
	ask[bool](ana, `(() => { const s = document.querySelector("[data-part=search]"); s.value = "step 1234 "; s.dispatchEvent(new Event("input")); s.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" })); return true; })()`)
	ana.wait(`document.querySelector("#L1234.at mark")`)
	ask[bool](ana, `(() => { document.querySelector("run-log [data-part=lines]").scrollTop = 0; return true; })()`)
	ana.wait(`document.querySelector("#L1")`)

	// A link leads to its line.
	ana.open("/projects/bank/runs/1#L500000")
	ana.wait(`document.querySelector("#L500000.at")?.textContent.includes("step 500000")`)
	if top := ask[int](ana, `(() => { const box = document.querySelector("run-log [data-part=lines]").getBoundingClientRect(), row = document.querySelector("#L500000").getBoundingClientRect(); return row.top >= box.top && row.bottom <= box.bottom ? 1 : 0; })()`); top != 1 {
		t.Error("the line that was linked to is out of sight")
	}
}

func TestARunIsStoppedWithOneConfirmation(t *testing.T) {
	t.Parallel()
	s := startTrainable(t, 3000)
	ana := s.firstAdmin("Ana")
	// The trainer is halted meanwhile: no hand is too slow for it.
	rig := &trainingRig{t: t, data: s.data}
	run, trainer, _ := rig.amid()
	t.Cleanup(func() { _ = syscall.Kill(trainer, syscall.SIGCONT) })
	ana.open(fmt.Sprintf("/projects/bank/runs/%d", run.Number))
	ana.wait(`document.querySelector("run-log li")`)
	ana.click("button", "Stop")
	ana.wait(`document.querySelector("#stop-run").open`)
	ana.looks("run-stop")
	ana.click("button", "Stop this run")
	rig.until(run.Number, "told to stop", func(r web.RunBody) bool { return r.State == "stopping" || r.Over })
	rig.signal(trainer, syscall.SIGCONT)
	ana.waitText("#run-state", "Stopped on request.")
	ana.wait(`!document.querySelector("#run-actions [data-dialog]")`)
	ana.looks("run-stopped")
}
