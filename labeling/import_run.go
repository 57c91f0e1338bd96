package labeling

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// errOver ends a run whose import somebody else ended.
var errOver = fault.New(fault.Conflict, "the import is over")

// RunImport carries out WorkImport: it reads the file from the start, passes
// over what is in already, and commits each chunk of records together with how
// far it is, so that it may die and run again at any point.
func (s *Service) RunImport(ctx context.Context, payload json.RawMessage) error {
	var order importWork
	if err := json.Unmarshal(payload, &order); err != nil {
		return fault.As(fault.Invalid, err, "work of kind %s", WorkImport)
	}
	var i Import
	err := s.View(ctx, func(tx Tx) (err error) {
		i, err = tx.Import(order.Import)
		return err
	})
	if err != nil {
		return fault.Wrap(err, "find import")
	}
	if i.State.Over() {
		return nil
	}
	if i.AddClasses && i.Mapping.Label != "" && !i.ClassesIn {
		err = s.importClasses(ctx, i)
	}
	if err == nil {
		err = s.importItems(ctx, i)
	}
	if ctx.Err() == nil {
		s.analyzeMany(ctx, i.ID)
	}
	switch kind := fault.KindOf(err); {
	case err == nil:
		return s.finishImport(ctx, i.ID, ImportDone, "")
	case err == errOver:
		return nil
	case ctx.Err() == nil && (kind == fault.Invalid || kind == fault.TooLarge || kind == fault.NotFound || kind == fault.Unmet):
		return s.finishImport(ctx, i.ID, ImportFailed, fault.Message(err))
	}
	return err
}

// many is how many items an import adds before the database must count them anew.
const many = 2000

// analyzeMany has the database count what it holds where an import added many
// items, be it that it was stopped after them.
func (s *Service) analyzeMany(ctx context.Context, id ImportID) {
	var i Import
	err := s.View(ctx, func(tx Tx) (err error) {
		i, err = tx.Import(id)
		return err
	})
	if err == nil && i.Added >= many {
		s.Analyze(ctx)
	}
}

// importClasses reads all labels of the file first and adds those that are new
// to the schema, once.
func (s *Service) importClasses(ctx context.Context, i Import) error {
	names, seen := []string{}, map[string]bool{}
	r := newReading(i.Mapping)
	err := s.parse(ctx, i, 0, 0, func(b Batch) error {
		r.locate(b.Columns)
		for _, rec := range b.Records {
			label := strings.TrimSpace(rec.Get(r.label).Text)
			if label == "" || seen[label] || checkLabel(label) != nil {
				continue
			}
			if len(names) == MostClasses {
				return fault.Field("label", "The column %q has more than %d different values. Is it the column of labels?", i.Mapping.Label, MostClasses)
			}
			label = strings.Clone(label)
			seen[label] = true
			names = append(names, label)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	slices.Sort(names)
	return s.Update(ctx, func(tx Tx) error {
		p, err := tx.Project(i.Project)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		before, was := p, len(p.Schema.Classes)
		classes := slices.Clone(p.Schema.Classes)
		for _, name := range names {
			if _, known := p.Schema.ClassNamed(name); !known {
				classes = append(classes, Class{ID: ClassID(s.NewID()), Name: name, Color: len(classes) % PaletteSteps})
			}
		}
		p.Schema.Classes = classes
		if len(classes) > was {
			p.SchemaVersion++
			if err := p.Validate(); err != nil {
				return err
			}
			if err := tx.UpdateProject(p); err != nil {
				return fault.Wrap(err, "add classes")
			}
			if err := tx.Record(ledger.Entry{Actor: ledger.Actor{Person: i.CreatedBy, Via: ledger.ViaSystem}, Project: p.ID, Kind: "project.changed",
				Subject: ledger.Subject{Kind: "project", ID: string(p.ID)}, Payload: map[string]any{"was": before, "is": p, "import": i.ID}}); err != nil {
				return err
			}
		}
		now, err := tx.Import(i.ID)
		if err != nil {
			return fault.Wrap(err, "find import")
		}
		if now.State.Over() {
			return errOver
		}
		now.ClassesIn, now.State = true, ImportRunning
		return tx.UpdateImport(now)
	})
}

// importItems reads a file while what was read before is written.
func (s *Service) importItems(ctx context.Context, i Import) error {
	if err := s.mergeKeys(ctx, i.Dataset); err != nil { // of a run that died
		return err
	}
	chunks, failed, ended := make(chan chunk), make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for c := range chunks {
			if err != nil {
				continue
			}
			if err = s.importChunk(ctx, i, c); err != nil {
				close(failed)
			}
		}
		ended <- err
	}()
	err := s.readItems(ctx, i, func(c chunk) error {
		select {
		case chunks <- c:
			return nil
		case <-failed:
			return errOver
		}
	})
	close(chunks)
	if failure := <-ended; failure != nil {
		return failure
	}
	return err
}

// readItems reads the file of an import and hands over what is not in yet.
func (s *Service) readItems(ctx context.Context, i Import, write func(chunk) error) error {
	r := newReading(i.Mapping)
	passed := int64(0)
	skip := i.Passed
	if i.Mapping.Key == "" {
		skip = 0 // every record is read again to number equal contents as before
	} else {
		passed = skip
	}
	var schema Schema
	err := s.View(ctx, func(tx Tx) error {
		p, err := tx.Project(i.Project)
		schema = p.Schema
		return fault.Wrap(err, "find project")
	})
	if err != nil {
		return err
	}
	classes := map[string]ClassID{}
	for _, c := range schema.Classes {
		if resolved, known := schema.ClassNamed(c.Name); known {
			classes[c.Name] = resolved.ID
		}
	}
	return s.parse(ctx, i, skip, 0, func(b Batch) error {
		r.locate(b.Columns)
		if len(b.Records)+len(b.Errors) == 0 {
			return ctx.Err()
		}
		// What is in already counts only for its keys.
		done := max(0, min(b.Passed, i.Passed)-passed)
		c := chunk{from: passed + done, to: b.Passed, read: b.Read, adder: i.CreatedBy}
		passed = b.Passed
		hand := func(c chunk) error {
			if err := s.lookAt(ctx, &c); err != nil {
				return err
			}
			return write(c)
		}
		bad := b.Errors
		for _, rec := range b.Records {
			for ; len(bad) > 0 && bad[0].Line < rec.Line; bad = bad[1:] {
				if done--; done < 0 {
					c.refuse(ImportProblem(bad[0]))
				}
			}
			done--
			in, err := r.item(rec)
			if err == nil && in.Label != "" {
				class, known := classes[in.Label]
				if in.Item.Label = class; !known {
					err = fmt.Errorf("%q is no class of the schema; add it there, or let the import add classes", in.Label)
				}
			}
			switch {
			case done >= 0:
			case err != nil:
				c.refuse(ImportProblem{Line: rec.Line, Reason: err.Error()})
			default:
				c.items = append(c.items, in)
			}
			// Objects take their time: what was looked at is kept before long.
			if i.Mapping.Media != "" && len(c.items) >= mediaChunk {
				whole := c
				whole.to = c.from + int64(len(c.items)+c.bad)
				if err := hand(whole); err != nil {
					return err
				}
				c = chunk{from: whole.to, to: c.to, read: c.read, adder: c.adder}
			}
		}
		for _, e := range bad {
			if done--; done < 0 {
				c.refuse(ImportProblem(e))
			}
		}
		if c.to <= c.from {
			return ctx.Err()
		}
		return hand(c)
	})
}

// chunk is a piece of a file that is committed at once.
type chunk struct {
	from, to, read int64
	adder          ledger.PersonID
	items          []incoming
	problems       []ImportProblem
	bad            int
}

func (c *chunk) refuse(p ImportProblem) {
	c.problems = append(c.problems, p)
	c.bad++
}

// importChunk commits a chunk with the place behind it.
func (s *Service) importChunk(ctx context.Context, i Import, c chunk) error {
	items := make([]Item, len(c.items))
	notes := make(map[string]AnnotationID, len(c.items))
	for n, in := range c.items {
		item := in.Item
		item.ID, item.Project, item.Dataset, item.Status = ItemID(s.NewID()), i.Project, i.Dataset, StatusQueued
		if item.Label != "" {
			item.Status, item.Answers = StatusAccepted, 1
			notes[item.Key] = AnnotationID(s.NewID())
		}
		items[n] = item
	}
	return s.Update(ctx, func(tx Tx) error {
		now, err := tx.Import(i.ID)
		if err != nil {
			return fault.Wrap(err, "find import")
		}
		if now.State.Over() || now.Passed != c.from {
			return errOver // cancelled, or another worker does it
		}
		at := tx.Now()
		for n := range items {
			items[n].CreatedAt = at
		}
		added, standing, err := tx.AddItems(items)
		if err != nil {
			return fault.Wrap(err, "add items")
		}
		var answers []Annotation
		for _, item := range added {
			if item.Label == "" {
				continue
			}
			answers = append(answers, Annotation{ID: notes[item.Key], Project: i.Project, Dataset: i.Dataset, Item: item.ID, Person: c.adder,
				Kind: KindImport, Class: item.Label, State: AnnotationActive, At: at})
		}
		if err := tx.AddAnnotations(answers); err != nil {
			return fault.Wrap(err, "add imported answers")
		}
		problems := slices.Clone(c.problems)
		for n, item := range items {
			if content, there := standing[item.Key]; there && content != item.Content {
				problems = append(problems, ImportProblem{Line: c.items[n].Line, Reason: fault.Say("the key %q is there already with another text; nothing was changed", item.Key)})
			}
		}
		if err := tx.AddImportProblems(i.ID, problems); err != nil {
			return fault.Wrap(err, "keep problems")
		}
		now.State, now.Passed, now.Read = ImportRunning, c.to, c.read
		now.Added += int64(len(added))
		now.Unchanged += int64(len(items) - len(added))
		now.Labeled += int64(len(answers))
		now.Bad += int64(c.bad)
		return tx.UpdateImport(now)
	})
}

func (s *Service) finishImport(ctx context.Context, id ImportID, state ImportState, failure string) error {
	return s.Update(ctx, func(tx Tx) error {
		i, err := tx.Import(id)
		if err != nil {
			return fault.Wrap(err, "find import")
		}
		if i.State.Over() {
			return nil
		}
		i.State, i.Failure, i.FinishedAt = state, failure, tx.Now()
		if state == ImportDone {
			i.Read = i.Size
		}
		if err := tx.UpdateImport(i); err != nil {
			return fault.Wrap(err, "finish import")
		}
		if err := tx.Enqueue(work.Order{Kind: WorkIndex, Key: string(id), Payload: struct{}{}}); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: ledger.Actor{Person: i.CreatedBy, Via: ledger.ViaSystem}, Project: i.Project, Kind: "import." + string(state),
			Subject: ledger.Subject{Kind: "import", ID: string(id)}, Payload: i})
	})
}
