package app

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/blob"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/store"
)

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	database    string
	checkpoints []string
	write       string
	key         string
}

func doctorCommand() *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Re-walk the history and every file, and say what was changed behind the server's back",
		Long: "doctor reads the data directory itself, with or without a server running on it.\n" +
			"It exits 0 when every event follows the one before, every file has the bytes its name says and every checkpoint\n" +
			"stands in the history, else 1. --checkpoint reads checkpoints that were kept elsewhere (a file of the Git repository,\n" +
			"a saved mail): a history that was rewritten or cut since, however consistently, does not hold them.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, address, err := placeOf(cmd, o.database)
			if err != nil {
				return err
			}
			return doctor(cmd, address, d, o)
		},
	}
	databaseFlag(cmd, &o.database)
	cmd.Flags().StringArrayVar(&o.checkpoints, "checkpoint", nil, "file with checkpoints from elsewhere; may be given several times")
	cmd.Flags().StringVar(&o.write, "write-checkpoint", "", "sign the head of the history and add it to this file")
	cmd.Flags().StringVar(&o.key, "key", "", "public key that signed the checkpoints (default: the installation's own)")
	return cmd
}

// doctor checks the history and the files and prints what it finds, all of it.
func doctor(cmd *cobra.Command, database string, d *dataDir, o doctorOptions) error {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	s, err := store.Open(ctx, database, store.Options{Frozen: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // it was only read
	sound := true
	events, err := s.CheckHistory(ctx)
	if err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	if err != nil {
		sound = false
		if _, err := fmt.Fprintln(out, "history:", fault.Message(err)); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintf(out, "history: %d events, each follows the one before\n", events); err != nil {
		return err
	}
	files, err := blob.OpenAt(ctx, blobsAt(d), d.file("cache"))
	if err != nil {
		return err
	}
	checked := 0
	err = files.Each(func(digest ledger.Digest) error {
		checked++
		err := files.Check(ctx, digest)
		if !fault.Is(err, fault.Conflict) {
			return err
		}
		sound = false
		_, err = fmt.Fprintln(out, "file:", fault.Message(err))
		return err
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "files: %d checked\n", checked); err != nil {
		return err
	}
	if o.checkpoints = append(o.checkpoints, beside(d)...); len(o.checkpoints) > 0 {
		held, err := o.check(cmd, s, d)
		if err != nil {
			return err
		}
		sound = sound && held
	}
	if err := tellWitnesses(cmd, s); err != nil {
		return err
	}
	if sound && o.write != "" {
		return o.sign(cmd, s, d)
	}
	if !sound {
		return exit(exitFailed)
	}
	return nil
}

// blobsAt returns where a server keeps files that is started without --blobs.
func blobsAt(d *dataDir) string {
	if at := os.Getenv("ADJUDGE_BLOBS"); at != "" {
		return at
	}
	return d.file("blobs")
}
