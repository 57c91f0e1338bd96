package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/signer"
	"github.com/adjudge/adjudge/backend/store"
)

// openRing joins the key that signs with those that signed before. A key that is
// new here, or that came back, is taken into use: an event says since when it
// signs, and a statement of its own which older keys it vouches for. A row that
// somebody adds to the database afterwards is vouched for by nobody.
func (h *house) openRing(ctx context.Context, key *signer.Key, installation, dir string) (*signer.Ring, error) {
	here, err := signer.ReadKnown(dir)
	if err != nil {
		return nil, err
	}
	var ring *signer.Ring
	err = h.store.Update(ctx, func(tx *store.Tx) error {
		listed, keys, err := keysOf(tx)
		if err != nil {
			return err
		}
		known, _ := signer.Accept(&key.Public, listed, here, keys.Took(key.Hint()))
		ring = signer.NewRing(key, known...)
		k := ledger.SigningKey{Hint: key.Hint(), PEM: string(key.PEM()), At: h.store.Now()}
		for _, p := range ring.Keys() {
			if p.Hint() != k.Hint {
				k.Accepts = append(k.Accepts, p.Hint())
			}
		}
		written := slices.ContainsFunc(listed, func(l ledger.SigningKey) bool { return l.Hint == k.Hint })
		if last := keys.Last(); written && last.Hint == k.Hint && slices.Equal(last.Accepts, k.Accepts) {
			return nil
		}
		statement, err := k.NewStatement(installation)
		if err != nil {
			return err
		}
		if k.Statement, err = key.Sign(statement); err != nil {
			return err
		}
		for _, p := range ring.Keys() { // one that only a file held is kept with the others
			older := ledger.SigningKey{Hint: p.Hint(), PEM: string(p.PEM()), At: k.At}
			if p.Hint() != k.Hint && !slices.ContainsFunc(listed, func(l ledger.SigningKey) bool { return l.Hint == p.Hint() }) {
				if err := tx.SaveSigningKey(older); err != nil {
					return err
				}
			}
		}
		if err := tx.SaveSigningKey(k); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: ledger.System(), Kind: ledger.EventKey, Subject: ledger.KeySubject(), Payload: k})
	})
	if err != nil {
		return nil, err
	}
	return ring, ring.WriteKnown(dir)
}

// keysOf returns the keys that the database holds and that the history knows, and
// what the history tells about keys.
func keysOf(tx *store.Tx) (listed []ledger.SigningKey, keys ledger.KeyHistory, err error) {
	rows, err := tx.SigningKeys()
	if err != nil {
		return nil, keys, err
	}
	records, err := tx.RecordsAbout(ledger.KeySubject())
	if err != nil {
		return nil, keys, err
	}
	keys = ledger.IntroducedBy(records)
	known := keys.Known()
	for _, row := range rows {
		if known[row.Hint] {
			listed = append(listed, row)
		}
	}
	return listed, keys, nil
}

// readRing joins the public keys that check what an installation signed, without
// writing anything: those of its data directory and, of those that its database
// holds, the ones that its key vouched for.
func readRing(ctx context.Context, s *store.Store, dir string, current *signer.Public) (*signer.Ring, error) {
	here, err := signer.ReadKnown(dir)
	if err != nil {
		return nil, err
	}
	if current == nil {
		if current, err = ownPublic(dir); err != nil {
			return nil, err
		}
	}
	var listed []ledger.SigningKey
	introduced := false
	if s.Migrated(migrationKeys) { // a database of a version before has none
		err := s.View(ctx, func(tx *store.Tx) error {
			found, keys, err := keysOf(tx)
			listed, introduced = found, current != nil && keys.Took(current.Hint())
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	known, _ := signer.Accept(current, listed, here, introduced)
	if current != nil {
		known = append(known, *current)
	}
	return signer.NewRing(nil, known...), nil
}

// migrationKeys is the number of the migration that lists keys in the database.
const migrationKeys = 41

// ownPublic reads the public half of the key of a data directory; nil where it has
// none.
func ownPublic(dir string) (*signer.Public, error) {
	path := filepath.Join(dir, signer.PublicFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.As(fault.Unavailable, err, "The public key %s cannot be read.", path)
	}
	p, err := signer.ParsePublic(text)
	if err != nil {
		return nil, fault.As(fault.Unavailable, err, "The public key %s cannot be read.", path)
	}
	return &p, nil
}

// readPublicKeys reads public keys from files and from the .pub files of directories.
func readPublicKeys(paths []string) ([]signer.Public, error) {
	var keys []signer.Public
	for _, path := range paths {
		files := []string{path}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			if files, err = filepath.Glob(filepath.Join(path, "*.pub")); err != nil || len(files) == 0 {
				return nil, fault.As(fault.Invalid, err, "There is no public key (*.pub) in %s.", path)
			}
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, fault.As(fault.Invalid, err, "Cannot read the public key %s.", file)
			}
			key, err := signer.ParsePublic(text)
			if err != nil {
				return nil, fault.As(fault.Invalid, err, "%s: %s", file, fault.Message(err))
			}
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// checkKeys says which signatures were made under a key that signs no more, and
// holds the list of keys in the database against the history. It reports whether
// that list is the one that was written.
func (o doctorOptions) checkKeys(cmd *cobra.Command, s *store.Store, d *dataDir) (bool, error) {
	ctx, out := cmd.Context(), terminal(cmd)
	ring, err := readRing(ctx, s, d.file("keys"), nil)
	if err != nil {
		return false, err
	}
	var rows []ledger.SigningKey
	var records []ledger.Record
	var used []ledger.KeyUse
	// A database of a version before has no list; one that lost it since is told.
	if !s.Migrated(migrationKeys) {
		return true, nil
	}
	err = s.View(ctx, func(tx *store.Tx) (err error) {
		if rows, err = tx.SigningKeys(); err != nil {
			return err
		}
		if records, err = tx.RecordsAbout(ledger.KeySubject()); err != nil {
			return err
		}
		used, err = tx.KeysUsed()
		return err
	})
	if err != nil {
		return false, err
	}
	sound := true
	tell := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(out, "keys: "+format+"\n", args...)
		}
	}
	keys := ledger.IntroducedBy(records)
	introduced := keys.Known()
	for _, row := range rows {
		switch p, wrong := signer.ParsePublic([]byte(row.PEM)); {
		case !introduced[row.Hint]:
			sound = false
			tell("the database holds the key %.12s…, but no event took it into use", row.Hint)
		case wrong != nil || p.Hint() != row.Hint:
			sound = false
			tell("the text of the key %.12s… was changed in the database", row.Hint)
		}
		delete(introduced, row.Hint)
	}
	if keys.Unread > 0 {
		sound = false
		tell("%d events about keys do not hold what they commit to", keys.Unread)
	}
	for _, hint := range slices.Sorted(maps.Keys(introduced)) {
		sound = false
		tell("the key %.12s… was taken into use, and the database no longer holds it", hint)
	}
	own := ""
	if p, err := ownPublic(d.file("keys")); err != nil {
		return false, err
	} else if p != nil {
		own = p.Hint()
	}
	for _, use := range used {
		if use.Key == own {
			continue
		}
		kept := "its public half is kept and checks them"
		if _, missing := ring.Key(use.Key); missing != nil {
			kept = "nor its public half: gates of what it signed stay closed until the public key stands in keys/" + signer.KnownDir + " of the data directory"
		}
		tell("%d attestations and %d checkpoints were signed under the key %.12s…, which this server no longer holds; %s", use.Attestations, use.Checkpoints, use.Key, kept)
	}
	return sound, err
}
