package app

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/blob"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/work"
	"github.com/adjudge/adjudge/labeling"
)

func restoreCommand() *cobra.Command {
	var database string
	cmd := &cobra.Command{
		Use:   "restore DIR|FILE.tar",
		Short: "Make a data directory from a backup, after every byte of it was checked",
		Long: "restore checks the backup, fills a data directory that is new or empty (--data) and a database that is empty\n" +
			"(--database; SQLite or PostgreSQL, whichever the backup was made from), and re-walks the result as doctor does.\n" +
			"A backup without keys gets a new signing key at the next start. The public halves of all keys so far are in every\n" +
			"backup: what was signed before is checked with them, and gates answer as they did.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, address, err := placeOf(cmd, database)
			if err != nil {
				return err
			}
			show := newProgress(cmd, false)
			m, err := restore(cmd.Context(), args[0], d.path, address, show)
			if err != nil {
				show.end()
				return err
			}
			if err := show.finish(cmd, false, m, fmt.Sprintf("Restored into %s: %s.", d.path, m.words())); err != nil {
				return err
			}
			return doctor(cmd, address, d, doctorOptions{})
		},
	}
	databaseFlag(cmd, &database)
	return cmd
}

// restore fills a data directory and a database from a backup.
func restore(ctx context.Context, from, data, database string, show *progress) (m manifest, err error) {
	if entries, err := os.ReadDir(data); len(entries) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, fault.New(fault.Conflict, "The data directory %s is not empty. Name a new one with --data; nothing was changed.", data)
	}
	stage := strings.TrimRight(data, string(filepath.Separator)) + ".restoring"
	if err := os.MkdirAll(filepath.Dir(stage), 0o700); err != nil {
		return m, err
	}
	if err := os.Mkdir(stage, 0o700); err != nil {
		return m, fault.As(fault.Unavailable, err, "The backup cannot be restored beside %s", data)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }() // the data directory was renamed away
	if info, err := os.Stat(from); err != nil {
		return m, fault.As(fault.Invalid, err, "Cannot read the backup %s.", from)
	} else if !info.IsDir() {
		unpacked := filepath.Join(stage, "unpacked")
		if err := unpack(from, unpacked); err != nil {
			return m, fault.As(fault.Invalid, err, "%s is no whole backup: %v", from, err)
		}
		from = unpacked
	}
	if m, err = checkBackup(ctx, from, show); err != nil {
		return m, err
	}
	made := filepath.Join(stage, "data")
	place := filepath.Join(made, "blobs")
	if named := blobsAt(&dataDir{path: data}); named != filepath.Join(data, "blobs") {
		place = named
	}
	to, err := blob.OpenAt(ctx, place, filepath.Join(made, "cache"))
	if err != nil {
		return m, err
	}
	files, err := blob.Open(filepath.Join(from, "blobs"))
	if err != nil {
		return m, err
	}
	if err := eachBlob(from, func(digest ledger.Digest) error {
		_, err := copyBlob(ctx, files, to, digest)
		return err
	}); err != nil {
		return m, err
	}
	if err := copyTrees(from, made, append([]string{"id", "checkpoints"}, keyTrees()...)...); err != nil {
		return m, err
	}
	if !store.IsPostgres(database) { // one that is named from here may lie inside, too
		if database, err = filepath.Abs(database); err != nil {
			return m, err
		}
	}
	target, inside := database, false
	if local, err := filepath.Rel(data, database); err == nil && filepath.IsLocal(local) && !store.IsPostgres(database) {
		target, inside = filepath.Join(made, local), true
	}
	if err := loadTables(ctx, filepath.Join(from, "tables"), m, target, show); err != nil {
		if !inside && !store.IsPostgres(database) {
			err = fault.Wrap(err, "fill "+database)
		}
		return m, err
	}
	_ = os.Remove(data) // an empty directory
	return m, os.Rename(made, data)
}

// loadTables fills an empty database, upgrades it where the copy is older than
// the program, and asks for what is not copied: the search index.
func loadTables(ctx context.Context, dir string, m manifest, database string, show *progress) error {
	err := store.Load(ctx, database, m.Database, store.LoadOptions{
		Table:    func(name string) (io.ReadCloser, error) { return os.Open(filepath.Join(dir, name+".jsonl")) },
		Progress: func(done, of int64) { show.show("loading", done, of) },
	})
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, database, store.Options{Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	err = s.Update(ctx, func(tx *store.Tx) error {
		return tx.Enqueue(work.Order{Kind: labeling.WorkIndex, Key: "restored", Payload: struct{}{}})
	})
	if err == nil {
		if !m.Keys { // the next start makes a key, and servers of this database agree on that one
			err = s.ForgetFact(ctx, factHint)
		}
		if err == nil {
			_, err = s.CheckHistory(ctx) // Load compared where it ends; the upgrade may have gone on from there
		}
	}
	return errors.Join(err, s.Close())
}

// checkBackup reads a backup to its last byte before anything is made from it.
func checkBackup(ctx context.Context, dir string, show *progress) (manifest, error) {
	var m manifest
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil || m.Format != backupFormat {
		return m, fault.As(fault.Invalid, err, "%s is no whole backup: its manifest.json is missing or not of this kind.", dir)
	}
	for i, t := range m.Database.Tables {
		show.show("checking rows", int64(i), int64(len(m.Database.Tables)))
		if !filepath.IsLocal(t.Name) || filepath.Base(t.Name) != t.Name {
			return m, fault.New(fault.Invalid, "The backup names a table %q.", t.Name)
		}
		if got, err := digestFile(filepath.Join(dir, "tables", t.Name+".jsonl")); err != nil || got != t.Digest {
			return m, fault.As(fault.Conflict, err, "The backup was changed: the rows of the table %s are not those that were copied. Nothing was restored.", t.Name)
		}
	}
	if got, err := digestFile(filepath.Join(dir, "blobs.txt")); err != nil || got != m.Files.Digest {
		return m, fault.As(fault.Conflict, err, "The backup was changed: its list of files is not the one that was written. Nothing was restored.")
	}
	files, err := blob.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		return m, err
	}
	done := int64(0)
	err = eachBlob(dir, func(digest ledger.Digest) error {
		done++
		show.show("checking files", done, m.Files.Count)
		return files.Check(ctx, digest)
	})
	if err == nil && done != m.Files.Count {
		err = fault.New(fault.Conflict, "The backup lists %d files instead of %d.", done, m.Files.Count)
	}
	return m, err
}

// eachBlob calls visit with every file that a backup lists.
func eachBlob(dir string, visit func(ledger.Digest) error) error {
	raw, err := os.ReadFile(filepath.Join(dir, "blobs.txt"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(raw)) {
		digest, err := ledger.ParseDigest("sha256:" + strings.TrimSpace(line))
		if err == nil {
			err = visit(digest)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func digestFile(path string) (ledger.Digest, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	return digestReader(file)
}

// unpack reads a tar file of a backup; it takes plain files alone, and none
// that would stand elsewhere.
func unpack(from, to string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // nothing is written through it any more
	for in := tar.NewReader(file); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(strings.TrimSuffix(h.Name, "/"), 0o700)
		case tar.TypeReg:
			err = unpackFile(root, h, in)
		default:
			err = fmt.Errorf("%s is no plain file", h.Name)
		}
		if err != nil {
			return err
		}
	}
}

func unpackFile(root *os.Root, h *tar.Header, in io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(h.Name), 0o700); err != nil {
		return err
	}
	out, err := root.OpenFile(h.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fs.FileMode(h.Mode).Perm()&0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
