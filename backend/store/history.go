package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

var _ ledger.Recorder = (*Tx)(nil)
var _ ledger.History = (*Tx)(nil)

// Record appends an event to the history in this transaction.
func (tx *Tx) Record(entry ledger.Entry) error {
	if !tx.writes {
		return fault.New(fault.Internal, "a write in a view")
	}
	payload, err := entry.EncodePayload()
	if err != nil {
		return err
	}
	if err := tx.settle(); err != nil {
		return err
	}
	tx.pending = &pendingEvent{entry, payload}
	return nil
}

// append adds an event to the chain, with the seals of the rows that came with it.
func (tx *Tx) append(entry ledger.Entry, payload []byte, seals []ledger.Seal) error {
	if tx.head.Seq == 0 {
		var at int64
		err := tx.one([]any{&tx.head.Seq, &tx.head.Hash, &at}, `SELECT seq, hash, at FROM event ORDER BY seq DESC LIMIT 1`)
		tx.head.At = fromMicros(at)
		if fault.Is(err, fault.NotFound) {
			tx.head = ledger.Event{Hash: ledger.ZeroDigest}
		} else if err != nil {
			return fault.Wrap(err, "find the head of the history")
		}
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // crypto/rand never fails
	at := tx.Now()
	if at.Before(tx.head.At) {
		at = tx.head.At // the clock was set back, which is an event of its own; the history only goes on
	}
	event := ledger.Event{
		Seq: tx.head.Seq + 1, At: at, Actor: entry.Actor.Person, Via: entry.Actor.Via, Project: entry.Project,
		Kind: entry.Kind, Subject: entry.Subject, Commitment: ledger.Commit(salt, payload), Prev: tx.head.Hash,
	}
	var text, salts []byte
	if len(seals) > 0 {
		text, salts = ledger.EncodeSeals(seals)
		event.Rows = ledger.DigestOf(text)
	}
	event.Hash = event.Sum()
	if err := tx.later(`INSERT INTO event (seq, at, actor, via, project, kind, subject_kind, subject, commitment, prev, hash, row_digest, row_salts, row_seals)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		event.Seq, micros(event.At), string(event.Actor), string(event.Via), string(event.Project), event.Kind,
		event.Subject.Kind, event.Subject.ID, string(event.Commitment), string(event.Prev), string(event.Hash), string(event.Rows), salts, text); err != nil {
		return fault.Wrap(err, "append to the history")
	}
	if err := tx.later(`INSERT INTO event_payload (seq, salt, payload) VALUES ($1, $2, $3)`, event.Seq, salt, string(payload)); err != nil {
		return fault.Wrap(err, "keep the payload of an event")
	}
	tx.head = event
	tx.events = append(tx.events, event)
	return nil
}

// Events returns records of the history, newest first, as many as a page holds.
// Only the conditions that
// are asked for stand in the statement: one that is there but asks nothing keeps
// the database from its indexes, and a million events are read for ten.
func (tx *Tx) Events(f ledger.Filter) ([]ledger.Record, error) {
	records, _, err := tx.EventPage(f)
	return records, err
}

// EventPage is Events, and whether there are more behind them.
func (tx *Tx) EventPage(f ledger.Filter) (records []ledger.Record, more bool, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	var where []string
	var args []any
	add := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf("e.%s $%d", condition, len(args)))
	}
	if f.Before > 0 {
		add("seq <", f.Before)
	}
	if f.Project != "" {
		add("project =", string(f.Project))
	}
	if f.Actor != "" {
		add("actor =", string(f.Actor))
	}
	if f.Kind != "" {
		add("kind =", f.Kind)
	}
	if len(f.Kinds) > 0 {
		var places []string
		for _, kind := range f.Kinds {
			args = append(args, kind)
			places = append(places, fmt.Sprintf("$%d", len(args)))
		}
		where = append(where, "e.kind IN ("+strings.Join(places, ", ")+")")
	}
	if f.Subject.Kind != "" {
		add("subject_kind =", f.Subject.Kind)
	}
	if f.Subject.ID != "" {
		add("subject =", f.Subject.ID)
	}
	if !f.From.IsZero() {
		first, err := tx.firstSince(f.From)
		if err != nil {
			return nil, false, err
		}
		add("seq >=", first)
	}
	if !f.Until.IsZero() {
		first, err := tx.firstSince(f.Until)
		if err != nil {
			return nil, false, err
		}
		add("seq <", first)
	}
	query := ""
	if len(where) > 0 {
		query = "WHERE " + strings.Join(where, " AND ")
	}
	args = append(args, limit+1) // one more than fits tells whether there are more
	p := newPurse()
	if records, err = tx.someRecords(p, fmt.Sprintf("%s ORDER BY e.seq DESC LIMIT $%d", query, len(args)), args...); err != nil {
		return nil, false, fault.Wrap(err, "read the history")
	}
	if len(records) > limit {
		records, p.cut = records[:limit], true
	}
	return records, p.cut, nil
}

// called finds, for each kind of subject, its id, its name and its number or
// version among others of that name; zero where names are one of a kind.
var called = map[string]string{
	"person":    `SELECT id, name, 0 FROM person WHERE id IN `,
	"login":     `SELECT l.id, p.name, 0 FROM login l JOIN person p ON p.id = l.person WHERE l.id IN `,
	"token":     `SELECT id, name, 0 FROM token WHERE id IN `,
	"group":     `SELECT id, name, 0 FROM person_group WHERE id IN `,
	"project":   `SELECT id, name, 0 FROM project WHERE id IN `,
	"dataset":   `SELECT id, name, 0 FROM dataset WHERE id IN `,
	"item":      `SELECT id, key, 0 FROM item WHERE id IN `,
	"import":    `SELECT id, file, 0 FROM import WHERE id IN `,
	"snapshot":  `SELECT id, name, number FROM snapshot WHERE id IN `,
	"model":     `SELECT id, name, version FROM model WHERE id IN `,
	"candidate": `SELECT id, name, number FROM candidate WHERE id IN `,
	"evidence":  `SELECT id, name, number FROM candidate WHERE id IN `,
}

// SubjectNames implements review.Chain.
func (tx *Tx) SubjectNames(subjects []ledger.Subject) (map[ledger.Subject]string, error) {
	const part = 50 // always, so that one statement of each kind is kept
	ids, seen := map[string][]string{}, map[ledger.Subject]bool{}
	for _, s := range subjects {
		if called[s.Kind] != "" && !seen[s] {
			seen[s] = true
			ids[s.Kind] = append(ids[s.Kind], s.ID)
		}
	}
	names := map[ledger.Subject]string{}
	read := func(kind string, ids []string) error {
		args := make([]any, part)
		for i := range args {
			args[i] = ids[min(i, len(ids)-1)]
		}
		return tx.each(called[kind]+places(part), args, func(scan func(...any) error) error {
			s, name, number := ledger.Subject{Kind: kind}, "", int64(0)
			if err := scan(&s.ID, &name, &number); err != nil {
				return err
			}
			switch kind {
			case "snapshot":
				name = labeling.Snapshot{Name: name, Number: int(number)}.Title()
			case "model":
				name = fmt.Sprintf("%s %d", name, number)
			case "candidate", "evidence":
				name = fmt.Sprintf("%s #%d", name, number)
			}
			names[s] = name
			return nil
		})
	}
	for kind, all := range ids {
		for some := range slices.Chunk(all, part) {
			if err := read(kind, some); err != nil {
				return nil, fault.Wrap(err, "find what the subjects of events are called")
			}
		}
	}
	return names, nil
}

// firstSince returns the number of the first event at a time or later; one past
// the last where there is none. Times of events grow with their numbers, so it
// halves the history instead of reading it.
func (tx *Tx) firstSince(at time.Time) (int64, error) {
	var last int64
	if err := tx.one([]any{&last}, `SELECT COALESCE(MAX(seq), 0) FROM event`); err != nil {
		return 0, fault.Wrap(err, "find the head of the history")
	}
	low, high := int64(1), last+1
	for low < high {
		middle := low + (high-low)/2
		var moment int64
		// The event itself may have been taken from the history: then the next one tells.
		err := tx.one([]any{&moment}, `SELECT at FROM event WHERE seq >= $1 ORDER BY seq LIMIT 1`, middle)
		if err != nil {
			return 0, fault.Wrap(err, "find the time of an event")
		}
		if moment < micros(at) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

func (tx *Tx) records(where string, args ...any) ([]ledger.Record, error) {
	return tx.someRecords(nil, where, args...)
}

func (tx *Tx) someRecords(p *purse, where string, args ...any) ([]ledger.Record, error) {
	var records []ledger.Record
	err := tx.some(p, `SELECT e.seq, e.at, e.actor, e.via, e.project, e.kind, e.subject_kind, e.subject, e.commitment, e.prev, e.hash, `+tx.store.rowDigest+`,
			p.salt, COALESCE(p.payload, '')
		FROM event e LEFT JOIN event_payload p ON p.seq = e.seq `+where, args,
		func(scan func(...any) error) error {
			var r ledger.Record
			var at int64
			var payload string
			if err := scan(&r.Seq, &at, &r.Actor, &r.Via, &r.Project, &r.Kind, &r.Subject.Kind, &r.Subject.ID,
				&r.Commitment, &r.Prev, &r.Hash, &r.Rows, &r.Salt, &payload); err != nil {
				return err
			}
			r.At = fromMicros(at)
			if r.Salt != nil {
				r.Payload = []byte(payload)
			}
			records = append(records, r)
			return nil
		})
	return records, err
}

// WalkHistory calls visit with every record, oldest first. It reads in pages,
// so that a long history neither fills memory nor holds a transaction open.
func (s *Store) WalkHistory(ctx context.Context, visit func(ledger.Record) error) error {
	for last := int64(0); ; {
		var page []ledger.Record
		if err := s.View(ctx, func(tx *Tx) (err error) {
			page, err = tx.someRecords(newPurse(), `WHERE e.seq > $1 ORDER BY e.seq LIMIT 1000`, last)
			return err
		}); err != nil {
			return fault.Wrap(err, "walk the history")
		}
		for _, record := range page {
			if err := visit(record); err != nil {
				return err
			}
			last = record.Seq
		}
		if len(page) == 0 {
			return nil
		}
	}
}

// CheckHistory walks the chain and returns how many events it holds, or what is
// wrong with the first that does not verify.
func (s *Store) CheckHistory(ctx context.Context) (int64, error) {
	var prev ledger.Event
	err := s.WalkHistory(ctx, func(r ledger.Record) error {
		if err := r.Check(prev, r.Salt, r.Payload); err != nil {
			return fault.As(fault.Conflict, err, "The history does not verify: %v", err)
		}
		prev = r.Event
		return nil
	})
	return prev.Seq, err
}
