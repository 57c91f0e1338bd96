package app

import (
	"context"
	"os"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/signer"
)

// Facts about the installation that servers on one database share.
const (
	factID   = "installation"     // in cookie names
	factKey  = "signing_key"      // sealed under the secret of the key file
	factHint = "signing_key_hint" // which key signs, where every server has it as a file
)

// installation is what makes several servers one: people who signed in on one
// are signed in on the other, and both sign with the same key.
type installation struct {
	id   string
	key  *signer.Key
	ring *signer.Ring // with the public halves of the keys before it
}

// openInstallation finds out which installation this server belongs to. With a
// file as its database the data directory says it.
func (h *house) openInstallation(ctx context.Context) (installation, error) {
	in, err := h.openKey(ctx)
	if err == nil {
		in.ring, err = h.openRing(ctx, in.key, in.id, h.data.file("keys"))
	}
	return in, err
}

func (h *house) openKey(ctx context.Context) (in installation, err error) {
	in.id = h.data.id
	if h.store.Shared() {
		if in.id, err = h.store.SettleFact(ctx, factID, h.data.id); err != nil {
			return in, err
		}
	}
	keys := h.data.file("keys")
	if h.KeyFile != "" {
		in.key, err = h.sharedKey(ctx, keys)
		return in, err
	}
	held, err := h.store.Fact(ctx, factKey)
	if err != nil {
		return in, err
	}
	if held != "" {
		return in, fault.New(fault.Invalid, "The signing key of this database is sealed. Start the server with the key file that the others have (--key-file).")
	}
	if in.key, err = signer.Open(keys); err != nil || !h.store.Shared() {
		return in, err
	}
	hint, err := h.store.SettleFact(ctx, factHint, in.key.Hint())
	if err == nil && hint != in.key.Hint() {
		err = fault.New(fault.Conflict, "Another server signs for this database with another key. Give all of them the same --key-file, "+
			"or copy the folder keys of the first one's data directory to %s.", keys)
	}
	return in, err
}

// sharedKey returns the key that the database holds, sealed under the secret in
// the key file. The first server puts its own there.
func (h *house) sharedKey(ctx context.Context, keys string) (*signer.Key, error) {
	secret, err := os.ReadFile(h.KeyFile)
	if err != nil {
		return nil, fault.As(fault.Invalid, err, "The key file %s cannot be read", h.KeyFile)
	}
	held, err := h.store.Fact(ctx, factKey)
	if err != nil {
		return nil, err
	}
	if held == "" {
		own, err := signer.Open(keys)
		if err != nil {
			return nil, err
		}
		text, err := own.Seal(string(secret))
		if err != nil {
			return nil, err
		}
		if held, err = h.store.SettleFact(ctx, factKey, text); err != nil {
			return nil, err
		}
	}
	key, err := signer.Unseal(held, string(secret))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return nil, fault.As(fault.Unavailable, err, "The directory %s cannot be made", keys)
	}
	return key, key.WritePublic(keys)
}
