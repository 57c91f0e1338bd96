//go:build e2e

package app

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// moods writes a small data set whose classes can be learned, n lines of it.
func moods(t *testing.T, name string, from, n int) string {
	t.Helper()
	words := map[string][]string{
		"refund":  {"money back please", "refund my order", "return and pay back", "I want a refund"},
		"arrival": {"where is my card", "card not arrived", "when comes the card", "still waiting for the card"},
		"pin":     {"change my pin", "forgot the pin code", "pin blocked today", "new pin code please"},
	}
	var b strings.Builder
	b.WriteString("key,text,label\n")
	for i := from; i < from+n; i++ {
		label := []string{"refund", "arrival", "pin"}[i%3]
		fmt.Fprintf(&b, "%s-%d,%s number %d,%s\n", name, i, words[label][i/3%4], i, label)
	}
	path := filepath.Join(t.TempDir(), name+".csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// exitCode runs a command of the program against the site and returns its exit
// code and everything it said.
func (s *site) exitCode(args ...string) (int, string) {
	s.t.Helper()
	cmd := exec.Command(binary(s.t), append(args, "--data", s.data)...)
	cmd.Env = append(os.Environ(), "ADJUDGE_DATA=", "ADJUDGE_SERVER=", "ADJUDGE_TOKEN=")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// sign fills the form of a vote with the keyboard's help and sends it.
func (v *visitor) sign(answer, comment, secret string) {
	v.t.Helper()
	v.click("radio", answer)
	ask[bool](v, fmt.Sprintf(`(() => { document.querySelector('textarea[name="comment"]').value = %q; document.querySelector('input[name="password"]').value = %q; return true; })()`, comment, secret))
	v.submit()
}

func TestE2EAnEarlyVoteIsConfirmedWithTheComparisonInSight(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	s.firstAdmin("Ada")
	s.run("import", "--project", "bank", "--dataset", "train", moods(t, "train", 0, 60))
	s.run("snapshot", "create", "--project", "bank", "--dataset", "train")
	s.person("rita", "bank", "reviewer")
	s.person("abel", "bank", "approver")
	rita, abel := s.signIn("rita"), s.signIn("abel")
	vote := func(v *visitor, candidate string) {
		v.open("/projects/bank/candidates/" + candidate + "/vote")
		v.sign("safe", "Looked at fifty.", password)
		v.waitText(".votes", "safe")
	}
	for n, param := range []string{"epochs=1", "epochs=2"} {
		s.run("train", "--project", "bank", "--recipe", "text-linear", "--snapshot", "1", "--param", param, "--wait")
		s.run("candidate", "create", "--project", "bank", "--model", fmt.Sprintf("text-linear@%d", n+1))
		if n == 0 {
			vote(rita, "1")
			vote(abel, "1")
		}
	}

	// There is nothing to compare on yet, and the ballot says what that means.
	rita.open("/projects/bank/candidates/2/vote")
	rita.waitText(".banner", "The comparison with text-linear@1 is not there yet")
	rita.looks("vote-early")
	vote(rita, "2")
	rita.waitText(".votes", "before the comparison with text-linear@1: does not count yet")
	rita.looks("candidate-pending")

	// Its arrival approves nothing; who voted is asked once more, and named.
	s.run("import", "--project", "bank", "--dataset", "test", "--purpose", "evaluation", moods(t, "test", 1000, 30))
	s.run("snapshot", "create", "--project", "bank", "--dataset", "test")
	answers := filepath.Join(t.TempDir(), "answers.csv")
	var csv strings.Builder
	csv.WriteString("key,class\n")
	for i := 1000; i < 1030; i++ {
		fmt.Fprintf(&csv, "test-%d,%s\n", i, []string{"refund", "arrival", "pin"}[i%3])
	}
	if err := os.WriteFile(answers, []byte(csv.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, model := range []string{"text-linear@1", "text-linear@2"} {
		s.run("predict", "import", "--project", "bank", "--model", model, "--snapshot", "2", answers)
	}
	rita.waitText(".requirements", "Rita voted before the comparison with text-linear@1 was there, and can confirm now")
	vote(abel, "2")
	if code, said := s.exitCode("gate", "2"); code != 1 {
		t.Errorf("an early vote opened the gate: %s", said)
	}
	rita.open("/projects/bank/candidates/2")
	rita.looks("candidate-early")
	rita.click("link", "Confirm your vote")
	rita.waitText(".sentence", "when there was the comparison with text-linear@1 (sha256")
	rita.looks("confirm")
	ask[bool](rita, fmt.Sprintf(`(() => { document.querySelector('input[name="password"]').value = %q; return true; })()`, password))
	rita.submit()
	rita.wait(`document.querySelector("#gate .gateanswer.open")`)
	if code, said := s.exitCode("gate", "2"); code != 0 {
		t.Errorf("after the confirmation: %s", said)
	}
}

func TestE2EACandidateIsSignedAndTakenBack(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	admin := s.firstAdmin("Ada")
	s.run("import", "--project", "bank", "--dataset", "train", moods(t, "train", 0, 90))
	s.run("import", "--project", "bank", "--dataset", "test", "--purpose", "evaluation", moods(t, "test", 1000, 60))
	s.run("snapshot", "create", "--project", "bank", "--dataset", "train")
	s.run("snapshot", "create", "--project", "bank", "--dataset", "test")
	s.run("train", "--project", "bank", "--recipe", "text-linear", "--snapshot", "1", "--wait")
	s.person("rita", "bank", "reviewer")
	s.person("abel", "bank", "approver")
	s.person("tom", "bank", "data_scientist", "reviewer")
	admin.open("/projects/bank/candidates")
	admin.looks("candidates")

	// Tom proposes the draft.
	tom := s.signIn("tom")
	tom.open("/projects/bank/candidates/1")
	tom.click("link", "Propose it")
	tom.wait(`document.querySelector('textarea[name="note"]')`)
	tom.looks("propose")
	ask[bool](tom, `(() => { document.querySelector('textarea[name="note"]').value = "First model. Look at refunds."; return true; })()`)
	tom.submit()
	tom.waitText("#status, .statusline", "Proposed")
	if code, said := s.exitCode("gate", "1"); code != 1 || !strings.Contains(said, "a reviewer") || !strings.Contains(said, "Rita") {
		t.Errorf("before the votes: %d %s", code, said)
	}

	// Rita reads what she signs. A wrong password is told beside the field.
	rita := s.signIn("rita")
	rita.open("/projects/bank/candidates/1")
	rita.looks("candidate-open")
	rita.click("link", "Vote")
	rita.wait(`document.querySelector('form.ballot')`)
	rita.click("radio", "safe")
	sentence := rita.text(".sentence.says-reviewer-2")
	if !strings.Contains(sentence, "I, Rita, as reviewer") || !strings.Contains(sentence, "I answer: safe.") {
		t.Errorf("the sentence is %q", sentence)
	}
	if shown := ask[int](rita, `[...document.querySelectorAll(".sentence")].filter((e) => e.offsetParent).length`); shown != 1 {
		t.Errorf("%d sentences are shown", shown)
	}
	rita.looks("vote")
	rita.forgive(`422`)
	rita.sign("safe", "Looked at fifty.", "wrong password here")
	rita.waitText(".error", "This is not your password")
	if !ask[bool](rita, `document.querySelector('[name="value"][value="2"]').checked`) {
		t.Error("the answer is forgotten after a wrong password")
	}
	rita.sign("safe", "Looked at fifty.", password)
	rita.waitText(".votes", "safe")

	// Abel's vote opens the gate.
	abel := s.signIn("abel")
	abel.open("/projects/bank/candidates/1/vote")
	abel.sign("safe with the note below…", "Fine for now.", password)
	abel.wait(`document.querySelector("#gate .gateanswer.open")`)
	abel.waitText(".copyline", "adjudge gate sha256:")
	abel.looks("candidate-approved")
	if code, said := s.exitCode("gate", "1"); code != 0 {
		t.Errorf("after the votes: %d %s", code, said)
	}
	for _, path := range []string{"policy", "environments", "history"} {
		abel.open("/projects/bank/" + path)
		abel.looks(path)
	}

	// The files verify offline, for this model and this environment only.
	evidence := filepath.Join(t.TempDir(), "evidence")
	s.run("evidence", "export", "1", "-o", evidence)
	var one candidateJSON
	if err := json.Unmarshal([]byte(s.run("candidate", "show", "1", "--json")), &one); err != nil {
		t.Fatal(err)
	}
	verify := func(environment, subject string) int {
		code, _ := s.exitCode("verify", "--key", filepath.Join(evidence, "adjudge.pub"), "--environment", environment, "--subject", subject, evidence)
		return code
	}
	other := "sha256:" + strings.Repeat("0", 64)
	if a, b, c := verify("production", one.Subject.Digest), verify("staging", one.Subject.Digest), verify("production", other); a != 0 || b != 1 || c != 1 {
		t.Errorf("verify: production %d, staging %d, another model %d", a, b, c)
	}

	// A second model is measured against the first.
	s.run("train", "--project", "bank", "--recipe", "text-linear", "--snapshot", "1", "--param", "epochs=1", "--param", "word_ngrams=1", "--wait")
	tom.open("/projects/bank/candidates/new?model=text-linear@2")
	tom.submit()
	tom.open("/projects/bank/candidates/2?tab=parameters")
	tom.looks("candidate-parameters")
	tom.waitText("table", "epochs")
	tom.open("/projects/bank/candidates/2?tab=predictions")
	tom.looks("candidate-predictions")

	// Abel takes the approval back, and the gate closes at once.
	abel.open("/projects/bank/candidates/1")
	abel.click("link", "Withdraw the approval")
	abel.wait(`document.querySelector('textarea[name="reason"]')`)
	abel.looks("withdraw")
	ask[bool](abel, fmt.Sprintf(`(() => { document.querySelector('textarea[name="reason"]').value = "It mixes up refunds."; document.querySelector('input[name="password"]').value = %q; return true; })()`, password))
	ask[bool](abel, `(() => { document.documentElement.dataset.leaving = "1"; document.querySelector('main form .danger').click(); return true; })()`)
	abel.wait(`document.readyState === "complete" && !document.documentElement.dataset.leaving`)
	abel.waitText(".banner", "withdrew the approval")
	abel.looks("candidate-withdrawn")
	if code, said := s.exitCode("gate", "1"); code != 1 || !strings.Contains(said, "It mixes up refunds.") {
		t.Errorf("after the withdrawal: %d %s", code, said)
	}
}
