package review_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/review"
)

// A policy that is taken asks somebody to look, and means the same when it is
// written and read once more.
func FuzzParsePolicy(f *testing.F) {
	f.Add(review.DefaultPolicyText)
	f.Add(`{"valid_days":1,"labels":[{"name":"a","values":[{"value":1,"words":"x"},{"value":-1,"words":"y"}]}],"requirements":[{"name":"n","rule":"vote","at_least":1,"role":"approver","count":1}]}`)
	f.Add(`{"title":` + "\n" + `7}`)
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := review.ParsePolicy(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%v is no reason for people", err)
			}
			return
		}
		votes := 0
		for _, q := range rules.Requirements {
			if q.Rule == review.RuleVote {
				votes += q.Count
			}
			if rules.Says(q) == "" {
				t.Fatalf("the requirement %q says nothing", q.Name)
			}
		}
		if votes < 1 {
			t.Fatal("nobody has to look")
		}
		raw, err := json.Marshal(rules)
		if err != nil {
			t.Fatal(err)
		}
		again, err := review.ParsePolicy(string(raw))
		if err != nil {
			t.Fatalf("%s cannot be read: %v", raw, err)
		}
		if second, err := json.Marshal(again); err != nil || string(second) != string(raw) {
			t.Fatalf("%s became %s, %v", raw, second, err)
		}
	})
}

// A statement that somebody signed, yet that nobody here wrote, approves nothing
// for another subject or environment, whatever it says.
func FuzzVerifyDocuments(f *testing.F) {
	subject, other := ledger.DigestOf([]byte("model")), ledger.DigestOf([]byte("other"))
	summary := func(resource, expires string) []byte {
		return []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"m","digest":{"sha256":"` + subject.Hex() + `"}}],
			"predicateType":"https://slsa.dev/verification_summary/v1","predicate":{"verifier":{"id":"v"},"timeVerified":"2026-01-02T03:04:05Z",
			"resourceUri":"` + resource + `","policy":{"digest":{"sha256":"00"}},"verificationResult":"PASSED","verifiedLevels":["ADJUDGE_APPROVED"],"expiresAt":"` + expires + `"}}`)
	}
	f.Add(summary("production", "2027-01-01T00:00:00Z"))
	f.Add(summary("staging", "2025-01-01T00:00:00Z"))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":null}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		documents := []review.Document{{Name: "a.json", Payload: payload}}
		now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		if _, err := verifyOffline(documents, subject, review.Production, now); err == nil {
			// An approval without the votes that it rests on is none.
			t.Fatal("one document alone is an approval")
		} else if k := fault.KindOf(err); k != fault.Invalid && k != fault.Unmet {
			t.Fatalf("%v is no reason for people", err)
		}
		if _, err := verifyOffline(documents, other, review.Production, now); err == nil {
			t.Fatal("another subject is approved")
		}
	})
}
