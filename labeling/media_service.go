package labeling

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// The events about objects; their subject is the item, their payload names the
// two digests.
const (
	EventMediaChanged  = "media.changed"
	EventMediaGone     = "media.gone"
	EventMediaRestored = "media.restored"
)

// EventMediaChecked says that all objects of a dataset were looked at.
const EventMediaChecked = "dataset.media_checked"

// WorkMedia is the kind of work that looks at all objects of a dataset; its
// handler is RunMediaCheck.
const WorkMedia = "labeling.media"

// mediaChunk is how many items with objects are committed at once.
const mediaChunk = 50

// mediaAtOnce is how many objects are read side by side.
const mediaAtOnce = 4

// errNoMedia is what is said where the operator named no place.
var errNoMedia = fault.Field("media", "This server reads no pictures, recordings or videos. Its operator names a directory with serve --media NAME=DIR, or a host with --media-host.")

// lookAt reads the objects of a chunk once and refuses the items whose object is
// missing, too large, or of a kind that is not shown.
func (s *Service) lookAt(ctx context.Context, c *chunk) error {
	problems := make([]error, len(c.items))
	var looking sync.WaitGroup
	slots := make(chan struct{}, mediaAtOnce)
	for n := range c.items {
		item := &c.items[n].Item
		if item.Media == nil {
			continue
		}
		slots <- struct{}{}
		looking.Go(func() {
			problems[n] = s.digest(ctx, item)
			<-slots
		})
	}
	looking.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	kept := c.items[:0]
	for n, in := range c.items {
		switch err := problems[n]; {
		case err == nil:
			kept = append(kept, in)
		case fault.Is(err, fault.Internal):
			return err
		default:
			c.refuse(ImportProblem{Line: in.Line, Reason: strings.TrimSuffix(fault.Message(err), ".")})
		}
	}
	c.items = kept
	return nil
}

// digest looks at the object of an item that comes in.
func (s *Service) digest(ctx context.Context, item *Item) error {
	if s.Media == nil {
		return errNoMedia
	}
	uri, err := s.Media.Name(item.Media.URI)
	if err != nil {
		return err
	}
	found, err := s.Media.Look(ctx, uri)
	if err != nil {
		return err
	}
	if found.Type == "" {
		return fault.Field("media", "%s is no picture (JPEG, PNG, GIF, WebP), recording (WAV, MP3, Ogg) or video (MP4, WebM) by its first bytes; convert it to one of these", uri)
	}
	item.Media = &Media{URI: uri, Digest: found.Digest, Bytes: found.Bytes, Type: found.Type}
	item.Content = contentOf(item.Text, item.Media)
	return nil
}

// OpenMedia returns the object of an item: its bytes as they were read just now,
// all of them, under the digest of the import. Where something else stands there,
// or nothing, it returns Conflict or NotFound in words and notes that, once for
// each thing that was found. Whoever may read the item may see its object.
func (s *Service) OpenMedia(ctx context.Context, actor ledger.Actor, project ProjectID, id ItemID) (Item, MediaObject, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Item{}, MediaObject{}, err
	}
	var item Item
	err := s.View(ctx, func(tx Tx) (err error) {
		item, err = itemIn(tx, project, id)
		return err
	})
	if err != nil {
		return Item{}, MediaObject{}, err
	}
	if item.Media == nil {
		return Item{}, MediaObject{}, fault.New(fault.NotFound, "This item is a text alone.")
	}
	if err := s.Viewed(ctx, actor, project, item.Dataset); err != nil {
		return Item{}, MediaObject{}, err
	}
	if s.Media == nil {
		return Item{}, MediaObject{}, errNoMedia
	}
	object, found, err := s.compare(ctx, item, s.Media.Fetch)
	if err != nil {
		return Item{}, MediaObject{}, err
	}
	if item, err = s.noteMedia(ctx, actor, item, found); err == nil {
		err = item.Media.Err()
	}
	if err != nil {
		if object.ReadSeekCloser != nil {
			_ = object.Close() // it is not shown
		}
		return Item{}, MediaObject{}, err
	}
	return item, object, nil
}

// compare reads an object and says what is wrong with it. An error says that
// nothing is known about it now.
func (s *Service) compare(ctx context.Context, item Item, read func(context.Context, string) (MediaObject, error)) (MediaObject, MediaFault, error) {
	object, err := read(ctx, item.Media.URI)
	found, err := item.Media.Compare(object, err)
	return object, found, err
}

// noteMedia keeps what a look at an object found, with an event where that is new.
func (s *Service) noteMedia(ctx context.Context, actor ledger.Actor, item Item, found MediaFault) (Item, error) {
	if item.Media.Fault.same(found) {
		return item, nil
	}
	err := s.Update(ctx, func(tx Tx) error {
		now, err := tx.Item(item.ID)
		if err != nil {
			return fault.Wrap(err, "find item")
		}
		if now.Media == nil { // erased meanwhile
			return fault.New(fault.NotFound, "This item is a text alone.")
		}
		if item = now; now.Media.Fault.same(found) {
			return nil
		}
		kind := map[MediaState]string{MediaChanged: EventMediaChanged, MediaGone: EventMediaGone, MediaRight: EventMediaRestored}[found.State]
		media := *now.Media
		if media.Fault = found; found.State != MediaRight {
			media.Fault.At = tx.Now()
		}
		item.Media = &media
		if err := tx.SetMediaFault(item.ID, media.Fault); err != nil {
			return fault.Wrap(err, "note what is wrong with an object")
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: item.Project, Kind: kind, Subject: ledger.Subject{Kind: "item", ID: string(item.ID)},
			Payload: map[string]any{"dataset": item.Dataset, "expected": media.Digest, "found": found.Found}})
	})
	return item, err
}

// MediaReport is what is known about the objects of a dataset.
type MediaReport struct {
	Dataset Dataset
	Items   int64      // that refer to objects
	Faulty  int64      // of them whose object changed or is gone
	Check   MediaCheck // the last one, or the one that runs; zero where there was none
	Faults  []Item     // the first of them
}

// mostFaults is how many faults a report lists.
const mostFaults = 200

// MediaReport returns what is known about the objects of a dataset, by name or id.
func (s *Service) MediaReport(ctx context.Context, actor ledger.Actor, project ProjectID, dataset string) (MediaReport, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return MediaReport{}, err
	}
	var r MediaReport
	err := s.View(ctx, func(tx Tx) (err error) {
		r = MediaReport{}
		if r.Dataset, err = datasetBy(tx, project, dataset); err != nil {
			return err
		}
		if r.Items, r.Faulty, err = tx.CountMedia(r.Dataset.ID); err != nil {
			return fault.Wrap(err, "count objects")
		}
		if r.Check, err = tx.MediaCheck(r.Dataset.ID); err != nil && !fault.Is(err, fault.NotFound) {
			return fault.Wrap(err, "find the last check")
		}
		r.Faults, err = tx.MediaItems(r.Dataset.ID, "", mostFaults, true)
		return fault.Wrap(err, "list faults")
	})
	return r, err
}

// MediaCount is how many items of a dataset refer to objects, and how many of
// these are not right.
type MediaCount struct{ Items, Faulty int64 }

// MediaCounts counts the objects of every dataset of a project that has any.
func (s *Service) MediaCounts(ctx context.Context, actor ledger.Actor, project ProjectID) (map[DatasetID]MediaCount, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return nil, err
	}
	counts := map[DatasetID]MediaCount{}
	err := s.View(ctx, func(tx Tx) error {
		clear(counts)
		datasets, err := tx.Datasets(project)
		if err != nil {
			return fault.Wrap(err, "list datasets")
		}
		for _, d := range datasets {
			var c MediaCount
			if c.Items, c.Faulty, err = tx.CountMedia(d.ID); err != nil {
				return fault.Wrap(err, "count objects")
			}
			if c.Items > 0 {
				counts[d.ID] = c
			}
		}
		return nil
	})
	return counts, err
}

// CheckMedia lets all objects of a dataset be looked at, behind the scenes. A
// check that runs already goes on.
func (s *Service) CheckMedia(ctx context.Context, actor ledger.Actor, project ProjectID, dataset string) (MediaReport, error) {
	if err := actor.Must(project, ledger.ActionImport); err != nil {
		return MediaReport{}, err
	}
	if s.Media == nil {
		return MediaReport{}, errNoMedia
	}
	err := s.Update(ctx, func(tx Tx) error {
		d, err := datasetBy(tx, project, dataset)
		if err != nil {
			return err
		}
		was, err := tx.MediaCheck(d.ID)
		if err == nil && was.FinishedAt.IsZero() {
			return tx.Enqueue(work.Order{Kind: WorkMedia, Key: string(d.ID), Payload: mediaWork{d.ID}})
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return fault.Wrap(err, "find the last check")
		}
		of, _, err := tx.CountMedia(d.ID)
		if err != nil {
			return fault.Wrap(err, "count objects")
		}
		if of == 0 {
			return fault.New(fault.Unmet, "The items of %s are texts alone; there is nothing to check.", d.Name)
		}
		if err := tx.SaveMediaCheck(MediaCheck{Dataset: d.ID, Of: of, By: actor.Person, StartedAt: tx.Now()}); err != nil {
			return fault.Wrap(err, "begin a check")
		}
		return tx.Enqueue(work.Order{Kind: WorkMedia, Key: string(d.ID), Payload: mediaWork{d.ID}})
	})
	if err != nil {
		return MediaReport{}, err
	}
	return s.MediaReport(ctx, actor, project, dataset)
}

type mediaWork struct{ Dataset DatasetID }

// RunMediaCheck carries out WorkMedia: it looks at one object after the other, a
// few side by side, and commits how far it is, so that it may die and go on.
func (s *Service) RunMediaCheck(ctx context.Context, payload json.RawMessage) error {
	var order mediaWork
	if err := json.Unmarshal(payload, &order); err != nil {
		return fault.As(fault.Invalid, err, "work of kind %s", WorkMedia)
	}
	if s.Media == nil {
		return s.leaveMediaCheck(ctx, order.Dataset)
	}
	for {
		var check MediaCheck
		var items []Item
		err := s.View(ctx, func(tx Tx) (err error) {
			if check, err = tx.MediaCheck(order.Dataset); err != nil {
				return err
			}
			items, err = tx.MediaItems(order.Dataset, check.After, mediaChunk, false)
			return err
		})
		switch {
		case fault.Is(err, fault.NotFound):
			return nil
		case err != nil:
			return fault.Wrap(err, "find objects to check")
		case !check.FinishedAt.IsZero():
			return nil
		}
		next := check
		if err := s.checkSome(ctx, &next, items); err != nil {
			return err
		}
		more, err := s.keepCheck(ctx, check, next, len(items) == 0)
		if err != nil || !more {
			return err
		}
	}
}

// mediaPatience is how long a server whose operator named no place leaves a check
// to other servers that may have one.
const mediaPatience = 5 * time.Minute

// leaveMediaCheck gives a check back for another server of the installation, as
// Unavailable. One that no other takes up is ended, for nobody could look: what is
// left of it is counted as out of reach, and the report says so.
func (s *Service) leaveMediaCheck(ctx context.Context, dataset DatasetID) error {
	var check MediaCheck
	err := s.View(ctx, func(tx Tx) (err error) {
		check, err = tx.MediaCheck(dataset)
		return err
	})
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return fault.Wrap(err, "find a check to leave")
	case !check.FinishedAt.IsZero():
		return nil
	case s.left.since(check, s.Now()) < mediaPatience:
		return fault.New(fault.Unavailable, "This server reads no pictures, recordings or videos. The check waits for another one that does.")
	}
	end := check
	end.Done, end.Missed = max(check.Of, check.Done), check.Missed+max(0, check.Of-check.Done)
	if _, err := s.keepCheck(ctx, check, end, true); err != nil {
		return err
	}
	return nil
}

// leftChecks remembers where checks stood that this server left to others.
type leftChecks struct {
	mu   sync.Mutex
	left map[DatasetID]leftCheck
}

type leftCheck struct {
	check MediaCheck
	at    time.Time
}

// since returns for how long a check was seen to stand where it stands.
func (l *leftChecks) since(check MediaCheck, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seen, ok := l.left[check.Dataset]; ok && seen.check == check {
		return now.Sub(seen.at)
	}
	if l.left == nil {
		l.left = map[DatasetID]leftCheck{}
	}
	l.left[check.Dataset] = leftCheck{check, now}
	return 0
}

// checkSome looks at some objects and counts them.
func (s *Service) checkSome(ctx context.Context, check *MediaCheck, items []Item) error {
	actor := ledger.Actor{Person: check.By, Via: ledger.ViaSystem}
	found, errs := make([]MediaFault, len(items)), make([]error, len(items))
	var looking sync.WaitGroup
	slots := make(chan struct{}, mediaAtOnce)
	for n, item := range items {
		slots <- struct{}{}
		looking.Go(func() {
			_, found[n], errs[n] = s.compare(ctx, item, s.Media.Look)
			<-slots
		})
	}
	looking.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for n, item := range items {
		check.Done++
		check.After = item.ID
		switch err := errs[n]; {
		case fault.Is(err, fault.Internal):
			return err
		case err != nil:
			check.Missed++
			continue
		case found[n].State != MediaRight:
			check.Faults++
		}
		if _, err := s.noteMedia(ctx, actor, item, found[n]); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// keepCheck commits how far a check is. It reports false where it is over, or
// where another worker does it.
func (s *Service) keepCheck(ctx context.Context, was, is MediaCheck, over bool) (more bool, err error) {
	err = s.Update(ctx, func(tx Tx) error {
		more = false
		now, err := tx.MediaCheck(was.Dataset)
		if err != nil || now.After != was.After || !now.StartedAt.Equal(was.StartedAt) {
			return fault.Wrap(err, "find the check")
		}
		if !over {
			more = true
			return tx.SaveMediaCheck(is)
		}
		is.FinishedAt = tx.Now()
		if err := tx.SaveMediaCheck(is); err != nil {
			return fault.Wrap(err, "finish a check")
		}
		d, err := tx.Dataset(is.Dataset)
		if err != nil {
			return fault.Wrap(err, "find dataset")
		}
		return tx.Record(ledger.Entry{Actor: ledger.Actor{Person: is.By, Via: ledger.ViaSystem}, Project: d.Project, Kind: EventMediaChecked,
			Subject: ledger.Subject{Kind: "dataset", ID: string(d.ID)}, Payload: map[string]int64{"objects": is.Done, "faults": is.Faults, "unreachable": is.Missed}})
	})
	return more, err
}
