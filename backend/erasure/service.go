package erasure

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// Config is what the service is made of.
type Config struct {
	Update func(context.Context, func(Tx) error) error
	View   func(context.Context, func(Tx) error) error
	// Scrub overwrites what deleted rows left behind in the database's files.
	Scrub func(context.Context) error
	Files Files
}

// Files keeps files by their digests.
type Files interface {
	Open(context.Context, ledger.Digest) (io.ReadSeekCloser, error)
	// Remove takes a file away; one that is not there is no error.
	Remove(context.Context, ledger.Digest) error
}

// Service erases.
type Service struct{ Config }

// New returns a service.
func New(c Config) *Service { return &Service{c} }

// Line is one kind of record in a plan.
type Line struct {
	Rule
	Count int64    // how many; 0 where none are there, -1 where they are not counted
	Names []string // which, where people must know: snapshots, and what holds them
}

// Plan says what an erasure would do.
type Plan struct {
	Kind    Kind
	ID      string
	Project ledger.ProjectID // of an item
	Name    string           // what is typed to confirm: the username, or the item's key
	Title   string           // what people call it
	Lines   []Line
	Refused string   // why nothing can be erased now; empty where it can
	Done    bool     // it was erased already
	Hold    *Hold    // the legal hold on the person
	Erasing *Erasing // how far it has come; nil where it was not asked for, or by an older version

	thing   Thing
	who     Who
	about   []int64
	doomed  []Frozen
	within  []string // the snapshots that hold the item
	uploads []Upload
}

// Request carries an erasure out.
type Request struct {
	Confirm string // the plan's Name, typed
	Reason  string
}

// The kinds of work of this room.
const (
	WorkErase = "erasure.erase" // finishes an erasure; its handler is Finish
	WorkScrub = "erasure.scrub" // overwrites traces; its handler is ScrubWork
)

type eraseOrder struct {
	Who    Somebody        `json:"who"`
	Cause  int64           `json:"cause"`
	Actor  ledger.PersonID `json:"actor"`
	Remove []ledger.Digest `json:"remove,omitempty"`
}

// PlanPerson says what erasing a person, named by id or username, would do. It
// needs an admin of the installation. It reads the events by and about them and
// looks through all others for their name.
func (s *Service) PlanPerson(ctx context.Context, actor ledger.Actor, name string) (Plan, error) {
	if err := actor.Must("", ledger.ActionAdminister); err != nil {
		return Plan{}, err
	}
	p := Plan{Kind: KindPerson}
	var last int64
	var counts map[Record]int64
	var holds []Hold
	err := s.View(ctx, func(tx Tx) (err error) {
		if p.who, err = tx.WhoIs(name); err != nil {
			return err
		}
		if p.Erasing, err = erasing(tx, KindPerson, string(p.who.ID)); err != nil {
			return err
		}
		if counts, err = tx.PersonRecords(p.who.ID); err != nil {
			return err
		}
		next, err := tx.NextSeq()
		if err != nil {
			return err
		}
		last = next - 1
		holds, err = tx.Holds()
		return err
	})
	if err != nil {
		return Plan{}, err
	}
	p.ID, p.Name, p.Title, p.Done = string(p.who.ID), p.who.Username, p.who.Name, p.who.Erased
	p.Hold = heldBy(holds, "person", p.ID)
	if !p.Done {
		if err := s.look(ctx, p.who.Somebody, Erasing{Last: last}, func(_ Erasing, verdicts map[int64]Verdict) error {
			for _, v := range verdicts {
				counts[map[Verdict]Record{Erase: RecordPayloads, Signed: RecordSigned}[v]]++
			}
			return nil
		}); err != nil {
			return Plan{}, err
		}
	}
	p.Lines = lines(KindPerson, counts, nil)
	p.Refused = refusePerson(p, actor)
	return p, nil
}

// refusePerson says why a person cannot be erased, or nothing.
func refusePerson(p Plan, actor ledger.Actor) string {
	switch {
	case p.Done:
		return fault.Say("This person was erased already.")
	case p.Hold != nil:
		return fault.Say("A legal hold keeps this %s: %s Lift it first.", "person", p.Hold.Reason)
	case p.who.ID == actor.Person:
		return fault.Say("Nobody erases themselves; ask another admin.")
	case p.who.LastAdmin:
		return fault.Say("This is the last admin who can sign in. Make somebody else an admin first.")
	case p.who.Owner:
		return fault.Say("The command line of the server's machine acts in the name of this person. Take the machine over first, under People.")
	}
	return ""
}

// erasing returns how far the erasure of something has come; nil where there is none.
func erasing(tx Tx, kind Kind, id string) (*Erasing, error) {
	e, err := tx.Erasing(kind, id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return &e, err
}

func heldBy(holds []Hold, kind, id string) *Hold {
	for _, h := range holds {
		if h.Kind == kind && h.ID == id {
			return &h
		}
	}
	return nil
}

// lines joins the table with what was counted.
func lines(kind Kind, counts map[Record]int64, names map[Record][]string) []Line {
	var list []Line
	for _, r := range Rules(kind) {
		count, counted := counts[r.Record]
		if !counted {
			count = -1
		}
		list = append(list, Line{Rule: r, Count: count, Names: names[r.Record]})
	}
	return list
}

// confirmed checks that who asks has read what they do.
func confirmed(p Plan, req Request) (reason string, err error) {
	if p.Refused != "" {
		return "", fault.New(fault.Conflict, "%s", p.Refused)
	}
	reason, err = ledger.Reason(req.Reason, fault.Format("this is erased"), true)
	if strings.TrimSpace(req.Confirm) != p.Name {
		err = errors.Join(fault.Field("confirm", "Type %s to confirm.", p.Name), err)
	}
	return reason, err
}

// ErasePerson erases a person. What people see is gone when it returns; payloads
// and traces follow by work within seconds.
func (s *Service) ErasePerson(ctx context.Context, actor ledger.Actor, name string, req Request) (Plan, error) {
	p, err := s.PlanPerson(ctx, actor, name)
	if err != nil {
		return p, err
	}
	reason, err := confirmed(p, req)
	if err != nil {
		return p, err
	}
	err = s.Update(ctx, func(tx Tx) error {
		// Since it was planned a hold may have been placed, or another admin have
		// gone: two who erase each other at once must not leave none.
		now := p
		var err error
		if now.who, err = tx.WhoIs(p.ID); err != nil {
			return err
		}
		holds, err := tx.Holds()
		if err != nil {
			return err
		}
		now.Done, now.Hold = now.who.Erased, heldBy(holds, "person", p.ID)
		if refused := refusePerson(now, actor); refused != "" {
			return fault.New(fault.Conflict, "%s", refused)
		}
		if err := tx.ErasePerson(p.who.ID, "erased-"+p.ID); err != nil {
			return fault.Wrap(err, "erase a person")
		}
		seq, err := tx.NextSeq()
		if err != nil {
			return err
		}
		if err := tx.Record(ledger.Entry{Actor: actor, Kind: "person.erased", Subject: ledger.Subject{Kind: "person", ID: p.ID}, Payload: map[string]any{"reason": reason, "planned": counted(p)}}); err != nil {
			return err
		}
		if err := tx.StartErasing(Erasing{Cause: seq, Kind: KindPerson, ID: p.ID, Person: actor.Person, At: tx.Now()}); err != nil {
			return fault.Wrap(err, "begin to erase a person")
		}
		return tx.Enqueue(work.Order{Kind: WorkErase, Key: p.ID, Payload: eraseOrder{Who: p.who.Somebody, Cause: seq, Actor: actor.Person}})
	})
	return p, err
}

// counted is what a plan said, for the history.
func counted(p Plan) map[Record]int64 {
	said := map[Record]int64{}
	for _, l := range p.Lines {
		if l.Count > 0 {
			said[l.Record] = l.Count
		}
	}
	return said
}

// Finish carries out WorkErase: payloads that name the person and words that
// they wrote, in small transactions, then files, then traces.
func (s *Service) Finish(ctx context.Context, payload json.RawMessage) error {
	var order eraseOrder
	if err := json.Unmarshal(payload, &order); err != nil {
		return fault.As(fault.Invalid, err, "work of kind %s", WorkErase)
	}
	if order.Who.ID != "" {
		if err := s.finishPerson(ctx, order); err != nil {
			return err
		}
	}
	for _, digest := range order.Remove {
		used := true
		if err := s.View(ctx, func(tx Tx) (err error) {
			used, err = tx.FileUsed(digest)
			return err
		}); err != nil {
			return err
		}
		if !used {
			if err := s.Files.Remove(ctx, digest); err != nil {
				return err
			}
		}
	}
	return s.Update(ctx, func(tx Tx) error {
		if err := tx.Finished(order.Cause, tx.Now()); err != nil {
			return err
		}
		// Traces are overwritten by an order of its own: this one holds names.
		return tx.Enqueue(work.Order{Kind: WorkScrub, Key: fmt.Sprint(order.Cause)})
	})
}

// ScrubWork carries out WorkScrub.
func (s *Service) ScrubWork(ctx context.Context, _ json.RawMessage) error { return s.Scrub(ctx) }

// PlanItem says what erasing an item's content would do. It needs ActionManage
// and reads the files of the project's snapshots.
func (s *Service) PlanItem(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, id string) (Plan, error) {
	if err := actor.Must(project, ledger.ActionManage); err != nil {
		return Plan{}, err
	}
	p := Plan{Kind: KindItem, ID: id, Project: project}
	var counts map[Record]int64
	var holds []Held
	var frozen []Frozen
	err := s.View(ctx, func(tx Tx) (err error) {
		if p.thing, err = tx.Thing(project, id); err != nil {
			return err
		}
		if counts, err = tx.ItemRecords(id); err != nil {
			return err
		}
		if p.Erasing, err = erasing(tx, KindItem, id); err != nil {
			return err
		}
		if p.about, err = tx.PayloadsAbout(ledger.Subject{Kind: "item", ID: id}); err != nil {
			return err
		}
		if frozen, err = tx.Frozen(project); err != nil {
			return err
		}
		if p.uploads, err = tx.Uploads(p.thing.Dataset); err != nil {
			return err
		}
		holds, err = heldThings(tx)
		return err
	})
	if err != nil {
		return Plan{}, err
	}
	p.Name, p.Title, p.Done = p.thing.Key, p.thing.Key, p.thing.Erased
	names := map[Record][]string{}
	counts[RecordSnapshots], counts[RecordHeld] = 0, 0
	for _, f := range frozen {
		within, err := s.contains(ctx, f, p.thing)
		if err != nil {
			return Plan{}, err
		}
		if within {
			p.within = append(p.within, f.ID)
		}
		switch {
		case !within:
		case len(f.Signed) > 0:
			counts[RecordHeld]++
			names[RecordHeld] = append(names[RecordHeld], fault.Say("%s (candidate %s)", f.Title, numbers(f.Signed)))
		default:
			p.doomed = append(p.doomed, f)
			counts[RecordSnapshots]++
			names[RecordSnapshots] = append(names[RecordSnapshots], f.Title)
		}
	}
	counts[RecordPayloads], counts[RecordUploads] = int64(len(p.about)), int64(len(p.uploads))
	p.Lines = lines(KindItem, counts, names)
	p.Refused = refuseItem(p, holds, frozen)
	return p, nil
}

func numbers(list []int) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = fmt.Sprint(n)
	}
	return strings.Join(texts, ", ")
}

// refuseItem says why an item cannot be erased, or nothing.
func refuseItem(p Plan, holds []Held, frozen []Frozen) string {
	if p.Done {
		return fault.Say("The content of this item was erased already.")
	}
	on := Holdable{Kind: "item", ID: p.ID, Project: p.Project, Dataset: p.thing.Dataset}
	if h := Keeps(holds, on); h != nil {
		return keptWords(h, on)
	}
	for _, f := range frozen {
		if f.Held != "" && slices.Contains(p.within, f.ID) {
			return fault.Say("A legal hold keeps the snapshot %s, which holds this item: %s Lift it first.", f.Title, f.Held)
		}
	}
	for _, u := range p.uploads {
		if !u.Done {
			return fault.Say("An import into this dataset is still running. Wait until it is done.")
		}
	}
	return ""
}

// contains reports whether a snapshot's rows name the item's text.
func (s *Service) contains(ctx context.Context, f Frozen, thing Thing) (within bool, err error) {
	file, err := s.Files.Open(ctx, f.Rows)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	want := []byte(thing.Content)
	lines := bufio.NewReaderSize(file, 256<<10)
	for tail := []byte(nil); ; {
		part, err := lines.ReadSlice('\n')
		if bytes.Contains(part, want) || bytes.Contains(append(tail, part...), want) {
			return true, nil
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull): // a digest may lie across two parts of a long line
			tail = bytes.Clone(part[max(0, len(part)-len(want)):])
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, fault.Wrap(err, "read the rows of a snapshot")
		default:
			tail = nil
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
	}
}

// EraseItem erases the content of an item. Rows are empty when it returns; files
// and traces follow by work within seconds.
func (s *Service) EraseItem(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, id string, req Request) (Plan, error) {
	p, err := s.PlanItem(ctx, actor, project, id)
	if err != nil {
		return p, err
	}
	reason, err := confirmed(p, req)
	if err != nil {
		return p, err
	}
	err = s.Update(ctx, func(tx Tx) error {
		holds, err := heldThings(tx)
		if err != nil {
			return err
		}
		frozen, err := tx.Frozen(project)
		if err != nil {
			return err
		}
		if refused := refuseItem(p, holds, frozen); refused != "" {
			return fault.New(fault.Conflict, "%s", refused)
		}
		seq, err := tx.NextSeq()
		if err != nil {
			return err
		}
		about, err := tx.PayloadsAbout(ledger.Subject{Kind: "item", ID: id})
		if err != nil {
			return err
		}
		if err := tx.EraseItem(p.thing); err != nil {
			return fault.Wrap(err, "erase an item")
		}
		gone, err := tx.ErasePayloads(seq, about)
		if err != nil {
			return fault.Wrap(err, "erase what the history says of an item")
		}
		if err := tx.StartErasing(Erasing{Cause: seq, Kind: KindItem, ID: id, Person: actor.Person, At: tx.Now(), Payloads: gone}); err != nil {
			return fault.Wrap(err, "begin to erase an item")
		}
		var remove []ledger.Digest
		for _, f := range p.doomed {
			if err := tx.EraseSnapshot(f.ID, fault.Say("An item of it was erased, so its files were, too.")); err != nil {
				return fault.Wrap(err, "erase a snapshot")
			}
			remove = append(remove, f.Rows, f.Table)
		}
		for _, u := range p.uploads {
			if err := tx.ForgetUpload(u.ID); err != nil {
				return fault.Wrap(err, "forget an upload")
			}
			remove = append(remove, u.Blob)
		}
		if err := tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: "item.erased", Subject: ledger.Subject{Kind: "item", ID: id}, Payload: map[string]any{"reason": reason, "planned": counted(p)}}); err != nil {
			return err
		}
		return tx.Enqueue(work.Order{Kind: WorkErase, Key: id, Payload: eraseOrder{Cause: seq, Actor: actor.Person, Remove: remove}})
	})
	return p, err
}
