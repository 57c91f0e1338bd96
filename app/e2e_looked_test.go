//go:build e2e

package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/review"
)

// What somebody opens is counted while they look, stands on the page of the vote,
// and in the vote that they sign.
func TestE2EWhatAVoterOpensStandsInTheirVote(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.firstAdmin("Ada")
	s.run("import", "--project", "bank", "--dataset", "train", moods(t, "train", 0, 60))
	s.run("snapshot", "create", "--project", "bank", "--dataset", "train")
	s.run("import", "--project", "bank", "--dataset", "test", "--purpose", "evaluation", moods(t, "test", 1000, 30))
	s.run("snapshot", "create", "--project", "bank", "--dataset", "test")
	s.person("rita", "bank", "reviewer")
	s.person("abel", "bank", "approver")
	rita, abel := s.signIn("rita"), s.signIn("abel")
	answers := filepath.Join(t.TempDir(), "answers.csv")
	var csv strings.Builder
	csv.WriteString("key,class\n")
	for i := 1000; i < 1030; i++ {
		fmt.Fprintf(&csv, "test-%d,%s\n", i, []string{"refund", "arrival", "pin"}[i%3])
	}
	if err := os.WriteFile(answers, []byte(csv.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for n, param := range []string{"epochs=1", "epochs=2"} {
		model := fmt.Sprintf("text-linear@%d", n+1)
		s.run("train", "--project", "bank", "--recipe", "text-linear", "--snapshot", "1", "--param", param, "--wait")
		s.run("predict", "import", "--project", "bank", "--model", model, "--snapshot", "2", answers)
		s.run("candidate", "create", "--project", "bank", "--model", model)
		if n == 0 {
			for _, v := range []*visitor{rita, abel} {
				v.open("/projects/bank/candidates/1/vote")
				v.waitText("#looked", "You have not opened anything of it yet.")
				v.looks("looked-nothing")
				v.sign("safe", "Fine.", password)
				v.waitText(".votes", "safe")
			}
		}
	}
	rita.open("/projects/bank/candidates/2?tab=predictions")
	rita.wait(`document.querySelector('a[href*="/compare/"]')`)
	rita.click("link", "Look at the items")
	rita.wait(`document.querySelectorAll("[data-place]").length > 1`)
	ask[bool](rita, `(() => { document.querySelector("[data-place]").scrollIntoView({block: "center"}); return true; })()`)
	rita.wait(`performance.now() > 4000`) // the page itself says how long it is there
	rita.open("/projects/bank/candidates/2/vote")
	// The last of what the comparison's page told arrives while this one is drawn.
	rita.wait(`/[2-9] of 30 items|[1-9]\d of 30 items/.test(document.querySelector("#looked").innerText)`)
	rita.looks("looked-some")
	if text := ask[string](rita, `document.querySelector("#looked").innerText`); strings.Contains(text, "have not opened anything") || strings.Contains(text, "0 of 30 items") || !strings.Contains(text, "not opened") {
		t.Errorf("the page of the vote counts: %s", text)
	}
	rita.sign("safe", "Looked at some.", password)
	rita.waitText(".votes", "1 comparison")
	rita.looks("looked-candidate")

	dir := filepath.Join(t.TempDir(), "evidence")
	s.run("evidence", "export", "2", "-o", dir)
	files, err := filepath.Glob(filepath.Join(dir, "looked-*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("exported are %v, %v", files, err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var doc review.LookedDocument
	if err := json.Unmarshal(content, &doc); err != nil || doc.Sum().Comparisons != 1 || doc.Sum().Items < 2 || doc.Sum().Millis < 1000 {
		t.Errorf("the vote names %s (%v)", content, err)
	}
}
