package app

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/blob"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/signer"
	"github.com/adjudge/adjudge/backend/store"
)

// A backup is a directory, or the same in one tar file:
//
//	manifest.json       what it holds, with a digest of each part; written last
//	tables/NAME.jsonl   the rows of each table; see store.Dump
//	blobs.txt, blobs/   the files that rows name, by digest
//	id, checkpoints/    the installation's name and its signed checkpoints
//	keys/               the signing key and the public keys before it, only with --with-keys
const backupFormat = "adjudge.backup.v1"

// manifest describes a backup.
type manifest struct {
	Format       string     `json:"format"`
	MadeAt       time.Time  `json:"madeAt"`
	Version      string     `json:"version"`
	Installation string     `json:"installation"`
	Keys         bool       `json:"keys"`
	Files        filesPart  `json:"files"`
	Database     store.Dump `json:"database"`
}

// filesPart describes the files of a backup.
type filesPart struct {
	Count  int64         `json:"count"`
	Bytes  int64         `json:"bytes"`
	Digest ledger.Digest `json:"digest"` // of blobs.txt, which lists their digests in order
}

func (m manifest) words() string {
	rows := int64(0)
	for _, t := range m.Database.Tables {
		rows += t.Rows
	}
	return fmt.Sprintf("%d events of history, %d rows, %d files (%d bytes)", m.Database.Events, rows, m.Files.Count, m.Files.Bytes)
}

func backupCommand() *cobra.Command {
	var database string
	var withKeys, asJSON bool
	cmd := &cobra.Command{
		Use:   "backup DIR|FILE.tar",
		Short: "Copy everything, as it is at one moment, while the server runs",
		Long: "backup copies the database, the files that it names, the checkpoints and, with --with-keys, the signing key.\n" +
			"What was acknowledged before it began is in the copy, and the server goes on answering. On the same disk files are\n" +
			"linked instead of copied. Who has the key can sign in your name: keep a backup that holds it as safe as the key.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, address, err := placeOf(cmd, database)
			if err != nil {
				return err
			}
			show := newProgress(cmd, asJSON)
			m, err := backup(cmd.Context(), d, address, args[0], withKeys, show)
			if err != nil {
				show.end()
				return err
			}
			words := fmt.Sprintf("Backup in %s: %s.", args[0], m.words())
			if !withKeys {
				words += " Without the signing key (--with-keys); its public half is in it."
			}
			return show.finish(cmd, asJSON, m, words)
		},
	}
	databaseFlag(cmd, &database)
	cmd.Flags().BoolVar(&withKeys, "with-keys", false, "copy the signing key, too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func databaseFlag(cmd *cobra.Command, database *string) {
	cmd.Flags().StringVar(database, "database", os.Getenv("ADJUDGE_DATABASE"), "database: a path or postgres://… (default: $ADJUDGE_DATABASE, else adjudge.db in the data directory)")
}

// placeOf returns the data directory and the database that a command reads
// itself, with or without a server running on them.
func placeOf(cmd *cobra.Command, database string) (*dataDir, string, error) {
	flag, _ := cmd.Flags().GetString("data")
	path, err := dataPath(flag)
	if err != nil {
		return nil, "", err
	}
	d := &dataDir{path: path}
	if database == "" {
		database = d.file("adjudge.db")
	}
	raw, err := os.ReadFile(d.file("id"))
	d.id = strings.TrimSpace(string(raw))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", fault.As(fault.Unavailable, err, "The data directory %s cannot be read", path)
	}
	return d, database, nil
}

// backup writes a backup beside its place and moves it there when it is whole.
func backup(ctx context.Context, d *dataDir, database, to string, withKeys bool, show *progress) (m manifest, err error) {
	if entries, err := os.ReadDir(to); len(entries) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, fault.New(fault.Invalid, "%s exists already. Name a new file or directory.", to)
	}
	part := to + ".part"
	if err := os.Mkdir(part, 0o700); err != nil {
		return m, fault.As(fault.Unavailable, err, "The backup cannot be written to %s", part)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(part)) }() // renamed where all went well
	if m, err = fillBackup(ctx, d, database, part, withKeys, show); err != nil {
		return m, err
	}
	if strings.HasSuffix(to, ".tar") {
		packed := part + ".tar"
		if err := errors.Join(pack(part, packed), os.Rename(packed, to)); err != nil {
			_ = os.Remove(packed)
			return m, fault.As(fault.Unavailable, err, "The backup cannot be written to %s", to)
		}
		return m, nil
	}
	_ = os.Remove(to) // an empty directory
	return m, os.Rename(part, to)
}

func fillBackup(ctx context.Context, d *dataDir, database, part string, withKeys bool, show *progress) (manifest, error) {
	m := manifest{Format: backupFormat, MadeAt: now().UTC(), Version: version(), Installation: d.id, Keys: withKeys}
	s, err := store.Open(ctx, database, store.Options{Frozen: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return m, err
	}
	defer func() { _ = s.Close() }() // it was only read
	files, err := blob.OpenAt(ctx, blobsAt(d), d.file("cache"))
	if err == nil {
		err = os.Mkdir(filepath.Join(part, "tables"), 0o700)
	}
	if err != nil {
		return m, err
	}
	// Before the rows: a checkpoint that is made meanwhile may name an event that the
	// copy of the history does not hold, and would say for ever that it was cut.
	if err := copyTrees(d.path, part, "id", "checkpoints"); err != nil {
		return m, err
	}
	named := &references{found: map[string]bool{}}
	m.Database, err = s.Dump(ctx, store.DumpOptions{
		// A file is there before the row that names it, so a list that is made
		// now misses none of those that the rows name.
		Begun: func() error { return named.list(files) },
		Table: func(name string) (io.WriteCloser, error) {
			file, err := os.OpenFile(filepath.Join(part, "tables", name+".jsonl"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			named.tail = named.tail[:0]
			return tableFile{file, io.MultiWriter(file, named)}, err
		},
		Progress: func(done, of int64) { show.show("rows", done, of) },
	})
	if err != nil {
		return m, err
	}
	if m.Files, err = copyBlobs(ctx, files, slices.Sorted(maps.Keys(named.found)), part, show); err != nil {
		return m, err
	}
	if withKeys {
		if err := copyTrees(d.path, part, keyTrees()...); err != nil {
			return m, err
		}
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		err = writeFile(filepath.Join(part, "manifest.json"), append(raw, '\n'))
	}
	return m, err
}

// tableFile is on the disk when it is closed.
type tableFile struct {
	file *os.File
	io.Writer
}

func (t tableFile) Close() error { return errors.Join(t.file.Sync(), t.file.Close()) }

// references looks for digests of files in whatever rows are written, so that
// no table has to say which of its columns name a file.
type references struct {
	present map[string]bool
	found   map[string]bool
	tail    []byte
}

func (r *references) list(files blob.Store) error {
	r.present = map[string]bool{}
	return files.Each(func(digest ledger.Digest) error {
		r.present[digest.Hex()] = true
		return nil
	})
}

const hexDigits = sha256.Size * 2

func (r *references) Write(p []byte) (int, error) {
	prefix := []byte("sha256:")
	rest := append(r.tail, p...)
	for {
		i := bytes.Index(rest, prefix)
		if i < 0 {
			r.tail = append(r.tail[:0], rest[max(0, len(rest)-len(prefix)+1):]...)
			return len(p), nil
		}
		if len(rest) < i+len(prefix)+hexDigits {
			r.tail = append(r.tail[:0], rest[i:]...)
			return len(p), nil
		}
		rest = rest[i+len(prefix):]
		if name := string(rest[:hexDigits]); r.present[name] {
			r.found[name] = true
		}
	}
}

// copyBlobs links or copies files into a backup and reads each to the end, for
// a backup of a file that has changed is none.
func copyBlobs(ctx context.Context, files blob.Store, names []string, part string, show *progress) (filesPart, error) {
	list := strings.Join(append(names, ""), "\n")
	p := filesPart{Count: int64(len(names)), Digest: ledger.DigestOf([]byte(list))}
	if err := writeFile(filepath.Join(part, "blobs.txt"), []byte(list)); err != nil {
		return p, err
	}
	to, err := blob.Open(filepath.Join(part, "blobs"))
	if err != nil {
		return p, err
	}
	for i, name := range names {
		show.show("files", int64(i), p.Count)
		digest := ledger.Digest("sha256:" + name)
		size, err := copyBlob(ctx, files, to, digest)
		if err != nil {
			return p, err
		}
		p.Bytes += size
	}
	return p, nil
}

func copyBlob(ctx context.Context, from, to blob.Store, digest ledger.Digest) (int64, error) {
	if size, linked := linkBlob(from, to, digest); linked {
		return size, to.Check(ctx, digest)
	}
	in, err := from.Open(ctx, digest)
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }() // it was only read
	got, size, err := to.Put(ctx, in)
	if err == nil && got != digest {
		err = fault.New(fault.Conflict, "The file %s was changed; its bytes now have the digest %s.", digest, got)
	}
	return size, err
}

// linkBlob gives a file of one directory a second name in another, where both
// are on one disk; nobody ever writes such a file again.
func linkBlob(from, to blob.Store, digest ledger.Digest) (size int64, linked bool) {
	source, ok := from.(*blob.Dir)
	target, ok2 := to.(*blob.Dir)
	if !ok || !ok2 {
		return 0, false
	}
	path := target.Path(digest)
	if os.MkdirAll(filepath.Dir(path), 0o700) != nil || os.Link(source.Path(digest), path) != nil {
		return 0, false
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	return info.Size(), true
}

// keyTrees are the directories of the signing key: its own, and that of the public
// halves of the keys before it.
func keyTrees() []string { return []string{"keys", filepath.Join("keys", signer.KnownDir)} }

// copyTrees copies parts of one directory into another.
func copyTrees(from, to string, names ...string) error {
	for _, name := range names {
		if err := copyTree(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return nil
}

// copyTree copies a file, or the plain files of a directory; what is not there
// is passed over.
func copyTree(from, to string) error {
	info, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		raw, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		return errors.Join(writeFile(to, raw), os.Chmod(to, info.Mode().Perm()))
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			err = errors.Join(err, copyTree(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())))
		}
	}
	return err
}

// pack writes a directory into one file.
func pack(dir, to string) error {
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := tar.NewWriter(out)
	err = w.AddFS(os.DirFS(dir))
	return errors.Join(err, w.Close(), out.Sync(), out.Close())
}
