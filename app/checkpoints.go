package app

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/blob"
	"github.com/adjudge/adjudge/backend/checkpoint"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/signer"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/review"
)

// openKeeper joins what makes checkpoints with the witnesses that get them.
func (h *house) openKeeper(in installation) error {
	dir := h.data.file("checkpoints")
	var witnesses []checkpoint.Pusher
	for _, address := range h.Witness {
		w, err := openWitness(address, dir, in.id)
		if err != nil {
			return err
		}
		witnesses = append(witnesses, w)
	}
	h.keeper = checkpoint.New(checkpoint.Config{
		Update: store.In[checkpoint.Tx](h.store), View: store.From[checkpoint.Tx](h.store), Now: h.store.Now,
		Signer: in.key, Installation: in.id, Dir: dir, Witnesses: witnesses, Decisions: review.Decisions(),
		Key: in.ring, EventHash: h.store.EventHash, Log: h.Log,
	})
	return nil
}

// openWitness opens a witness by its address.
func openWitness(address, dir, installation string) (checkpoint.Pusher, error) {
	if !blob.IsBucket(address) {
		return checkpoint.ParseWitness(address, dir, installation, os.Getenv("ADJUDGE_SMTP_PASSWORD"))
	}
	vault, err := blob.OpenVault(address)
	if err != nil {
		return nil, err
	}
	return &checkpoint.Bucket{Vault: vault, Installation: installation}, nil
}

// beside returns the file of checkpoints beside the data, where there is one.
func beside(d *dataDir) []string {
	path := filepath.Join(d.file("checkpoints"), checkpoint.File)
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil
	}
	return []string{path}
}

// check looks for every checkpoint in the history and reports whether all are
// there, signed with the key of the installation.
func (o doctorOptions) check(cmd *cobra.Command, s *store.Store, d *dataDir) (bool, error) {
	sound, out := true, terminal(cmd)
	keys, err := o.verifyingKeys(cmd, s, d)
	if err != nil {
		return false, err
	}
	missing := len(keys.Keys()) == 0
	for _, file := range o.checkpoints {
		list, err := checkpoint.Read(file)
		if err != nil {
			return false, err
		}
		held := 0
		for _, c := range list {
			hash, length, err := s.EventHash(cmd.Context(), c.Seq)
			if err != nil {
				return false, err
			}
			var wrong error
			if missing {
				wrong = c.Check(length, hash)
			} else {
				wrong = checkpoint.Check(c, keys, length, hash)
			}
			if wrong == nil {
				held++
				continue
			}
			sound = false
			if _, err := fmt.Fprintf(out, "checkpoint: %s (%s)\n", fault.Message(wrong), file); err != nil {
				return false, err
			}
		}
		if _, err := fmt.Fprintf(out, "checkpoints: %d of %d in %s stand in the history\n", held, len(list), file); err != nil {
			return false, err
		}
	}
	if missing {
		_, err = fmt.Fprintln(out, "checkpoints: there is no key here, so no signature was checked")
	}
	return sound, err
}

// sign adds a checkpoint of the history as it is now to a file.
func (o doctorOptions) sign(cmd *cobra.Command, s *store.Store, d *dataDir) error {
	key, err := o.signingKey(cmd, s, d)
	if err != nil {
		return err
	}
	_, length, err := s.EventHash(cmd.Context(), 0)
	if err != nil {
		return err
	}
	hash, _, err := s.EventHash(cmd.Context(), length)
	if err != nil {
		return err
	}
	if length == 0 {
		hash = ledger.ZeroDigest
	}
	id, err := s.Fact(cmd.Context(), factID)
	if err != nil {
		return err
	}
	c, err := checkpoint.Sign(key, ledger.Checkpoint{Installation: cmp.Or(id, d.id), Seq: length, Hash: hash, At: now(), Reason: "by hand", Key: key.Hint()})
	if err == nil {
		err = checkpoint.Append(o.write, c)
	}
	if err != nil {
		return fault.As(fault.Unavailable, err, "The checkpoint cannot be written to %s", o.write)
	}
	_, err = fmt.Fprintf(terminal(cmd), "checkpoint: %d events, signed into %s\n", length, o.write)
	return err
}

// signingKey returns the key that signs for the installation: the one that the
// database holds sealed, where it does, else that of the data directory.
func (o doctorOptions) signingKey(cmd *cobra.Command, s *store.Store, d *dataDir) (*signer.Key, error) {
	held, err := s.Fact(cmd.Context(), factKey)
	if err != nil {
		return nil, err
	}
	if held != "" {
		if o.keyFile == "" {
			return nil, fault.Field("key-file", "The signing key of this database is sealed. Name the key file of the server with --key-file.")
		}
		secret, err := os.ReadFile(o.keyFile)
		if err != nil {
			return nil, fault.As(fault.Invalid, err, "The key file %s cannot be read", o.keyFile)
		}
		return signer.Unseal(held, string(secret))
	}
	if _, err := os.Stat(filepath.Join(d.file("keys"), signer.PrivateFile)); err != nil {
		return nil, fault.As(fault.Invalid, err, "There is no signing key in %s.", d.file("keys"))
	}
	return signer.Open(d.file("keys"))
}

// verifyingKeys returns the public keys that checkpoints are checked with: those
// that were named, or that of the installation and those that it had before.
// There is none where nothing was ever signed.
func (o doctorOptions) verifyingKeys(cmd *cobra.Command, s *store.Store, d *dataDir) (*signer.Ring, error) {
	if len(o.keys) > 0 {
		known, err := readPublicKeys(o.keys)
		return signer.NewRing(nil, known...), err
	}
	var current *signer.Public
	if o.keyFile != "" {
		key, err := o.signingKey(cmd, s, d)
		if err != nil {
			return nil, err
		}
		current = &key.Public
	}
	return readRing(cmd.Context(), s, d.file("keys"), current)
}

// tellWitnesses says how far the checkpoints have come.
func tellWitnesses(cmd *cobra.Command, s *store.Store) error {
	return s.View(cmd.Context(), func(tx *store.Tx) error {
		list, err := tx.Witnesses()
		if err != nil {
			return nil //nolint:nilerr // a database of a version before has none
		}
		for _, w := range list {
			words := "has every checkpoint until " + w.Last.Format(time.DateTime) + " UTC"
			switch {
			case !w.Failed.IsZero():
				words = "has not taken a checkpoint since " + w.Failed.Format(time.DateTime) + " UTC: " + w.Reason
			case w.Last.IsZero(): // it is being brought its first, or a server died over that
				words = "has no checkpoint yet"
			}
			if _, err := fmt.Fprintf(terminal(cmd), "witness: %s %s\n", w.Name, words); err != nil {
				return err
			}
		}
		return nil
	})
}
