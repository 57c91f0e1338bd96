package ledger

import (
	"testing"
	"time"
)

func TestEveryRoleReadsExactlyWhatTheTableSays(t *testing.T) {
	t.Parallel()
	for _, r := range Roles() {
		if !r.May(ActionRead) {
			t.Errorf("%s cannot read", r)
		}
	}
	for _, a := range Actions() {
		if RolesThatMay(a) == "" {
			t.Errorf("nobody may %s", a)
		}
		wantAuditor := a == ActionRead || a == ActionExport || a == ActionGate
		if got := RoleAuditor.May(a); got != wantAuditor {
			t.Errorf("auditor may %s = %v, want %v", a, got, wantAuditor)
		}
	}
}

func TestAGateTokenCanDoNothingElse(t *testing.T) {
	t.Parallel()
	a := Actor{Person: "p", Admin: true, Via: ViaToken, Scope: ScopeGate}
	for _, action := range Actions() {
		if got, want := a.May("x", action), action == ActionGate; got != want {
			t.Errorf("gate token may %s = %v, want %v", action, got, want)
		}
	}
}

func TestChainFindsAChangedByte(t *testing.T) {
	t.Parallel()
	salt, payload := []byte("0123456789abcdef"), []byte(`{"name":"Ana"}`)
	first := Event{Seq: 1, At: time.UnixMicro(1), Actor: "p1", Via: ViaLogin, Kind: "person.created", Commitment: Commit(salt, payload), Prev: ZeroDigest}
	first.Hash = first.Sum()
	second := Event{Seq: 2, At: time.UnixMicro(2), Actor: "p1", Via: ViaLogin, Kind: "person.renamed", Commitment: Commit(salt, nil), Prev: first.Hash}
	second.Hash = second.Sum()
	if err := first.Check(Event{}, salt, payload); err != nil {
		t.Fatal(err)
	}
	if err := second.Check(first, nil, nil); err != nil {
		t.Fatalf("an erased payload breaks the chain: %v", err)
	}
	for name, change := range map[string]func(*Event){
		"kind":    func(e *Event) { e.Kind = "x" },
		"actor":   func(e *Event) { e.Actor = "p2" },
		"time":    func(e *Event) { e.At = e.At.Add(time.Microsecond) },
		"gap":     func(e *Event) { e.Seq = 3 },
		"rewrite": func(e *Event) { e.Prev = ZeroDigest; e.Hash = e.Sum() },
	} {
		e := second
		change(&e)
		if e.Check(first, nil, nil) == nil {
			t.Errorf("a changed %s goes unseen", name)
		}
	}
	if first.Check(Event{}, salt, []byte(`{"name":"Bob"}`)) == nil {
		t.Error("a changed payload goes unseen")
	}
}

func TestParseDigest(t *testing.T) {
	t.Parallel()
	d := DigestOf([]byte("x"))
	if got, err := ParseDigest(" " + string(d) + "\n"); err != nil || got != d {
		t.Errorf("got %q, %v", got, err)
	}
	for _, bad := range []string{"", "sha256:", d.Hex(), "sha256:zz", string(d) + "0", "sha256:sha256:" + d.Hex()[7:]} {
		if _, err := ParseDigest(bad); err == nil {
			t.Errorf("%q is taken for a digest", bad)
		}
	}
}
