package signer_test

import (
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/signer"
)

func newKey(t *testing.T) *signer.Key {
	t.Helper()
	key, err := signer.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// row is what the database holds of a key that vouches for others.
func row(t *testing.T, key *signer.Key, accepts ...string) ledger.SigningKey {
	t.Helper()
	k := ledger.SigningKey{Hint: key.Hint(), PEM: string(key.PEM()), Accepts: accepts, At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	statement, err := k.NewStatement("abc")
	if err == nil {
		k.Statement, err = key.Sign(statement)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Whoever can write to the database can add a key to it. Once a key signs, only
// those count that it vouched for itself, or that stand beside it.
func TestOnlyKeysThatTheKeyInUseVouchedForAreBelieved(t *testing.T) {
	t.Parallel()
	old, now, forged := newKey(t), newKey(t), newKey(t)
	lent := row(t, now, forged.Hint()) // signed by another key than it is about
	lent.Statement = row(t, forged, forged.Hint()).Statement
	for name, c := range map[string]struct {
		current *signer.Public
		listed  []ledger.SigningKey
		here    []signer.Public
		used    bool // the history knows the current key
		known   []*signer.Key
		fresh   bool
	}{
		"a key that is new takes over what the history knows": {&now.Public, []ledger.SigningKey{row(t, old)}, nil, false, []*signer.Key{old}, true},
		"one that is in use keeps what it vouched for":        {&now.Public, []ledger.SigningKey{row(t, old), row(t, now, old.Hint())}, nil, false, []*signer.Key{old}, false},
		"a row that was added later counts for nothing":       {&now.Public, []ledger.SigningKey{row(t, old), row(t, now, old.Hint()), row(t, forged)}, nil, false, []*signer.Key{old}, false},
		"nor one that vouches for itself":                     {&now.Public, []ledger.SigningKey{row(t, now), row(t, forged, now.Hint(), forged.Hint())}, nil, false, nil, false},
		"nor a statement that another key signed":             {&now.Public, []ledger.SigningKey{lent, row(t, forged)}, []signer.Public{now.Public}, false, nil, false},
		"a row that is gone makes a used key no new one":      {&now.Public, []ledger.SigningKey{row(t, forged)}, []signer.Public{now.Public}, false, nil, false},
		"what stands beside the key is believed":              {&now.Public, []ledger.SigningKey{row(t, now)}, []signer.Public{now.Public, old.Public}, false, []*signer.Key{old}, false},
		"without any key the list is all there is":            {nil, []ledger.SigningKey{row(t, old)}, nil, false, []*signer.Key{old}, false},
		"nor where nothing is left beside it either":          {&now.Public, []ledger.SigningKey{row(t, forged)}, nil, true, nil, false},
		"nor where its row vouches for it no longer":          {&now.Public, []ledger.SigningKey{{Hint: now.Hint(), PEM: "spoiled"}, row(t, forged)}, nil, true, nil, false},
	} {
		known, fresh := signer.Accept(c.current, c.listed, c.here, c.used)
		ring := signer.NewRing(nil, known...)
		if fresh != c.fresh {
			t.Errorf("%s: fresh = %t", name, fresh)
		}
		for _, key := range []*signer.Key{old, forged} {
			want := len(c.known) == 1 && c.known[0] == key
			if _, err := ring.Key(key.Hint()); (err == nil) != want || err != nil && !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: key %.8s is known: %v", name, key.Hint(), err)
			}
		}
	}
}

func TestARingChecksWhatAnyOfItsKeysSigned(t *testing.T) {
	t.Parallel()
	old, now, other := newKey(t), newKey(t), newKey(t)
	dir := t.TempDir()
	if err := signer.NewRing(now, old.Public).WriteKnown(dir); err != nil {
		t.Fatal(err)
	}
	known, err := signer.ReadKnown(dir)
	if err != nil || len(known) != 2 {
		t.Fatalf("%d keys were kept: %v", len(known), err)
	}
	ring := signer.NewRing(nil, known...)
	for _, key := range []*signer.Key{old, now, other} {
		envelope, err := key.Sign([]byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		bundle, err := key.Bundle(envelope)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range [][]byte{envelope, bundle} {
			if _, err := ring.VerifyAny(document); (err == nil) != (key != other) {
				t.Errorf("key %.8s: %v", key.Hint(), err)
			}
		}
		if _, err := ring.Verify(now.Hint(), envelope); (err == nil) != (key == now) {
			t.Errorf("key %.8s under the name of another: %v", key.Hint(), err)
		}
	}
	if _, err := ring.Sign([]byte(`{}`)); err == nil {
		t.Error("a ring without a key signs")
	}
}
