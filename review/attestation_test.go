package review_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/signer"
	"github.com/adjudge/adjudge/review"
)

// documents returns the signed files of a candidate as offline verification
// reads them.
func (w *world) documents(c review.Candidate) []review.Document {
	w.t.Helper()
	files, _, err := w.EvidenceFiles(w.t.Context(), w.ben, project, ref(c))
	w.must(err)
	var all []review.Document
	for _, f := range files {
		if !strings.HasSuffix(f.Name, ".dsse.json") && !strings.HasSuffix(f.Name, ".sigstore.json") {
			continue
		}
		payload, err := w.key.Verify(f.Content)
		w.must(err)
		all = append(all, review.Document{Name: f.Name, Payload: payload, Digest: ledger.DigestOf(signer.EnvelopeIn(f.Content))})
	}
	return all
}

// verifyOffline asks whether documents approve a subject, under whatever policy.
func verifyOffline(documents []review.Document, subject ledger.Digest, environment review.Environment, now time.Time) (review.Approved, error) {
	return review.Offline{Documents: documents, Subject: subject, Environment: environment, Now: now}.Verify()
}

func TestSignedFilesVerifyOffline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	documents, now := w.documents(c), w.Now()
	got, err := verifyOffline(documents, c.Subject.Digest, review.Production, now)
	if err != nil || got.Name != "intents@1" || len(got.Votes) != 2 || got.ExpiresAt.Before(now.AddDate(0, 0, 179)) {
		t.Errorf("got %+v, %v", got, err)
	}
	// No file alone is enough, and none of the votes may be missing: an approval
	// shows that somebody had the key, votes that people looked.
	for _, d := range documents {
		if _, err := verifyOffline([]review.Document{d}, c.Subject.Digest, review.Production, now); err == nil {
			t.Errorf("%s alone approves", d.Name)
		}
		if id, isVote := strings.CutPrefix(d.Name, "vote-"); isVote {
			rest := slices.DeleteFunc(slices.Clone(documents), func(other review.Document) bool { return strings.HasPrefix(other.Name, "vote-"+id[:36]) })
			_, err := verifyOffline(rest, c.Subject.Digest, review.Production, now)
			wantFault(t, err, fault.Unmet, ", on which the approval rests, is not among the files")
		}
	}
	for name, tt := range map[string]struct {
		documents   []review.Document
		subject     ledger.Digest
		environment review.Environment
		now         time.Time
		says        string
	}{
		"for another model":            {documents, ledger.DigestOf([]byte("other")), review.Production, now, "is not the subject"},
		"for another environment":      {documents, c.Subject.Digest, "staging", now, "for production, not for staging"},
		"after its end":                {documents, c.Subject.Digest, review.Production, now.AddDate(0, 0, 181), "ended"},
		"at the moment of its end":     {documents, c.Subject.Digest, review.Production, got.ExpiresAt, "ended"},
		"long before it was made":      {documents, c.Subject.Digest, review.Production, now.AddDate(0, 0, -1), "in the future"},
		"without any file":             {nil, c.Subject.Digest, review.Production, now, "None of the files"},
		"with a vote that was swapped": {swapped(documents), c.Subject.Digest, review.Production, now, "is not the vote"},
	} {
		_, err := verifyOffline(tt.documents, tt.subject, tt.environment, tt.now)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: error = %v, want one that says %q", name, err, tt.says)
		}
	}
}

// swapped puts another vote in the place of each.
func swapped(documents []review.Document) []review.Document {
	all := slices.Clone(documents)
	for i, d := range all {
		if strings.HasPrefix(d.Name, "vote-") {
			all[i].Digest = ledger.DigestOf(d.Payload)
		}
	}
	return all
}

func TestAWithdrawalAmongTheFilesClosesThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	_, err := w.Withdraw(t.Context(), w.ben, review.WithdrawRequest{Project: project, Candidate: ref(c), Reason: "It mixes up refunds.", Password: "correct horse"})
	w.must(err)
	w.sign()
	documents := w.documents(c)
	if _, err := verifyOffline(documents, c.Subject.Digest, review.Production, w.Now()); err == nil || !strings.Contains(err.Error(), "Ben Okafor withdrew the approval") {
		t.Errorf("error = %v", err)
	}
	// An approval that is given again later holds beside the old withdrawal.
	again := w.propose(compareModelOf(w, c))
	w.vote(w.ana, again, 1)
	w.vote(w.ben, again, 2)
	all := append(documents, w.documents(again)...)
	if got, err := verifyOffline(all, c.Subject.Digest, review.Production, w.Now().Add(time.Second)); err != nil || got.Name != "intents@1" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Only an approval of ours that says PASSED opens anything: other statements
// with a good signature do not.
func TestOtherStatementsApproveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	var good map[string]any
	for _, d := range w.documents(c) {
		if strings.HasPrefix(d.Name, "signoff-") {
			w.must(json.Unmarshal(d.Payload, &good))
		}
	}
	var votes []review.Document
	for _, d := range w.documents(c) {
		if strings.HasPrefix(d.Name, "vote-") {
			votes = append(votes, d)
		}
	}
	predicate := func(change func(p map[string]any)) []review.Document {
		copied := map[string]any{}
		raw, err := json.Marshal(good)
		w.must(err)
		w.must(json.Unmarshal(raw, &copied))
		change(copied["predicate"].(map[string]any))
		raw, err = json.Marshal(copied)
		w.must(err)
		return append([]review.Document{{Name: "signoff-x.dsse.json", Payload: raw}}, votes...)
	}
	requirement := func(p map[string]any, at int) map[string]any {
		return p["https://adjudge.dev/requirements"].([]any)[at].(map[string]any)
	}
	for name, change := range map[string]func(map[string]any){
		"a result that failed":        func(p map[string]any) { p["verificationResult"] = "FAILED" },
		"a verifier that is not ours": func(p map[string]any) { p["verifier"] = map[string]any{"id": "https://example.com"} },
		"no environment":              func(p map[string]any) { p["resourceUri"] = "pkg:mlmodel/intents@1" },
		"two environments": func(p map[string]any) {
			p["resourceUri"] = "pkg:mlmodel/intents@1?environment=production&environment=staging"
		},
		"an environment that only begins": func(p map[string]any) { p["resourceUri"] = "pkg:mlmodel/intents@1?environment=production2" },
		"no end":                          func(p map[string]any) { delete(p, "https://adjudge.dev/expiresAt") },
		"no sign-off":                     func(p map[string]any) { delete(p, "https://adjudge.dev/signOffId") },
		"no time":                         func(p map[string]any) { delete(p, "timeVerified") },
		"no votes":                        func(p map[string]any) { p["inputAttestations"] = []any{} },
		"no list of votes":                func(p map[string]any) { delete(p, "inputAttestations") },
		"one of its votes":                func(p map[string]any) { p["inputAttestations"] = p["inputAttestations"].([]any)[:1] },
		"a requirement that is not met":   func(p map[string]any) { requirement(p, 1)["state"] = "UNSATISFIED" },
		"one that could not be evaluated": func(p map[string]any) { requirement(p, 0)["state"] = "ERROR" },
		"a requirement that is left out":  func(p map[string]any) { p["https://adjudge.dev/requirements"] = []any{requirement(p, 0)} },
		"no requirements":                 func(p map[string]any) { delete(p, "https://adjudge.dev/requirements") },
	} {
		if _, err := verifyOffline(predicate(change), c.Subject.Digest, review.Production, w.Now()); err == nil {
			t.Errorf("a statement with %s approves", name)
		}
	}
	if _, err := verifyOffline(predicate(func(map[string]any) {}), c.Subject.Digest, review.Production, w.Now()); err != nil {
		t.Errorf("the unchanged statement: %v", err)
	}
}

// The policy says who had to vote, and the votes say in which role they were cast.
func TestVotesAreHeldAgainstThePolicyOffline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := strings.Replace(review.DefaultPolicyText, `"role": "reviewer", "count": 1`, `"role": "reviewer", "count": 2`, 1)
	c := w.approved("weights")
	documents := w.documents(c)
	strict := ledger.DigestOf([]byte(text))
	question := review.Offline{Documents: documents, Subject: c.Subject.Digest, Environment: review.Production, Now: w.Now(), Looked: w.openedBefore(c)}
	if got, err := question.Verify(); err != nil || len(got.Notes) != 0 {
		t.Fatalf("under the default policy: %+v, %v", got, err)
	}
	question.Policy = c.Policy
	if _, err := question.Verify(); err != nil {
		t.Errorf("under the policy that was named: %v", err)
	}
	question.Policy = strict
	_, err := question.Verify()
	wantFault(t, err, fault.Unmet, "The approval was given under the policy "+string(c.Policy)+", not under")
	// Whoever has the key can sign an approval that names a policy which was not met.
	for i, d := range documents {
		documents[i].Payload = []byte(strings.ReplaceAll(string(d.Payload), c.Policy.Hex(), strict.Hex()))
	}
	if got, err := question.Verify(); err != nil || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "The text of the policy is not among the files") {
		t.Errorf("without the text: %+v, %v", got, err)
	}
	question.Policies = []string{text}
	_, err = question.Verify()
	wantFault(t, err, fault.Unmet, "asks for the votes of 2 people in the role reviewer (“a subject-matter reviewer says it is safe”); among the votes of the approval there are 1")
	for i, d := range documents {
		documents[i].Payload = []byte(strings.ReplaceAll(string(d.Payload), strict.Hex(), c.Policy.Hex()))
		if strings.HasPrefix(d.Name, "vote-") {
			documents[i].Payload = []byte(strings.ReplaceAll(string(documents[i].Payload), `"role":"approver"`, `"role":"reviewer"`))
		}
	}
	question.Policy = ""
	_, err = question.Verify()
	wantFault(t, err, fault.Unmet, "in the role approver")
}

// What the votes rest on goes out with them, to whoever may read it.
func TestEvidenceComesWithWhatItRestsOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.approved("first")
	c := w.propose(w.model("second"))
	w.compared(c, -0.001, 0.02)
	w.vote(w.ana, c, 1)
	w.vote(w.ben, c, 2)
	gate := w.ben
	gate.Scope = ledger.ScopeGate
	for name, tt := range map[string]struct {
		actor ledger.Actor
		want  []string
	}{
		"a reviewer":   {w.ana, []string{"policy-" + c.Policy.Hex()[:12] + ".json", "comparison-"}},
		"a gate token": {gate, []string{"policy-" + c.Policy.Hex()[:12] + ".json"}},
	} {
		files, _, err := w.EvidenceFiles(t.Context(), tt.actor, project, ref(c))
		w.must(err)
		var beside []string
		for _, f := range files {
			if kind, rest, _ := strings.Cut(f.Name, "-"); kind == "policy" || kind == "comparison" {
				beside = append(beside, f.Name)
				if digest := ledger.DigestOf(f.Content).Hex(); !strings.HasPrefix(rest, digest[:12]) {
					t.Errorf("%s: %s has the digest %s", name, f.Name, digest)
				}
			}
		}
		if len(beside) != len(tt.want) || !strings.HasPrefix(beside[len(beside)-1], tt.want[len(tt.want)-1]) {
			t.Errorf("%s gets %v, want %v", name, beside, tt.want)
		}
	}
}

// The files say what other verifiers look for.
func TestAnApprovalIsAVerificationSummary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	got, err := w.Case(t.Context(), w.ben, project, ref(c))
	w.must(err)
	for _, a := range got.Attestations {
		var envelope struct {
			PayloadType, Payload string
			Signatures           []struct{ Sig, KeyID string }
		}
		w.must(json.Unmarshal(a.Envelope, &envelope))
		payload, err := base64.StdEncoding.DecodeString(envelope.Payload)
		w.must(err)
		var s review.Statement
		w.must(json.Unmarshal(payload, &s))
		if envelope.PayloadType != "application/vnd.in-toto+json" || len(envelope.Signatures) != 1 || envelope.Signatures[0].KeyID != "" {
			t.Errorf("envelope = %+v", envelope)
		}
		if s.Type != "https://in-toto.io/Statement/v1" || s.Subject[0].Digest["sha256"] != c.Subject.Digest.Hex() {
			t.Errorf("statement = %+v", s)
		}
		if a.Kind == review.AttestsApproval {
			for _, part := range []string{`"verificationResult":"PASSED"`, `"resourceUri":"pkg:mlmodel/intents@1?environment=production"`, `ADJUDGE_SME_APPROVED`, `"inputAttestations":[{"uri":"vote-`} {
				if s.PredicateType != review.PredicateVSA || !strings.Contains(string(s.Predicate), part) {
					t.Errorf("the approval lacks %s: %s", part, s.Predicate)
				}
			}
		} else if s.PredicateType != review.PredicateApproval || !strings.Contains(string(s.Predicate), `"decision":"APPROVE"`) {
			t.Errorf("the vote is %s: %s", s.PredicateType, s.Predicate)
		}
	}
}

func TestSixWordsAreReadFromADigest(t *testing.T) {
	t.Parallel()
	d := ledger.Digest("sha256:00ff10" + strings.Repeat("a", 58))
	if got := review.ByEar(d); got != "acid scooter bamboo lunar lunar lunar" {
		t.Errorf("words = %q", got)
	}
	if got := review.Grouped(d); !strings.HasPrefix(got, "sha256 00ff 10aa aaaa") || len(strings.Fields(got)) != 17 {
		t.Errorf("groups = %q", got)
	}
	seen := map[string]bool{}
	for i := range 256 {
		seen[strings.Fields(review.ByEar(ledger.Digest(fmt.Sprintf("sha256:%02x%062d", i, 0))))[0]] = true
	}
	if len(seen) != 256 {
		t.Errorf("%d different words", len(seen))
	}
}
