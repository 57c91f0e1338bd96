package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/blob"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/media"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/labeling"
)

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	database    string
	checkpoints []string
	write       string
	keys        []string
	keyFile     string
	media       []string
}

func doctorCommand() *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Re-walk the history and every file, and say what was changed behind the server's back",
		Long: "doctor reads the data directory itself, with or without a server running on it.\n" +
			"It exits 0 when every event follows the one before, every row of the database is as the history says that the program\n" +
			"left it, every file has the bytes its name says and every checkpoint stands in the history, else 1. A row that was\n" +
			"changed, added or taken away past the program is named by its table and key. --checkpoint reads checkpoints that were kept elsewhere (a file of the Git repository,\n" +
			"a saved mail): a history that was rewritten or cut since, however consistently, does not hold them.\n" +
			"--media names the directories that serve --media names: what changed or is gone in them is named, item by item. Objects\n" +
			"of other directories and of hosts are counted alone.",
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
	cmd.Flags().StringArrayVar(&o.keys, "key", nil, "public key that signed the checkpoints, or a directory of them; may be given several times (default: the installation's own)")
	cmd.Flags().StringVar(&o.keyFile, "key-file", os.Getenv("ADJUDGE_KEY_FILE"), "file with the secret under which the database holds the signing key, as serve --key-file has it (default: $ADJUDGE_KEY_FILE)")
	cmd.Flags().StringArrayVar(&o.media, "media", strings.Fields(os.Getenv("ADJUDGE_MEDIA")), "NAME=DIR: a directory of pictures, recordings and videos, as serve --media has it; compares them with their digests (default: $ADJUDGE_MEDIA)")
	return cmd
}

// doctor checks the history and the files and prints what it finds, all of it.
func doctor(cmd *cobra.Command, database string, d *dataDir, o doctorOptions) error {
	ctx, out := cmd.Context(), terminal(cmd)
	places, err := mediaSettings(o.media, nil)
	if err != nil {
		return err
	}
	objects, err := media.Open(places)
	if err != nil {
		return err
	}
	defer func() { _ = objects.Close() }() // they were only read
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
	whole, err := reportErased(ctx, out, s)
	if err != nil {
		return err
	}
	sound = sound && whole
	whole, err = checkRows(ctx, out, s)
	if err != nil {
		return err
	}
	sound = sound && whole
	whole, err = checkFiles(ctx, out, s, d)
	if err != nil {
		return err
	}
	sound = sound && whole
	whole, err = checkMedia(ctx, out, s, objects)
	if err != nil {
		return err
	}
	sound = sound && whole
	if o.checkpoints = append(o.checkpoints, beside(d)...); len(o.checkpoints) > 0 {
		held, err := o.check(cmd, s, d)
		if err != nil {
			return err
		}
		sound = sound && held
	}
	whole, err = o.checkKeys(cmd, s, d)
	if err != nil {
		return err
	}
	sound = sound && whole
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

// checkFiles reads every file that is kept and looks for those that records name;
// it prints what is changed or missing and reports whether nothing is.
func checkFiles(ctx context.Context, out io.Writer, s *store.Store, d *dataDir) (bool, error) {
	missing, err := s.NeededFiles(ctx)
	if err != nil {
		return false, err
	}
	files, err := blob.OpenAt(ctx, blobsAt(d), d.file("cache"))
	if err != nil {
		return false, err
	}
	sound, checked := true, 0
	err = files.Each(func(digest ledger.Digest) error {
		checked++
		delete(missing, digest)
		err := files.Check(ctx, digest)
		if !fault.Is(err, fault.Conflict) {
			return err
		}
		sound = false
		_, err = fmt.Fprintln(out, "file:", fault.Message(err))
		return err
	})
	if err != nil {
		return false, err
	}
	for _, digest := range slices.Sorted(maps.Keys(missing)) {
		sound = false
		if _, err := fmt.Fprintf(out, "file: %s is missing; a record of kind %q names it\n", digest, missing[digest]); err != nil {
			return false, err
		}
	}
	if _, err = fmt.Fprintf(out, "files: %d checked\n", checked); err != nil {
		return false, err
	}
	return sound, reportInterrupted(out, files)
}

// checkMedia looks at every object that an item refers to in the directories that
// were named; it prints what changed or is gone and reports whether nothing did.
// Of the others nothing is known, which is no fault.
func checkMedia(ctx context.Context, out io.Writer, s *store.Store, objects *media.Sources) (bool, error) {
	var looked, faults, missed int
	err := s.EachReference(ctx, func(r store.Reference) error {
		found, unreachable := r.Media.Compare(objects.Look(ctx, r.Media.URI))
		if err := ctx.Err(); err != nil {
			return err
		}
		if fault.Is(unreachable, fault.Internal) {
			return unreachable
		}
		if unreachable == nil {
			looked++
		} else {
			missed++
		}
		words := map[labeling.MediaState]string{
			labeling.MediaGone:    "is gone",
			labeling.MediaChanged: fmt.Sprintf("changed: %s expected, %s found", r.Media.Digest, cmp.Or(found.Found, "more than may be read")),
		}[found.State]
		if words == "" { // right, or nobody knows
			return nil
		}
		faults++
		_, err := fmt.Fprintf(out, "media: %s of item %q in dataset %q of %s %s\n", r.Media.URI, r.Key, r.Dataset, r.Project, words)
		return err
	})
	if err != nil || looked+missed == 0 {
		return true, err
	}
	line := fmt.Sprintf("media: %d looked at, %d changed or gone", looked, faults)
	if missed > 0 {
		line += fmt.Sprintf("; %d could not be reached, on hosts or in directories that --media does not name or that cannot be read", missed)
	}
	_, err = fmt.Fprintln(out, line)
	return faults == 0, err
}

// reportInterrupted names what interrupted uploads left. It takes room and is no
// damage: what was acknowledged is elsewhere.
func reportInterrupted(out io.Writer, files blob.Store) error {
	left, err := files.Interrupted(time.Now().Add(-blob.Abandoned))
	if err != nil || len(left) == 0 {
		return err
	}
	if _, err := fmt.Fprintf(out, "uploads: %d were interrupted and left %.1f MB, which a server removes when it starts and every hour:\n", len(left), float64(bytesOf(left))/1e6); err != nil {
		return err
	}
	for _, one := range left {
		if _, err := fmt.Fprintf(out, "uploads: %s, %.1f MB, since %s\n", one.Path, float64(one.Bytes)/1e6, one.Since.UTC().Format("2006-01-02 15:04 MST")); err != nil {
			return err
		}
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

// reportErased says how many payloads of the history were erased, by whom and
// when, and reports whether each that is gone went by an erasure.
func reportErased(ctx context.Context, out io.Writer, s *store.Store) (bool, error) {
	causes, err := s.ErasedPayloads(ctx)
	if err != nil {
		return false, err
	}
	lost, count := []int64{}, map[int64]int{}
	var erasures []ledger.Event
	err = s.WalkHistory(ctx, func(r ledger.Record) error {
		if r.Kind == "person.erased" || r.Kind == "item.erased" {
			erasures = append(erasures, r.Event)
		}
		if r.Salt != nil {
			return nil
		}
		if cause, known := causes[r.Seq]; known {
			count[cause]++
		} else {
			lost = append(lost, r.Seq)
		}
		return nil
	})
	if err != nil && !fault.Is(err, fault.Conflict) {
		return false, err
	}
	for _, e := range erasures {
		if _, err := fmt.Fprintf(out, "erased: %s %s by %s on %s, %d payloads\n", e.Subject.Kind, e.Subject.ID, e.Actor, e.At.Format("2006-01-02 15:04:05 MST"), count[e.Seq]); err != nil {
			return false, err
		}
		delete(count, e.Seq)
	}
	for cause, n := range count { // what names an event that is no erasure was written by hand
		if _, err := fmt.Fprintf(out, "history: %d payloads are gone in the name of event %d, which erased nothing\n", n, cause); err != nil {
			return false, err
		}
	}
	if len(lost) > 0 {
		if _, err := fmt.Fprintf(out, "history: %d payloads are gone that nobody erased, the first of event %d\n", len(lost), lost[0]); err != nil {
			return false, err
		}
	}
	return len(lost) == 0 && len(count) == 0, nil
}
