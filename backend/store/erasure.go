package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

var _ erasure.Tx = (*Tx)(nil)

// erasedName is what an erased person is called.
const erasedName = "Erased person"

// WhoIs returns a person by id or username as far as an erasure must know them.
func (tx *Tx) WhoIs(name string) (erasure.Who, error) {
	var w erasure.Who
	var admin bool
	err := tx.one([]any{&w.ID, &w.Name, &w.Username, &w.Owner, &admin}, `SELECT id, name, username, owner, admin FROM person WHERE id = $1 OR username = $1`, name)
	if err != nil {
		return w, err
	}
	others, err := tx.exists(`SELECT id FROM person WHERE admin AND NOT disabled AND id <> $1
		AND (password <> '' OR EXISTS (SELECT 1 FROM provider_identity i WHERE i.person = person.id)) LIMIT 1`, string(w.ID))
	w.LastAdmin, w.Erased = admin && !others, strings.HasPrefix(w.Username, "erased-")
	return w, err
}

// counts runs a count per record.
func (tx *Tx) counts(queries map[erasure.Record][]string, arg string) (map[erasure.Record]int64, error) {
	found := map[erasure.Record]int64{}
	for record, list := range queries {
		found[record] = 0
		for _, query := range list {
			var n int64
			if err := tx.one([]any{&n}, `SELECT COUNT(*) FROM `+query, arg); err != nil {
				return nil, fault.Wrap(err, "count "+string(record))
			}
			found[record] += n
		}
	}
	return found, nil
}

// PersonRecords counts the rows that erasing a person would empty.
func (tx *Tx) PersonRecords(id ledger.PersonID) (map[erasure.Record]int64, error) {
	return tx.counts(map[erasure.Record][]string{
		erasure.RecordName: {`person WHERE id = $1`},
		erasure.RecordAccess: {`login WHERE person = $1`, `token WHERE person = $1`, `link WHERE person = $1`, `provider_identity WHERE person = $1`, `label_keys WHERE person = $1`,
			`look WHERE person = $1`, `look_item WHERE person = $1`},
		erasure.RecordRoles:   {`membership WHERE person = $1`, `group_member WHERE person = $1`, `project_use WHERE person = $1`},
		erasure.RecordDrafts:  {`draft WHERE person = $1`},
		erasure.RecordTexts:   {`annotation WHERE person = $1 AND reason <> ''`, `item_bulk WHERE person = $1 AND reason <> ''`, `candidate_comment WHERE person = $1 AND (text <> '' OR printed_name <> '')`},
		erasure.RecordSigned:  {`vote WHERE person = $1`, `revocation WHERE person = $1`},
		erasure.RecordAnswers: {`annotation WHERE person = $1 AND project IN (SELECT id FROM project)`}, // by the index of a project's people
	}, string(id))
}

// ErasePerson empties the rows of a person but for the words that EraseWords takes.
func (tx *Tx) ErasePerson(id ledger.PersonID, username string) error {
	if _, err := tx.exec(`UPDATE person SET username = $2, name = $3, time_zone = '', admin = FALSE, disabled = TRUE, password = '', language = '', text_size = '', keys = '', changed_at = $4 WHERE id = $1`,
		string(id), username, erasedName, micros(tx.Now())); err != nil {
		return err
	}
	for _, table := range []string{"login", "token", "link", "provider_identity", "label_keys", "membership", "group_member", "project_use", "task_page", "look", "look_item"} {
		if _, err := tx.exec(`DELETE FROM `+table+` WHERE person = $1`, string(id)); err != nil {
			return fault.Wrap(err, "erase "+table)
		}
	}
	return nil
}

// EraseWords empties at most a number of texts that a person wrote, sent or not.
// Which they are is asked first: told to find and change them in one statement, a
// database that has not counted its rows lately reads what everybody wrote.
func (tx *Tx) EraseWords(id ledger.PersonID, most int) (int64, error) {
	n, err := tx.exec(`DELETE FROM draft WHERE person = $1 AND (project, item) IN (SELECT project, item FROM draft WHERE person = $1 LIMIT $2)`, string(id), most)
	if err != nil || n > 0 {
		return n, fault.Wrap(err, "erase drafts")
	}
	for _, words := range []struct{ find, empty string }{
		{`SELECT id FROM annotation WHERE person = $1 AND reason <> '' ORDER BY person, id LIMIT $2`, `UPDATE annotation SET reason = '' WHERE id IN `},
		{`SELECT id FROM item_bulk WHERE person = $1 AND reason <> '' ORDER BY person, id LIMIT $2`, `UPDATE item_bulk SET reason = '' WHERE id IN `},
		{`SELECT id FROM candidate_comment WHERE person = $1 AND (text <> '' OR printed_name <> '') ORDER BY person, seq LIMIT $2`, `UPDATE candidate_comment SET text = '', printed_name = '' WHERE id IN `},
	} {
		var ids []any
		if err := tx.each(words.find, []any{string(id), most}, func(scan func(...any) error) error {
			var one string
			err := scan(&one)
			ids = append(ids, one)
			return err
		}); err != nil {
			return 0, fault.Wrap(err, "find words")
		}
		if len(ids) == 0 {
			continue
		}
		n, err := tx.exec(words.empty+places(len(ids)), ids...)
		return n, fault.Wrap(err, "erase words")
	}
	return 0, nil
}

// places writes the parameters of a list: ($1, $2, $3).
func places(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", i+1)
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// Thing returns an item of a project as far as an erasure must know it.
func (tx *Tx) Thing(project ledger.ProjectID, id string) (erasure.Thing, error) {
	item, err := tx.Item(labeling.ItemID(id))
	if err == nil && item.Project != project {
		err = fault.New(fault.NotFound, "There is no such item.")
	}
	if err != nil {
		return erasure.Thing{}, err
	}
	erased, err := tx.exists(`SELECT seq FROM event WHERE subject_kind = 'item' AND subject = $1 AND kind = 'item.erased'`, id)
	return erasure.Thing{ID: id, Seq: item.Seq, Project: project, Dataset: string(item.Dataset), Key: item.Key, Content: item.Content, Erased: erased}, err
}

// ItemRecords counts the rows that erasing an item would empty.
func (tx *Tx) ItemRecords(id string) (map[erasure.Record]int64, error) {
	return tx.counts(map[erasure.Record][]string{
		erasure.RecordText:    {`item WHERE id = $1`},
		erasure.RecordDrafts:  {`draft WHERE item = $1`},
		erasure.RecordTexts:   {`annotation WHERE item = $1 AND reason <> ''`},
		erasure.RecordAnswers: {`annotation WHERE item = $1`},
	}, id)
}

// Frozen lists the snapshots of a project that have files, with the candidates
// that a signature was given for and that rest on them: by being it, by having
// been trained on it, or by having been compared on it.
func (tx *Tx) Frozen(project ledger.ProjectID) ([]erasure.Frozen, error) {
	var list []erasure.Frozen
	if err := tx.each(`SELECT id, number, name, row_file, parquet_file FROM snapshot WHERE project = $1 AND row_file <> '' ORDER BY number`, []any{string(project)},
		func(scan func(...any) error) error {
			var f erasure.Frozen
			var name string
			err := scan(&f.ID, &f.Number, &name, &f.Rows, &f.Table)
			f.Title = labeling.Snapshot{Number: f.Number, Name: name}.Title()
			list = append(list, f)
			return err
		}); err != nil {
		return nil, fault.Wrap(err, "list snapshots")
	}
	for i := range list {
		f := &list[i]
		err := tx.each(`SELECT DISTINCT c.number FROM candidate c JOIN attestation a ON a.candidate = c.id
			WHERE c.project = $1 AND (
			  c.subject IN (SELECT digest FROM snapshot WHERE id = $2)
			  OR c.model IN (SELECT id FROM model WHERE snapshot = $2)
			  OR c.baseline_model IN (SELECT id FROM model WHERE snapshot = $2)
			  OR c.model IN (SELECT candidate FROM comparison WHERE project = $1 AND snapshot = $2))
			ORDER BY c.number`, []any{string(project), f.ID}, func(scan func(...any) error) error {
			var n int
			err := scan(&n)
			f.Signed = append(f.Signed, n)
			return err
		})
		if err != nil {
			return nil, fault.Wrap(err, "find what was signed")
		}
		if err := tx.one([]any{&f.Held}, `SELECT h.reason FROM legal_hold h WHERE (h.kind = 'snapshot' AND h.subject = $2) OR (h.kind = 'candidate' AND h.subject IN (SELECT c.id FROM candidate c
			WHERE c.project = $1 AND (
			  c.subject IN (SELECT digest FROM snapshot WHERE id = $2)
			  OR c.model IN (SELECT id FROM model WHERE snapshot = $2)
			  OR c.baseline_model IN (SELECT id FROM model WHERE snapshot = $2)
			  OR c.model IN (SELECT candidate FROM comparison WHERE project = $1 AND snapshot = $2)))) ORDER BY h.at LIMIT 1`, string(project), f.ID); err != nil && !fault.Is(err, fault.NotFound) {
			return nil, fault.Wrap(err, "find what is held")
		}
	}
	return list, nil
}

// Uploads lists the files that came into a dataset and are still kept.
func (tx *Tx) Uploads(dataset string) ([]erasure.Upload, error) {
	var list []erasure.Upload
	err := tx.each(`SELECT id, blob, finished_at FROM import WHERE dataset = $1 AND blob <> ''`, []any{dataset}, func(scan func(...any) error) error {
		var u erasure.Upload
		var finished int64
		err := scan(&u.ID, &u.Blob, &finished)
		u.Done = finished > 0
		list = append(list, u)
		return err
	})
	return list, fault.Wrap(err, "list uploads")
}

// EraseItem empties an item and takes it out of the search index.
func (tx *Tx) EraseItem(t erasure.Thing) error {
	for _, statement := range tx.store.dialect.unindexItem() {
		if _, err := tx.exec(statement, argsFor(statement, t.Seq)...); err != nil {
			return fault.Wrap(err, "take an item out of the search index")
		}
	}
	item, err := tx.Item(labeling.ItemID(t.ID))
	if err != nil {
		return err
	}
	item.Status, item.Label, item.Model, item.ModelLabel, item.ModelScore, item.Uncertainty = labeling.StatusTrashed, "", "", "", nil, nil
	if err := tx.UpdateItem(item); err != nil {
		return err
	}
	// The digest of a short text gives it away to whoever guesses it.
	if _, err := tx.exec(`UPDATE item SET text = '', meta = '{}', content = $2 WHERE id = $1`, t.ID, string(ledger.DigestOf([]byte("erased "+t.ID)))); err != nil {
		return err
	}
	for _, statement := range []string{`DELETE FROM draft WHERE item = $1`, `DELETE FROM item_shown WHERE item = $1`, `DELETE FROM item_bulk_row WHERE item = $1`, `DELETE FROM item_media WHERE item = $1`, `UPDATE annotation SET reason = '' WHERE item = $1`} {
		if _, err := tx.exec(statement, t.ID); err != nil {
			return fault.Wrap(err, "erase what stands about an item")
		}
	}
	return nil
}

// argsFor gives a statement its one argument, where it asks for it.
func argsFor(statement string, arg any) []any {
	if strings.Contains(statement, "$1") {
		return []any{arg}
	}
	return nil
}

// unindexItem returns the statements that take the item with the seq $1 out of
// the search index, while its text still stands. The index keeps words of
// deleted rows until it merges its parts, unless it is told not to.
func (sqlite) unindexItem() []string {
	return []string{
		`INSERT INTO item_words (item_words, rank) VALUES ('secure-delete', 1)`,
		`INSERT INTO item_words (item_words, rowid, scope, text) SELECT 'delete', seq, 'p' || replace(project, '-', ''), text FROM item
			WHERE seq = $1 AND seq <= (SELECT seq FROM item_indexed)`,
	}
}

func (postgres) unindexItem() []string { return []string{`DELETE FROM item_words WHERE seq = $1`} }

// EraseSnapshot marks a snapshot as failed with a reason and forgets its files.
func (tx *Tx) EraseSnapshot(id, reason string) error {
	return tx.mustExec(`UPDATE snapshot SET state = 'failed', failure = $2, row_file = '', row_bytes = 0, parquet_file = '', parquet_bytes = 0 WHERE id = $1`, id, reason)
}

// ForgetUpload forgets the file of an import.
func (tx *Tx) ForgetUpload(id string) error {
	return tx.mustExec(`UPDATE import SET blob = '' WHERE id = $1`, id)
}

// FileUsed reports whether anything still needs a file.
func (tx *Tx) FileUsed(digest ledger.Digest) (bool, error) {
	return tx.exists(`SELECT 1 FROM snapshot WHERE row_file = $1 OR parquet_file = $1
		UNION ALL SELECT 1 FROM import WHERE blob = $1
		UNION ALL SELECT 1 FROM prediction_set WHERE digest = $1
		UNION ALL SELECT 1 FROM evaluation WHERE digest = $1
		UNION ALL SELECT 1 FROM comparison WHERE digest = $1
		UNION ALL SELECT 1 FROM model WHERE replace(files, $1, '') <> files
		UNION ALL SELECT 1 FROM training_output WHERE digest = $1 LIMIT 1`, string(digest))
}

// NeededFiles lists the files that people and signatures rest on, each with the
// kind of record that names it. Uploads are not among them: what they brought in
// stands in rows.
func (s *Store) NeededFiles(ctx context.Context) (map[ledger.Digest]string, error) {
	needed := map[ledger.Digest]string{}
	err := s.View(ctx, func(tx *Tx) error {
		clear(needed)
		return tx.each(`SELECT row_file, 'snapshot' FROM snapshot WHERE state = 'ready' UNION SELECT parquet_file, 'snapshot' FROM snapshot WHERE state = 'ready'
			UNION SELECT digest, 'prediction set' FROM prediction_set WHERE state = 'ready'
			UNION SELECT digest, 'evaluation' FROM evaluation
			UNION SELECT digest, 'comparison' FROM comparison
			UNION SELECT digest, 'training output' FROM training_output`, nil, func(scan func(...any) error) error {
			var digest, kind string
			err := scan(&digest, &kind)
			if digest != "" {
				needed[ledger.Digest(digest)] = kind
			}
			return err
		})
	})
	return needed, fault.Wrap(err, "list the files that are needed")
}

// NextSeq is the number that the next event will get.
func (tx *Tx) NextSeq() (int64, error) {
	var last int64
	err := tx.one([]any{&last}, `SELECT COALESCE(MAX(seq), 0) FROM event`)
	return last + 1, err
}

// ErasePayloads takes payloads and salts of events away in the name of an event.
func (tx *Tx) ErasePayloads(cause int64, seqs []int64) (gone int64, err error) {
	for part := range slices.Chunk(seqs, 100) { // the driver binds parameters in a time that grows with their square
		var args []any
		for _, seq := range part {
			args = append(args, seq)
		}
		these := ` WHERE seq IN ` + places(len(part))
		if _, err := tx.exec(fmt.Sprintf(`INSERT INTO erased_payload (seq, cause) SELECT seq, CAST($%d AS BIGINT) FROM event_payload`, len(part)+1)+these+` ON CONFLICT DO NOTHING`, append(args, cause)...); err != nil {
			return 0, fault.Wrap(err, "note what was erased")
		}
		n, err := tx.exec(`DELETE FROM event_payload`+these, args...)
		if err != nil {
			return 0, fault.Wrap(err, "erase payloads")
		}
		gone += n
	}
	return gone, nil
}

// RecordsOf lists, oldest first, events by or about a person.
func (tx *Tx) RecordsOf(id ledger.PersonID, after int64, most int) ([]ledger.Record, error) {
	records, err := tx.records(`WHERE e.seq IN (
			SELECT seq FROM (SELECT seq FROM event WHERE actor = $1 AND seq > $2 ORDER BY seq LIMIT $3) AS theirs
			UNION SELECT seq FROM (SELECT seq FROM event WHERE subject_kind = 'person' AND subject = $1 AND seq > $2 ORDER BY seq LIMIT $3) AS about)
		ORDER BY e.seq LIMIT $3`, string(id), after, most)
	return records, fault.Wrap(err, "read the events of a person")
}

// RecordsNaming lists the events whose payload holds one of some texts.
func (tx *Tx) RecordsNaming(texts []string, after, until int64) ([]ledger.Record, error) {
	args := []any{after, until}
	var holds []string
	for _, text := range texts {
		args = append(args, text)
		holds = append(holds, tx.store.dialect.holds(`lower(payload)`, fmt.Sprintf("CAST($%d AS TEXT)", len(args))))
	}
	if len(holds) == 0 {
		return nil, nil
	}
	var seqs []int64
	if err := tx.each(`SELECT seq FROM event_payload WHERE seq > $1 AND seq <= $2 AND (`+strings.Join(holds, " OR ")+`) ORDER BY seq`, args, func(scan func(...any) error) error {
		var seq int64
		err := scan(&seq)
		seqs = append(seqs, seq)
		return err
	}); err != nil {
		return nil, fault.Wrap(err, "look for a name in the history")
	}
	var found []ledger.Record
	for _, seq := range seqs {
		records, err := tx.records(`WHERE e.seq = $1`, seq)
		if err != nil {
			return nil, fault.Wrap(err, "read what holds a name")
		}
		found = append(found, records...)
	}
	return found, nil
}

// holds is a condition: a text holds another.
func (sqlite) holds(text, part string) string   { return `instr(` + text + `, ` + part + `) > 0` }
func (postgres) holds(text, part string) string { return `strpos(` + text + `, ` + part + `) > 0` }

// StartErasing writes down that something is being erased.
func (tx *Tx) StartErasing(e erasure.Erasing) error {
	_, err := tx.exec(`INSERT INTO erasing (cause, kind, subject, person, at, last, own, seen, words, payloads, finished_at) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, $7, 0)`,
		e.Cause, string(e.Kind), e.ID, string(e.Person), micros(e.At), e.Last, e.Payloads)
	return err
}

// Erasing returns the latest erasure of something.
func (tx *Tx) Erasing(kind erasure.Kind, id string) (erasure.Erasing, error) {
	e := erasure.Erasing{Kind: kind, ID: id}
	var at, finished int64
	err := tx.one([]any{&e.Cause, &e.Person, &at, &e.Last, &e.Own, &e.Seen, &e.Words, &e.Payloads, &finished},
		`SELECT cause, person, at, last, own, seen, words, payloads, finished_at FROM erasing WHERE kind = $1 AND subject = $2 ORDER BY cause DESC LIMIT 1`, string(kind), id)
	e.At = fromMicros(at)
	if finished > 0 {
		e.Finished = fromMicros(finished)
	}
	return e, err
}

// Advance writes down how far an erasure has come. Two servers may both be at it
// for a moment: what one has done is not taken back by the other.
func (tx *Tx) Advance(e erasure.Erasing) error {
	_, err := tx.exec(`UPDATE erasing SET words = words + $2, payloads = payloads + $3, last = CASE WHEN last > $4 THEN last ELSE $4 END,
		own = CASE WHEN own > $5 THEN own ELSE $5 END, seen = CASE WHEN seen > $6 THEN seen ELSE $6 END WHERE cause = $1`,
		e.Cause, e.Words, e.Payloads, e.Last, e.Own, e.Seen)
	return fault.Wrap(err, "note how far an erasure has come")
}

// Finished notes when an erasure was done.
func (tx *Tx) Finished(cause int64, at time.Time) error {
	_, err := tx.exec(`UPDATE erasing SET finished_at = $2 WHERE cause = $1 AND finished_at = 0`, cause, micros(at))
	return fault.Wrap(err, "note that an erasure is done")
}

// PayloadsAbout lists the events about a subject that have a payload.
func (tx *Tx) PayloadsAbout(s ledger.Subject) (seqs []int64, err error) {
	err = tx.each(`SELECT e.seq FROM event e JOIN event_payload p ON p.seq = e.seq WHERE e.subject_kind = $1 AND e.subject = $2 AND e.kind <> 'item.erased' ORDER BY e.seq`,
		[]any{s.Kind, s.ID}, func(scan func(...any) error) error {
			var seq int64
			err := scan(&seq)
			seqs = append(seqs, seq)
			return err
		})
	return seqs, fault.Wrap(err, "find payloads")
}

// PlaceHold places a legal hold.
func (tx *Tx) PlaceHold(h erasure.Hold) error {
	_, err := tx.exec(`INSERT INTO legal_hold (kind, subject, reason, person, at) VALUES ($1, $2, $3, $4, $5)`, h.Kind, h.ID, h.Reason, string(h.Person), micros(h.At))
	return err
}

// LiftHold takes a legal hold away.
func (tx *Tx) LiftHold(kind, id string) (bool, error) {
	n, err := tx.exec(`DELETE FROM legal_hold WHERE kind = $1 AND subject = $2`, kind, id)
	return n > 0, err
}

// Holds lists all legal holds, the latest first.
func (tx *Tx) Holds() (holds []erasure.Hold, err error) {
	err = tx.each(`SELECT kind, subject, reason, person, at FROM legal_hold ORDER BY at DESC, kind, subject`, nil, func(scan func(...any) error) error {
		var h erasure.Hold
		var at int64
		err := scan(&h.Kind, &h.ID, &h.Reason, &h.Person, &at)
		h.At = fromMicros(at)
		holds = append(holds, h)
		return err
	})
	return holds, fault.Wrap(err, "list legal holds")
}

// Holdable finds what can be held, also in the trash.
func (tx *Tx) Holdable(kind, id string) (erasure.Holdable, error) {
	t := erasure.Holdable{Kind: kind}
	var title string
	var err error
	switch kind {
	case "person":
		err = tx.one([]any{&t.ID, &t.Name}, `SELECT id, name FROM person WHERE id = $1 OR username = $1`, id)
	case "project":
		err = tx.one([]any{&t.ID, &t.Name, &t.Project}, `SELECT id, name, id FROM project WHERE id = $1 OR slug = $1`, id)
	case "dataset":
		err = tx.one([]any{&t.ID, &t.Name, &t.Project}, `SELECT id, name, project FROM dataset WHERE id = $1`, id)
	case "item":
		err = tx.one([]any{&t.ID, &t.Name, &t.Project, &t.Dataset}, `SELECT id, key, project, dataset FROM item WHERE id = $1`, id)
	case "snapshot":
		err = tx.one([]any{&t.ID, &title, &t.Number, &t.Project}, `SELECT id, name, number, project FROM snapshot WHERE id = $1`, id)
		t.Name = labeling.Snapshot{Number: t.Number, Name: title}.Title()
	case "candidate":
		err = tx.one([]any{&t.ID, &title, &t.Number, &t.Project}, `SELECT id, name, number, project FROM candidate WHERE id = $1`, id)
		t.Name = fmt.Sprintf("%s #%d", title, t.Number)
	default:
		err = fault.New(fault.NotFound, "Nothing of this kind can be held.")
	}
	return t, err
}

// ErasedPayloads returns, for every payload that was erased, the number of the
// event that did it.
func (s *Store) ErasedPayloads(ctx context.Context) (map[int64]int64, error) {
	causes := map[int64]int64{}
	err := s.View(ctx, func(tx *Tx) error {
		clear(causes)
		return tx.each(`SELECT seq, cause FROM erased_payload`, nil, func(scan func(...any) error) error {
			var seq, cause int64
			err := scan(&seq, &cause)
			causes[seq] = cause
			return err
		})
	})
	return causes, fault.Wrap(err, "read what was erased")
}

// scrubPages is how many free pages one transaction overwrites.
const scrubPages = 200

// Scrub overwrites what deleted rows left behind in SQLite's files: free pages
// are taken into use as zeros and given back, and the log of writes is emptied
// into the database. PostgreSQL offers no such thing: there old versions of rows
// stay in its files until VACUUM and the reuse of their pages. First it takes the
// salts away by which one could guess what stood in rows that are no more.
func (s *Store) Scrub(ctx context.Context) error {
	if err := s.forgetSalts(ctx); err != nil {
		return err
	}
	if s.dialect.name() != "sqlite" {
		return nil
	}
	var size int64
	if err := s.View(ctx, func(tx *Tx) error { return tx.one([]any{&size}, `PRAGMA page_size`) }); err != nil {
		return fault.Wrap(err, "ask for the size of pages")
	}
	for more := true; more; {
		if err := s.Update(ctx, func(tx *Tx) error {
			var free int64
			if err := tx.one([]any{&free}, `PRAGMA freelist_count`); err != nil {
				return err
			}
			if more = free > 2; !more { // less holds no page of a row: the table's own nodes come and go
				return nil
			}
			_, err := tx.exec(`INSERT INTO scrub (filler) VALUES (zeroblob($1))`, size*min(free, scrubPages))
			return err
		}); err != nil {
			return fault.Wrap(err, "overwrite free pages")
		}
	}
	for more := true; more; {
		if err := s.Update(ctx, func(tx *Tx) error {
			n, err := tx.exec(`DELETE FROM scrub WHERE id = (SELECT id FROM scrub LIMIT 1)`)
			more = n > 0
			return err
		}); err != nil {
			return fault.Wrap(err, "give pages back")
		}
	}
	return s.emptyLog(ctx)
}

// emptyLog moves what the log of writes holds into the database and cuts the
// log to nothing. Whoever reads an old state keeps it from that: then it is
// tried again later.
func (s *Store) emptyLog(ctx context.Context) error {
	conn, err := s.checkpoints.Conn(ctx)
	if err != nil {
		return fault.Wrap(err, "connect")
	}
	defer func() { _ = conn.Close() }()
	var busy, pages, moved int64
	if err := conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
		return fault.Wrap(s.translate(err), "empty the log of writes")
	}
	if busy != 0 {
		return fault.As(fault.Unavailable, fmt.Errorf("%d of %d pages moved", moved, pages), "The database is being read; traces are overwritten later.")
	}
	return nil
}
