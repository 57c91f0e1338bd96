package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// Retained is a kind of record that is kept for a time only.
type Retained string

// The kinds.
const (
	RetainDrafts   Retained = "drafts"   // what was begun and not sent
	RetainPresence Retained = "presence" // which page had which tasks, and who looked at what in which hour (the events stay)
	RetainLooks    Retained = "looks"    // what people who vote opened, and for how long (what a vote names stays with it)
	RetainLogins   Retained = "logins"   // sessions that have expired, with browser and address
	RetainLinks    Retained = "links"    // one-time links that have expired
	RetainTokens   Retained = "tokens"   // API tokens that have expired or were revoked
	RetainLogs     Retained = "logs"     // logs of training jobs that have ended
	RetainUploads  Retained = "uploads"  // files that were imported, or never were
	RetainTrash    Retained = "trash"    // what was deleted
)

// defaults is for how many days each kind is kept unless somebody says otherwise.
var defaults = []struct {
	kind Retained
	days int
}{
	{RetainDrafts, 90}, {RetainPresence, 2}, {RetainLooks, 180}, {RetainLogins, 30}, {RetainLinks, 30}, {RetainTokens, 365}, {RetainLogs, 365}, {RetainUploads, 90}, {RetainTrash, 30},
}

// MostDays is for how long a record can be kept other than for good.
const MostDays = 36_500

// Retention says for how long a kind of record is kept.
type Retention struct {
	Kind    Retained
	Days    int // 0: for good
	Default int
	Person  ledger.PersonID // who set it; empty where it is the default
	At      time.Time
}

// Keeping removes what is kept for a time only.
type Keeping interface {
	// Retentions lists what was set.
	Retentions() ([]Retention, error)
	SetRetention(Retention) error
	// Expire removes at most a number of records of a kind that ended before a
	// time and that no signature and no legal hold names. It returns how many it
	// did, and the files that they named.
	Expire(kind Retained, before time.Time, most int) (int64, []ledger.Digest, error)
}

// Retentions lists for how long each kind of record is kept, for admins.
func (s *Service) Retentions(ctx context.Context, actor ledger.Actor) (list []Retention, err error) {
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return nil, err
	}
	err = s.View(ctx, func(tx Tx) (err error) {
		list, err = retentions(tx)
		return err
	})
	return list, err
}

func retentions(tx Tx) ([]Retention, error) {
	set, err := tx.Retentions()
	if err != nil {
		return nil, fault.Wrap(err, "read retention")
	}
	var list []Retention
	for _, d := range defaults {
		r := Retention{Kind: d.kind, Days: d.days}
		for _, other := range set {
			if other.Kind == d.kind {
				r = other
			}
		}
		r.Default = d.days
		list = append(list, r)
	}
	return list, nil
}

func daysOf(tx Tx, kind Retained) (int, error) {
	list, err := retentions(tx)
	for _, r := range list {
		if r.Kind == kind {
			return r.Days, err
		}
	}
	return 0, err
}

// SetRetention says for how many days a kind of record is kept; 0 is for good.
// It needs an admin of the installation and a reason.
func (s *Service) SetRetention(ctx context.Context, actor ledger.Actor, kind Retained, days int, reason string) (Retention, error) {
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return Retention{}, err
	}
	var errs []error
	if days < 0 || days > MostDays {
		errs = append(errs, fault.Field("days", "Give a number of days between 1 and %d, or 0 to keep it for good.", MostDays))
	}
	why, err := ledger.Reason(reason, fault.Format("this is kept for another time"), true)
	if err := errors.Join(append(errs, err)...); err != nil {
		return Retention{}, err
	}
	var set Retention
	err = s.Update(ctx, func(tx Tx) error {
		list, err := retentions(tx)
		if err != nil {
			return err
		}
		for _, was := range list {
			if was.Kind != kind {
				continue
			}
			set = was
			if set.Days = days; was.Days == days {
				return nil
			}
			set.Person, set.At = actor.Person, tx.Now()
			if err := tx.SetRetention(set); err != nil {
				return fault.Wrap(err, "set retention")
			}
			return tx.Record(ledger.Entry{Actor: actor, Kind: "retention.changed", Subject: ledger.Subject{Kind: "retention", ID: string(kind)},
				Payload: map[string]any{ledger.KeyWas: map[string]int{"days": was.Days}, ledger.KeyIs: map[string]int{"days": days}, ledger.KeyReason: why}})
		}
		return fault.Field("kind", "%.40q is no kind of record that is kept for a time only.", string(kind))
	})
	return set, err
}

// WorkRetain removes what was kept long enough, once a day; its handler is Retain.
const WorkRetain = "erasure.retain"

type retainOrder struct {
	Day string `json:"day"`
}

// Start asks for the removal of today.
func (s *Service) Start(ctx context.Context, now time.Time) error {
	return s.Update(ctx, func(tx Tx) error { return tx.Enqueue(retainOn(now)) })
}

func retainOn(day time.Time) work.Order {
	key := day.UTC().Format(time.DateOnly)
	return work.Order{Kind: WorkRetain, Key: key, Payload: retainOrder{Day: key}, NotBefore: day.UTC().Truncate(24 * time.Hour)}
}

// Retain carries out WorkRetain and asks for the next day's.
func (s *Service) Retain(ctx context.Context, _ json.RawMessage) error {
	if _, err := s.Apply(ctx, ledger.System()); err != nil {
		return err
	}
	return s.Update(ctx, func(tx Tx) error { return tx.Enqueue(retainOn(tx.Now().AddDate(0, 0, 1))) })
}

// Applied says what was removed because it was kept long enough.
type Applied struct {
	Removed map[Retained]int64 `json:"removed"`
	Kept    []string           `json:"kept,omitempty"` // what is due, and why it stays
}

// Apply removes now what was kept long enough, and records what it removed as
// one event. It needs an admin of the installation.
func (s *Service) Apply(ctx context.Context, actor ledger.Actor) (Applied, error) {
	done := Applied{Removed: map[Retained]int64{}}
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return done, err
	}
	var list []Retention
	var now time.Time
	if err := s.View(ctx, func(tx Tx) (err error) {
		now = tx.Now()
		list, err = retentions(tx)
		return err
	}); err != nil {
		return done, err
	}
	for _, r := range list {
		if r.Days == 0 {
			continue
		}
		before := now.AddDate(0, 0, -r.Days)
		var err error
		if r.Kind == RetainTrash {
			err = s.purgeOld(ctx, before, &done)
		} else {
			err = s.expire(ctx, r.Kind, before, &done)
		}
		if err != nil {
			return done, err
		}
	}
	if len(done.Removed) == 0 {
		return done, nil
	}
	return done, s.Update(ctx, func(tx Tx) error {
		return tx.Record(ledger.Entry{Actor: actor, Kind: "retention.applied", Subject: ledger.Subject{Kind: "retention"}, Payload: done})
	})
}

func (s *Service) expire(ctx context.Context, kind Retained, before time.Time, done *Applied) error {
	for {
		var n int64
		var files []ledger.Digest
		if err := s.Update(ctx, func(tx Tx) (err error) {
			n, files, err = tx.Expire(kind, before, batch)
			return fault.Wrap(err, "remove "+string(kind))
		}); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		done.Removed[kind] += n
		if err := s.removeUnused(ctx, files); err != nil {
			return err
		}
	}
}

// purgeOld purges what lay in the trash long enough; what is still needed stays.
func (s *Service) purgeOld(ctx context.Context, before time.Time, done *Applied) error {
	var list []Trashed
	if err := s.View(ctx, func(tx Tx) (err error) {
		list, err = tx.InTrash()
		return err
	}); err != nil {
		return err
	}
	for _, kind := range TrashKinds() { // what is made of something goes before it
		for _, t := range list {
			if t.Kind != kind || !t.At.Before(before) {
				continue
			}
			err := s.purge(ctx, ledger.System(), t)
			if fault.Is(err, fault.Unmet) {
				done.Kept = append(done.Kept, fmt.Sprintf("%s %s: %s", t.Kind, t.ID, fault.Message(err)))
				continue
			}
			if err != nil {
				return err
			}
			done.Removed[RetainTrash]++
		}
	}
	return nil
}
