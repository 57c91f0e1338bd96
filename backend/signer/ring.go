package signer

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// KnownDir is the directory beside the key where the public halves of all keys
// stand that signed for this installation. Whoever can write there can replace
// the key itself, so a key that stands there is believed.
const KnownDir = "known"

// Ring is the key that signs now together with the public halves of those that
// signed before: after a restore without keys, or where a key was replaced.
type Ring struct {
	key   *Key // nil where no key is held
	known map[string]Public
}

// NewRing returns a ring with a key that signs, which may be nil, and others
// that only verify.
func NewRing(key *Key, others ...Public) *Ring {
	r := &Ring{key: key, known: map[string]Public{}}
	for _, p := range others {
		r.known[p.Hint()] = p
	}
	if key != nil {
		r.known[key.Hint()] = key.Public
	}
	return r
}

// Hint names the key that signs; empty where none is held.
func (r *Ring) Hint() string {
	if r.key == nil {
		return ""
	}
	return r.key.Hint()
}

// Sign returns a DSSE envelope around a payload.
func (r *Ring) Sign(payload []byte) ([]byte, error) {
	if r.key == nil {
		return nil, fault.New(fault.Invalid, "There is no signing key here.")
	}
	return r.key.Sign(payload)
}

// Key returns the public half of a key. It returns NotFound for one that is not
// in the ring.
func (r *Ring) Key(hint string) (Public, error) {
	p, found := r.known[hint]
	if !found {
		return p, fault.New(fault.NotFound, "This server does not hold the key %.12s…, nor its public half.", hint)
	}
	return p, nil
}

// Keys lists the public halves, by their names.
func (r *Ring) Keys() []Public {
	keys := make([]Public, 0, len(r.known))
	for _, hint := range slices.Sorted(maps.Keys(r.known)) {
		keys = append(keys, r.known[hint])
	}
	return keys
}

// PEM returns the text of a public key; NotFound as Key does.
func (r *Ring) PEM(hint string) ([]byte, error) {
	p, err := r.Key(hint)
	return p.pem, err
}

// Verify returns the payload of an envelope that a key signed. It returns
// NotFound for a key that is not in the ring, Invalid where the signature does
// not hold.
func (r *Ring) Verify(hint string, envelope []byte) ([]byte, error) {
	p, err := r.Key(hint)
	if err != nil {
		return nil, err
	}
	return p.Verify(envelope)
}

// Bundle wraps an envelope that a key signed into a sigstore bundle.
func (r *Ring) Bundle(hint string, envelope []byte) ([]byte, error) {
	p, err := r.Key(hint)
	if err != nil {
		return nil, err
	}
	return p.Bundle(envelope)
}

// VerifyAny returns the payload of an envelope or bundle that one of the keys
// signed. It returns Invalid where none did.
func (r *Ring) VerifyAny(document []byte) ([]byte, error) {
	var last error
	for _, p := range r.Keys() {
		payload, err := p.Verify(document)
		if err == nil {
			return payload, nil
		}
		if last == nil || !errors.Is(err, errOtherKey) {
			last = err
		}
	}
	if last == nil {
		return nil, fault.New(fault.Invalid, "There is no key to check it with.")
	}
	return nil, last
}

// Accept chooses which keys of an installation one of them believes in. listed
// are those that the database holds: rows that whoever can write to the database
// could add to, so that of them only those count that the current key itself
// vouched for when it was taken into use. here are those that stand beside it.
// introduced says that the history knows the current key as one that was in use,
// whatever the database holds of it now. fresh says that it was never in use yet: it
// then vouches for all. Where no key is held, as right after a restore, the list is
// all there is.
func Accept(current *Public, listed []ledger.SigningKey, here []Public, introduced bool) (known []Public, fresh bool) {
	fresh = current == nil || !introduced && !slices.ContainsFunc(here, func(p Public) bool { return p.Hint() == current.Hint() })
	var vouched []string
	for _, l := range listed {
		if current == nil || l.Hint != current.Hint() {
			continue
		}
		if statement, err := current.Verify(l.Statement); err == nil {
			vouched, fresh = ledger.VouchedBy(l.Hint, statement), false
		}
	}
	known = slices.Clone(here)
	for _, l := range listed {
		if !fresh && !slices.Contains(vouched, l.Hint) {
			continue
		}
		if p, err := ParsePublic([]byte(l.PEM)); err == nil && p.Hint() == l.Hint {
			known = append(known, p)
		}
	}
	return known, fresh && current != nil
}

// ReadKnown reads the public keys that stand beside a key: every .pub file of
// KnownDir. What is no public key is passed over.
func ReadKnown(dir string) ([]Public, error) {
	entries, err := os.ReadDir(filepath.Join(dir, KnownDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.As(fault.Unavailable, err, "The public keys in %s cannot be read.", filepath.Join(dir, KnownDir))
	}
	var found []Public
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".pub") || !e.Type().IsRegular() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, KnownDir, e.Name()))
		if err != nil {
			return nil, fault.As(fault.Unavailable, err, "The public key %s cannot be read.", filepath.Join(dir, KnownDir, e.Name()))
		}
		if p, err := ParsePublic(text); err == nil {
			found = append(found, p)
		}
	}
	return found, nil
}

// WriteKnown writes the public keys of the ring beside the key. Each is there whole
// or not at all, and one that a full disk cut short is written anew.
func (r *Ring) WriteKnown(dir string) error {
	to := filepath.Join(dir, KnownDir)
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fault.As(fault.Unavailable, err, "The directory %s cannot be made", to)
	}
	for _, p := range r.Keys() {
		path := filepath.Join(to, p.Hint()+".pub")
		if text, err := os.ReadFile(path); err == nil && bytes.Equal(text, p.pem) {
			continue
		}
		if err := replaceFile(path, p.pem); err != nil {
			return fault.As(fault.Unavailable, err, "The public key cannot be written to %s", to)
		}
	}
	return nil
}
