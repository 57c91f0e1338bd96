package erasure

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Erasing is how far an erasure has come since it was asked for. It stands in the
// store, so that whoever goes on with it after a crash begins where it was.
type Erasing struct {
	Cause    int64 // number of the event that says it was asked for
	Kind     Kind
	ID       string
	Person   ledger.PersonID // who asked
	At       time.Time       // when
	Last     int64           // up to which event the history is looked through
	Own      int64           // events by and about them are done up to this one
	Seen     int64           // events that may name them are done up to this one
	Words    int64           // how many texts were emptied
	Payloads int64           // how many payloads were erased
	Finished time.Time       // zero: not yet
}

// Percent is how much of it is done: 100 when it has finished, and not before.
func (e Erasing) Percent() int {
	switch {
	case !e.Finished.IsZero():
		return 100
	case e.Last == 0:
		return 0
	}
	return int(min(99, 100*(e.Own+e.Seen)/(2*e.Last)))
}

// Progress keeps how far erasures have come.
type Progress interface {
	StartErasing(Erasing) error
	// Erasing returns the latest erasure of something, or NotFound.
	Erasing(kind Kind, id string) (Erasing, error)
	// Advance writes down how far an erasure has come; Words and Payloads are
	// added to what stands there.
	Advance(Erasing) error
	// Finished notes when an erasure was done.
	Finished(cause int64, at time.Time) error
}

const (
	// batch is how many rows one transaction erases, page how many events one of
	// the person's are read at once, span in how many a name is looked for at once.
	batch = 100
	page  = 1000
	span  = 10_000
)

// hints returns for each name of a person a text that stands in every payload
// with the name, in lower case: the longest run of it that is ASCII and that
// JSON leaves as it is. A name without one has the empty text.
func (who Somebody) hints() []string {
	var hints []string
	for _, name := range []string{who.Name, who.Username} {
		if name == "" {
			continue
		}
		runs := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' })
		hints = append(hints, slices.MaxFunc(append(runs, ""), func(a, b string) int { return len(a) - len(b) }))
	}
	return hints
}

// mine reports whether an event is by or about the person.
func mine(r ledger.Record, who Somebody) bool {
	return r.Actor == who.ID || r.Subject == ledger.Subject{Kind: "person", ID: string(who.ID)}
}

// look goes through what the history says of a person: first through the events
// by and about them, then through those that may name them, from where from
// stands. For each part it calls found with what it judged and with how far it
// has come.
func (s *Service) look(ctx context.Context, who Somebody, from Erasing, found func(at Erasing, verdicts map[int64]Verdict) error) error {
	at := from
	for at.Own < at.Last {
		var records []ledger.Record
		if err := s.View(ctx, func(tx Tx) (err error) {
			records, err = tx.RecordsOf(who.ID, at.Own, page)
			return err
		}); err != nil {
			return err
		}
		if at.Own = at.Last; len(records) == page {
			at.Own = min(at.Last, records[len(records)-1].Seq)
		}
		if err := found(at, judge(records, who)); err != nil {
			return err
		}
	}
	hints := who.hints()
	for at.Seen < at.Last {
		until := min(at.Last, at.Seen+span)
		var records []ledger.Record
		if err := s.View(ctx, func(tx Tx) (err error) {
			records, err = tx.RecordsNaming(hints, at.Seen, until)
			return err
		}); err != nil {
			return err
		}
		at.Seen = until
		others := slices.DeleteFunc(records, func(r ledger.Record) bool { return mine(r, who) })
		if err := found(at, judge(others, who)); err != nil {
			return err
		}
	}
	return nil
}

func judge(records []ledger.Record, who Somebody) map[int64]Verdict {
	verdicts := map[int64]Verdict{}
	for _, r := range records {
		if v := Judge(r, who); v != Untouched {
			verdicts[r.Seq] = v
		}
	}
	return verdicts
}

// finishPerson empties the words that a person wrote and erases the payloads
// about them, each step in a small transaction that also says how far it came.
func (s *Service) finishPerson(ctx context.Context, order eraseOrder) error {
	var at Erasing
	if err := s.Update(ctx, func(tx Tx) error {
		var err error
		at, err = tx.Erasing(KindPerson, string(order.Who.ID))
		if fault.Is(err, fault.NotFound) { // asked for before this was written down
			at = Erasing{Cause: order.Cause, Kind: KindPerson, ID: string(order.Who.ID), Person: order.Actor, At: tx.Now()}
			err = tx.StartErasing(at)
		}
		if err != nil {
			return err
		}
		// What was recorded since may name them, too.
		next, err := tx.NextSeq()
		if err != nil {
			return err
		}
		at.Last, at.Words, at.Payloads = next-1, 0, 0
		return tx.Advance(at)
	}); err != nil {
		return err
	}
	for more := true; more; {
		if err := s.Update(ctx, func(tx Tx) error {
			n, err := tx.EraseWords(order.Who.ID, batch)
			if err != nil {
				return err
			}
			more = n > 0
			step := at
			step.Words = n
			return tx.Advance(step)
		}); err != nil {
			return err
		}
	}
	begun := at
	return s.look(ctx, order.Who, begun, func(next Erasing, verdicts map[int64]Verdict) error {
		var doomed []int64
		for seq, v := range verdicts {
			if v == Erase {
				doomed = append(doomed, seq)
			}
		}
		slices.Sort(doomed)
		// The place is written down with the last of what was found there: before
		// that, whoever goes on finds the rest again.
		for first := true; first || len(doomed) > 0; first = false {
			now := doomed[:min(batch, len(doomed))]
			doomed = doomed[len(now):]
			step := at
			if len(doomed) == 0 {
				step = next
			}
			if err := s.Update(ctx, func(tx Tx) error {
				n, err := tx.ErasePayloads(order.Cause, now)
				if err != nil {
					return err
				}
				done := step
				done.Payloads = n
				return tx.Advance(done)
			}); err != nil {
				return err
			}
		}
		at = next
		return nil
	})
}
