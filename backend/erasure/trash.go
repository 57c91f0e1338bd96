package erasure

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// The kinds of things that go to the trash, in the order in which one needs
// another.
const (
	TrashComparison = "comparison"
	TrashModel      = "model"
	TrashSnapshot   = "snapshot"
	TrashDataset    = "dataset"
	TrashProject    = "project"
)

// TrashKinds lists them.
func TrashKinds() []string {
	return []string{TrashComparison, TrashModel, TrashSnapshot, TrashDataset, TrashProject}
}

// Trashed is something in the trash, or on its way there.
type Trashed struct {
	Kind    string
	Project ledger.ProjectID // its own id for a project
	ID      string           // a comparison's digest
	Name    string
	Reason  string
	Person  ledger.PersonID
	At      time.Time
	Purge   time.Time // when it is purged; zero: never by itself
	Kept    string    // why it cannot be purged now; empty where it can
}

// Trash keeps what was deleted.
type Trash interface {
	// Deletable finds something by id, not in the trash yet: NotFound where it is
	// not there.
	Deletable(kind string, project ledger.ProjectID, id string) (Trashed, error)
	// NeededBy lists in words what still needs a thing: candidates, signatures,
	// what was made of it, work that runs.
	NeededBy(Trashed) ([]string, error)
	PutInTrash(Trashed) error
	// TakeFromTrash makes a thing visible again.
	TakeFromTrash(Trashed) error
	// InTrash lists what is in the trash and not purged, the latest first.
	InTrash() ([]Trashed, error)
	// Purge takes the contents of a thing away, at most a number of rows at once.
	// It returns the files that it named and whether there is more to do.
	Purge(t Trashed, most int) (files []ledger.Digest, more bool, err error)
	// Purged keeps a thing hidden for good.
	Purged(t Trashed, at time.Time) error
}

// Delete puts something into the trash, from where it can be restored for as
// long as retention says. It needs ActionManage in the project, and returns
// Unmet where a candidate, a signature, something made of it, work that runs, or
// a legal hold needs it. A token deletes nothing: what speaks against a model could
// go that way.
func (s *Service) Delete(ctx context.Context, actor ledger.Actor, kind string, project ledger.ProjectID, id, reason string) (Trashed, error) {
	if err := actor.Must(project, ledger.ActionManage); err != nil {
		return Trashed{}, err
	}
	if err := actor.MustBeThere(); err != nil {
		return Trashed{}, err
	}
	if !slices.Contains(TrashKinds(), kind) {
		return Trashed{}, fault.Field("kind", "%.40q cannot be deleted; choose %s.", kind, strings.Join(TrashKinds(), ", "))
	}
	why, err := ledger.Reason(reason, fault.Format("this is deleted"), false)
	if err != nil {
		return Trashed{}, err
	}
	var t Trashed
	err = s.Update(ctx, func(tx Tx) error {
		if t, err = tx.Deletable(kind, project, id); err != nil {
			return err
		}
		kept, err := keptBy(tx, t)
		if err != nil {
			return err
		}
		if kept != "" {
			return fault.New(fault.Unmet, "%s cannot be deleted. %s", t.Name, kept)
		}
		t.Reason, t.Person, t.At = why, actor.Person, tx.Now()
		if err := tx.PutInTrash(t); err != nil {
			return fault.Wrap(err, "put into the trash")
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: kind + ".deleted", Subject: ledger.Subject{Kind: kind, ID: t.ID}, Payload: trashPayload(t, why)})
	})
	return t, err
}

func trashPayload(t Trashed, reason string) map[string]string {
	payload := map[string]string{"name": t.Name}
	if reason != "" {
		payload[ledger.KeyReason] = reason
	}
	return payload
}

// keptBy says what keeps a thing from the trash, or from being purged.
func keptBy(tx Tx, t Trashed) (string, error) {
	holds, err := heldThings(tx)
	if err != nil {
		return "", err
	}
	on := Holdable{Kind: t.Kind, ID: t.ID, Project: t.Project}
	if held := Keeps(holds, on); held != nil {
		return keptWords(held, on), nil
	}
	needed, err := tx.NeededBy(t)
	return strings.Join(needed, " "), err
}

// find returns a thing from the trash, or NotFound.
func find(tx Tx, kind string, project ledger.ProjectID, id string) (Trashed, error) {
	list, err := tx.InTrash()
	for _, t := range list {
		if t.Kind == kind && t.Project == project && t.ID == id {
			return t, nil
		}
	}
	if err == nil {
		err = fault.New(fault.NotFound, "This is not in the trash; it may have been restored or purged.")
	}
	return Trashed{}, err
}

// Restore takes something out of the trash. It needs ActionManage in the project.
func (s *Service) Restore(ctx context.Context, actor ledger.Actor, kind string, project ledger.ProjectID, id string) (Trashed, error) {
	if err := actor.Must(project, ledger.ActionManage); err != nil {
		return Trashed{}, err
	}
	var t Trashed
	err := s.Update(ctx, func(tx Tx) (err error) {
		if t, err = find(tx, kind, project, id); err != nil {
			return err
		}
		if err := tx.TakeFromTrash(t); err != nil {
			return fault.Wrap(err, "restore from the trash")
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: kind + ".restored", Subject: ledger.Subject{Kind: kind, ID: id}, Payload: trashPayload(t, "")})
	})
	return t, err
}

// Lying returns something that is in the trash. It needs ActionManage in the
// project and returns NotFound where it was restored or purged meanwhile.
func (s *Service) Lying(ctx context.Context, actor ledger.Actor, kind string, project ledger.ProjectID, id string) (t Trashed, err error) {
	if err := actor.Must(project, ledger.ActionManage); err != nil {
		return Trashed{}, err
	}
	err = s.View(ctx, func(tx Tx) (err error) {
		t, err = find(tx, kind, project, id)
		return err
	})
	return t, err
}

// Standing returns something that could be put into the trash, by its name. It
// needs ActionManage in the project and returns NotFound where it lies there.
func (s *Service) Standing(ctx context.Context, actor ledger.Actor, kind string, project ledger.ProjectID, id string) (t Trashed, err error) {
	if err := actor.Must(project, ledger.ActionManage); err != nil {
		return Trashed{}, err
	}
	err = s.View(ctx, func(tx Tx) (err error) {
		t, err = tx.Deletable(kind, project, id)
		return err
	})
	return t, err
}

// Deleted lists what is in the trash of the projects that the actor manages, the
// latest first, with when it is purged and what keeps it from that.
func (s *Service) Deleted(ctx context.Context, actor ledger.Actor) ([]Trashed, error) {
	var mine []Trashed
	err := s.View(ctx, func(tx Tx) error {
		mine = nil
		days, err := daysOf(tx, RetainTrash)
		if err != nil {
			return err
		}
		all, err := tx.InTrash()
		if err != nil {
			return err
		}
		for _, t := range all {
			if !actor.May(t.Project, ledger.ActionManage) {
				continue
			}
			if days > 0 {
				t.Purge = t.At.AddDate(0, 0, days)
			}
			if t.Kept, err = keptBy(tx, t); err != nil {
				return err
			}
			mine = append(mine, t)
		}
		return nil
	})
	return mine, err
}

// Purge takes something in the trash away for good, before its time. It needs an
// admin of the installation and returns Unmet, with the reason and the names,
// where a signature or a legal hold names it.
func (s *Service) Purge(ctx context.Context, actor ledger.Actor, kind string, project ledger.ProjectID, id string) (Trashed, error) {
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return Trashed{}, err
	}
	if err := actor.MustBeThere(); err != nil {
		return Trashed{}, err
	}
	var t Trashed
	if err := s.View(ctx, func(tx Tx) (err error) {
		t, err = find(tx, kind, project, id)
		return err
	}); err != nil {
		return t, err
	}
	return t, s.purge(ctx, actor, t)
}

// purge takes the contents of a thing away in small transactions, then its files.
func (s *Service) purge(ctx context.Context, actor ledger.Actor, t Trashed) error {
	for more := true; more; {
		var files []ledger.Digest
		err := s.Update(ctx, func(tx Tx) error {
			files, more = nil, false
			kept, err := keptBy(tx, t)
			if err != nil {
				return err
			}
			if kept != "" {
				return fault.New(fault.Unmet, "%s cannot be purged. %s", t.Name, kept)
			}
			if files, more, err = tx.Purge(t, batch); err != nil || more {
				return err
			}
			if err := tx.Purged(t, tx.Now()); err != nil {
				return err
			}
			return tx.Record(ledger.Entry{Actor: actor, Project: t.Project, Kind: t.Kind + ".purged", Subject: ledger.Subject{Kind: t.Kind, ID: t.ID}, Payload: trashPayload(t, "")})
		})
		if err == nil {
			err = s.removeUnused(ctx, files)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// removeUnused takes files away that nothing needs any more.
func (s *Service) removeUnused(ctx context.Context, files []ledger.Digest) error {
	var errs []error
	for _, digest := range files {
		if digest == "" {
			continue
		}
		used := true
		err := s.View(ctx, func(tx Tx) (err error) {
			used, err = tx.FileUsed(digest)
			return err
		})
		if err == nil && !used {
			err = s.Files.Remove(ctx, digest)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
