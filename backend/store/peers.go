package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// peers are the servers that share a PostgreSQL database. They hear of each
// other by LISTEN and NOTIFY:
//
//   - Each group that wrote events or work notifies within its transaction, so
//     that a note arrives if and only if the group was committed.
//   - A note says only that there is something. What it is is read from the
//     history, from the last event heard of on; so a note that was lost, with a
//     connection or before this server listened, costs nothing but time.
//   - Each group writes its number under its server's id in the same transaction.
//     Whoever got no answer to COMMIT looks there.
type peers struct {
	store   *Store
	config  *pgx.ConnConfig
	id      string // of this opening of the store
	channel string // of this database's schema

	mu   sync.Mutex
	mine map[int64]ledger.Digest // events that this server announces itself, by their numbers

	last    int64 // the last event heard of; the listener's alone
	stop    context.CancelFunc
	stopped chan struct{}
}

// note is what servers send each other.
type note struct {
	From string `json:"from"`
	// The events of the group, from the first to the last; 0 for none.
	First int64  `json:"first,omitempty"`
	Last  int64  `json:"last,omitempty"`
	Work  bool   `json:"work,omitempty"` // there is work to be done
	Text  string `json:"text,omitempty"` // said by Tell
}

// mostTold is the most bytes that Tell takes; PostgreSQL carries less than 8,000.
const mostTold = 6000

func newPeers(s *Store, config *pgx.ConnConfig) *peers {
	id := make([]byte, 8)
	_, _ = rand.Read(id) // crypto/rand never fails
	return &peers{store: s, config: config, id: hex.EncodeToString(id), mine: map[int64]ledger.Digest{}, stopped: make(chan struct{})}
}

// join enters this server and finds out where the history stands.
func (p *peers) join(ctx context.Context) error {
	now := p.store.Now()
	db := p.store.writes
	if _, err := db.ExecContext(ctx, `DELETE FROM server WHERE at < $1`, micros(now.Add(-24*time.Hour))); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `INSERT INTO server (id, commit_number, at) VALUES ($1, 0, $2)`, p.id, micros(now)); err != nil {
		return err
	}
	var schema string
	if err := db.QueryRowContext(ctx, `SELECT CAST(current_schema() AS TEXT)`).Scan(&schema); err != nil {
		return err
	}
	p.channel = "adjudge " + schema
	return db.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM event`).Scan(&p.last)
}

func (p *peers) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	go func() {
		defer close(p.stopped)
		p.listen(ctx)
	}()
}

func (p *peers) leave() {
	if p.stop == nil {
		return // never started
	}
	p.stop()
	<-p.stopped
}

// sign writes the number of the group that is about to be committed, and the
// note for the others where they need one.
func (p *peers) sign(w *writer, number int64, events []ledger.Event, work bool) error {
	text := ""
	if len(events) > 0 || work {
		n := note{From: p.id, Work: work}
		if len(events) > 0 {
			n.First, n.Last = events[0].Seq, events[len(events)-1].Seq
		}
		body, err := json.Marshal(n)
		if err != nil {
			return err
		}
		text = string(body)
	}
	p.mu.Lock()
	for _, e := range events { // before the listener can read them
		p.mine[e.Seq] = e.Hash
	}
	p.mu.Unlock()
	// It travels with the COMMIT.
	return w.session.later(context.Background(), `WITH signed AS (
			INSERT INTO server (id, commit_number, at) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET commit_number = $2, at = $3 RETURNING id)
		SELECT CASE WHEN CAST($5 AS TEXT) = '' THEN NULL ELSE pg_notify(CAST($4 AS TEXT), $5) END FROM signed`,
		[]any{p.id, number, micros(p.store.Now()), p.channel, text}, nil)
}

// signed returns the number of this server's last group that was committed.
func (p *peers) signed(w *writer) (number int64, err error) {
	rows, err := w.session.query(context.Background(), `SELECT commit_number FROM server WHERE id = $1`, []any{p.id})
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(&number); err != nil {
			return 0, err
		}
	}
	return number, rows.Err()
}

// listen hears the others until ctx ends. It comes back when its connection
// breaks, and then reads what happened meanwhile.
func (p *peers) listen(ctx context.Context) {
	pause := 100 * time.Millisecond
	for ctx.Err() == nil {
		begun := time.Now()
		err := p.hear(ctx)
		if ctx.Err() != nil {
			return
		}
		p.store.options.Log.Warn("the database is not heard; connecting again", "error", err)
		if time.Since(begun) > time.Minute {
			pause = 100 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// silence is how long a connection is believed without a word.
const silence = 30 * time.Second

func (p *peers) hear(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, p.config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{p.channel}.Sanitize()); err != nil {
		return err
	}
	// What was said before the connection stood was said to nobody.
	if err := p.catchUp(ctx); err != nil {
		return err
	}
	p.store.announce(nil, true)
	for {
		quiet, cancel := context.WithTimeout(ctx, silence)
		heard, err := conn.WaitForNotification(quiet)
		cancel()
		switch {
		case err == nil:
			if err := p.take(ctx, heard.Payload); err != nil {
				return err
			}
		case ctx.Err() != nil:
			return ctx.Err()
		case quiet.Err() != nil: // nobody spoke: is it still there?
			if err := conn.Ping(ctx); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// take acts on a note.
func (p *peers) take(ctx context.Context, payload string) error {
	var n note
	if err := json.Unmarshal([]byte(payload), &n); err != nil {
		return nil // the words of a newer server
	}
	if n.From == p.id && (n.Last <= p.last || n.First == p.last+1) {
		// Announced when it was committed, and nothing of others lies before it.
		if n.Last > p.last {
			p.last = n.Last
			p.forget(n.First, n.Last)
		}
		return nil
	}
	if n.Text != "" {
		p.store.heard.RLock()
		defer p.store.heard.RUnlock()
		for _, f := range p.store.heard.told {
			f(n.From, n.Text)
		}
		return nil
	}
	if err := p.catchUp(ctx); err != nil {
		return err
	}
	if n.Work && n.From != p.id {
		p.store.announce(nil, true)
	}
	return nil
}

func (p *peers) forget(first, last int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for seq := first; seq <= last; seq++ {
		delete(p.mine, seq)
	}
}

// catchUp announces the events since the last one heard of, but for this
// server's own.
func (p *peers) catchUp(ctx context.Context) error {
	for {
		var events []ledger.Event
		err := p.store.View(ctx, func(tx *Tx) (err error) {
			events, err = tx.eventsAfter(p.last, 1000)
			return err
		})
		if err != nil || len(events) == 0 {
			return err
		}
		p.last = events[len(events)-1].Seq
		p.store.announce(p.others(events), false)
	}
}

// others returns the events that this server has not announced itself, and
// forgets which they were. A number that a group of ours failed to commit may
// have become another's: the hash tells.
func (p *peers) others(events []ledger.Event) []ledger.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	var rest []ledger.Event
	for _, e := range events {
		if p.mine[e.Seq] != e.Hash {
			rest = append(rest, e)
		}
		delete(p.mine, e.Seq)
	}
	return rest
}

// eventsAfter returns events of the chain without their payloads, oldest first.
func (tx *Tx) eventsAfter(seq int64, limit int) ([]ledger.Event, error) {
	var events []ledger.Event
	err := tx.each(`SELECT seq, at, actor, via, project, kind, subject_kind, subject, commitment, prev, hash, `+tx.store.rowDigest+`
		FROM event WHERE seq > $1 ORDER BY seq LIMIT $2`, []any{seq, limit}, func(scan func(...any) error) error {
		var e ledger.Event
		var at int64
		err := scan(&e.Seq, &at, &e.Actor, &e.Via, &e.Project, &e.Kind, &e.Subject.Kind, &e.Subject.ID, &e.Commitment, &e.Prev, &e.Hash, &e.Rows)
		e.At = fromMicros(at)
		events = append(events, e)
		return err
	})
	return events, fault.Wrap(err, "read the events since the last")
}

// Tell says something to the other servers that concerns only who is connected
// now, as who is present; nothing keeps it. On SQLite there is nobody to hear it.
func (s *Store) Tell(ctx context.Context, text string) error {
	if s.peers == nil || text == "" {
		return nil
	}
	if len(text) > mostTold {
		return fault.New(fault.TooLarge, "At most %d bytes can be told to other servers.", mostTold)
	}
	body, err := json.Marshal(note{From: s.peers.id, Text: text})
	if err != nil {
		return err
	}
	_, err = s.writes.ExecContext(ctx, `SELECT pg_notify($1, $2)`, s.peers.channel, string(body))
	return s.translate(err)
}

// OnTold calls f with what other servers tell, and the id of who tells it. f
// must not block.
func (s *Store) OnTold(f func(from, text string)) {
	s.heard.Lock()
	defer s.heard.Unlock()
	s.heard.told = append(s.heard.told, f)
}
