package app

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
)

func moveCommand() *cobra.Command {
	var database, to string
	cmd := &cobra.Command{
		Use:   "move --to DATABASE",
		Short: "Copy the database of a data directory into another, empty one, as from SQLite to PostgreSQL",
		Long: "move copies every row into an empty database (--to: postgres://…, or a path) and compares the digest of every table\n" +
			"and the history on both sides. No server may run on the data directory meanwhile. Files, keys and settings stay where\n" +
			"they are, and so does the old database, untouched; start the server with --database and the new address afterwards.\n" +
			"The search index is not copied: the server builds it anew and says so.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, from, err := placeOf(cmd, database)
			if err != nil {
				return err
			}
			owned, err := openData(d.path)
			if err != nil {
				return err
			}
			show := newProgress(cmd, false)
			dump, err := move(cmd, owned, from, to, show)
			if err = errors.Join(err, owned.lock.Close()); err != nil {
				show.end()
				return err
			}
			return show.finish(cmd, false, dump, fmt.Sprintf("Moved: %d tables and %d events of history, the same on both sides. Start the server with --database and the new address.",
				len(dump.Tables), dump.Events))
		},
	}
	databaseFlag(cmd, &database)
	cmd.Flags().StringVar(&to, "to", "", "the new database: postgres://… or a path")
	_ = cmd.MarkFlagRequired("to") // the flag exists
	return cmd
}

func move(cmd *cobra.Command, d *dataDir, from, to string, show *progress) (dump store.Dump, err error) {
	ctx := cmd.Context()
	s, err := store.Open(ctx, from, store.Options{Frozen: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return dump, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := s.CheckHistory(ctx); err != nil {
		return dump, err
	}
	rows, err := os.MkdirTemp(d.path, "moving-*")
	if err != nil {
		return dump, fault.As(fault.Unavailable, err, "The data directory %s cannot be written", d.path)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(rows)) }()
	if dump, err = s.Dump(ctx, store.DumpOptions{
		Table:    func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(rows, name+".jsonl")) },
		Progress: func(done, of int64) { show.show("rows", done, of) },
	}); err != nil {
		return dump, err
	}
	return dump, loadTables(ctx, rows, manifest{Database: dump, Keys: true}, to, show)
}

// digestReader returns the digest of what it reads.
func digestReader(in io.Reader) (ledger.Digest, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, in); err != nil {
		return "", err
	}
	return ledger.DigestFrom([sha256.Size]byte(sum.Sum(nil))), nil
}
