package review_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/review"
)

// documents returns the signed files of a candidate as offline verification
// reads them.
func (w *world) documents(c review.Candidate) []review.Document {
	w.t.Helper()
	files, err := w.EvidenceFiles(w.t.Context(), w.ben, project, ref(c))
	w.must(err)
	var all []review.Document
	for _, f := range files {
		if !strings.HasSuffix(f.Name, ".json") {
			continue
		}
		payload, err := w.key.Verify(f.Content)
		w.must(err)
		d := review.Document{Name: f.Name, Payload: payload}
		if strings.HasSuffix(f.Name, ".dsse.json") {
			d.Digest = ledger.DigestOf(f.Content)
		}
		all = append(all, d)
	}
	return all
}

func TestSignedFilesVerifyOffline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.approved("weights")
	documents, now := w.documents(c), w.Now()
	got, err := review.VerifyDocuments(documents, c.Subject.Digest, review.Production, now)
	if err != nil || got.Name != "intents@1" || len(got.Votes) != 2 || got.ExpiresAt.Before(now.AddDate(0, 0, 179)) {
		t.Errorf("got %+v, %v", got, err)
	}
	// One file alone is enough: the approval.
	for _, d := range documents {
		_, err := review.VerifyDocuments([]review.Document{d}, c.Subject.Digest, review.Production, now)
		if alone := strings.HasPrefix(d.Name, "signoff-"); (err == nil) != alone {
			t.Errorf("%s alone: %v", d.Name, err)
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
		_, err := review.VerifyDocuments(tt.documents, tt.subject, tt.environment, tt.now)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: error = %v, want one that says %q", name, err, tt.says)
		}
	}
}

// swapped gives the two votes each other's names.
func swapped(documents []review.Document) []review.Document {
	var all []review.Document
	var votes []int
	for i, d := range documents {
		all = append(all, d)
		if strings.HasPrefix(d.Name, "vote-") && d.Digest != "" {
			votes = append(votes, i)
		}
	}
	all[votes[0]].Name, all[votes[1]].Name = all[votes[1]].Name, all[votes[0]].Name
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
	if _, err := review.VerifyDocuments(documents, c.Subject.Digest, review.Production, w.Now()); err == nil || !strings.Contains(err.Error(), "Ben Okafor withdrew the approval") {
		t.Errorf("error = %v", err)
	}
	// An approval that is given again later holds beside the old withdrawal.
	again := w.propose(compareModelOf(w, c))
	w.vote(w.ana, again, 1)
	w.vote(w.ben, again, 2)
	all := append(documents, w.documents(again)...)
	if got, err := review.VerifyDocuments(all, c.Subject.Digest, review.Production, w.Now().Add(time.Second)); err != nil || got.Name != "intents@1" {
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
	predicate := func(change func(p map[string]any)) review.Document {
		copied := map[string]any{}
		raw, err := json.Marshal(good)
		w.must(err)
		w.must(json.Unmarshal(raw, &copied))
		change(copied["predicate"].(map[string]any))
		raw, err = json.Marshal(copied)
		w.must(err)
		return review.Document{Name: "signoff-x.dsse.json", Payload: raw}
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
	} {
		if _, err := review.VerifyDocuments([]review.Document{predicate(change)}, c.Subject.Digest, review.Production, w.Now()); err == nil {
			t.Errorf("a statement with %s approves", name)
		}
	}
	if _, err := review.VerifyDocuments([]review.Document{predicate(func(map[string]any) {})}, c.Subject.Digest, review.Production, w.Now()); err != nil {
		t.Errorf("the unchanged statement: %v", err)
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
