// Package store keeps everything that must outlive the process in one SQL
// database: SQLite, which needs nothing, or PostgreSQL for teams. All SQL of the
// product stands here, one text for both, in a file per desk.
//
// A desk asks for two functions and never sees this package:
//
//	labeling.New(labeling.Config{
//		Update: store.In[labeling.Tx](s),   // read and write, durable when it returns
//		View:   store.From[labeling.Tx](s), // one consistent read, never writes
//	})
//
// Updates of all goroutines are committed in groups by one writer, so that a
// flush to disk serves many of them; see writer.go for the rules.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib" // also the driver "pgx"
	_ "modernc.org/sqlite"           // the driver "sqlite"
)

// Options tune a store. The zero value is right for a server.
type Options struct {
	// Now gives the time of record; time.Now if nil.
	Now func() time.Time
	// Rehearse runs every Update twice, the first time rolled back, to show that
	// its function can bear it. Tests always do.
	Rehearse bool
	// Log receives what goes wrong behind the callers' backs.
	Log *slog.Logger
	// Backups is the directory where a copy of the database is put before its
	// schema is changed; without it there is none.
	Backups string
	// Upgrading, if set, hears how far a change of the schema is.
	Upgrading func(Upgrade)
	// Trace, if set, begins the span of a transaction and returns what ends it.
	// how is view or update, room the package that asks, system the database;
	// waited is how long an update stood in line.
	Trace func(ctx context.Context, how, room, system string) (context.Context, func(waited time.Duration, err error))
	// Frozen opens a database that exists, as it is, to read only: beside a
	// running server, and whatever version of the program it belongs to.
	Frozen bool

	migrations fs.FS // instead of the program's own, in tests of this room
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	dialect dialect
	writes  *sql.DB // one connection, owned by the writer
	reads   *sql.DB // read-only connections
	// checkpoints empties SQLite's log of writes; it never writes itself. Nil on PostgreSQL.
	checkpoints *sql.DB
	readers     *readers
	path        string // of a SQLite file
	options     Options
	schemas     schemas
	migrated    []int64           // the numbers of the migrations that it has seen
	rowDigest   string            // the column of event; in a database of a version before, which doctor reads, nothing
	shapes      map[string]shaped // of statements, by their text; the writer's alone
	writer      *writer
	recent      *recent // the writer's alone
	heard       hearing
	peers       *peers // the other servers on a PostgreSQL database; nil on SQLite
}

// hearing holds those who want to know what was committed.
type hearing struct {
	sync.RWMutex
	events []func([]ledger.Event)
	work   []func()
	told   []func(from, text string)

	commits []func(updates int, took time.Duration)
}

// Open opens the database at a URL, creates it if it is a SQLite file that does
// not exist, and brings its schema up to date. The URL is a path, "sqlite:path"
// or "postgres://…". It returns Invalid for any other scheme and Unavailable
// when the database cannot be reached.
func Open(ctx context.Context, address string, options Options) (*Store, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	s, err := dial(address, options)
	if err != nil {
		return nil, err
	}
	err = s.migrate(ctx)
	if err == nil {
		err = s.findRowDigest(ctx)
	}
	if err == nil && !options.Frozen && s.peers != nil {
		err = s.peers.join(ctx)
	}
	if err == nil && !options.Frozen {
		if s.writer, err = startWriter(ctx, s); err == nil {
			err = s.sealFound(ctx)
		}
	}
	if err != nil {
		if s.writer != nil {
			s.writer.stop()
		}
		_ = s.closePools()
		return nil, cannotOpen(address, err)
	}
	if !options.Frozen && s.peers != nil {
		s.peers.start()
	}
	return s, nil
}

// cannotOpen says which database cannot be opened, unless the error says
// something that a person can act on.
func cannotOpen(address string, err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.As(fault.Unavailable, err, "The database %s cannot be opened", redact(address))
}

// dial connects to the database at an address and leaves it as it is.
func dial(address string, options Options) (*Store, error) {
	if options.Log == nil {
		options.Log = slog.Default()
	}
	s := &Store{options: options, recent: newRecent(), shapes: map[string]shaped{}}
	var err error
	switch {
	case IsPostgres(address):
		s.dialect = postgres{}
		err = s.openPostgres(address)
	case strings.Contains(address, "://"):
		return nil, fault.Field("database", "%q is no database address; use a path, sqlite:path or postgres://user@host/name", address)
	default:
		s.dialect, s.path = sqlite{}, File(address)
		if _, missing := os.Stat(s.path); missing != nil && options.Frozen {
			return nil, fault.As(fault.NotFound, missing, "There is no database at %s.", s.path)
		}
		err = s.openSQLite(s.path)
	}
	if err != nil {
		_ = s.closePools()
		return nil, cannotOpen(address, err)
	}
	return s, nil
}

// IsPostgres reports whether an address is one of a PostgreSQL database.
func IsPostgres(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// escapePath writes a path as the driver's address of a file wants it.
func escapePath(path string) string { return (&url.URL{Path: path}).EscapedPath() }

func (s *Store) openSQLite(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	// Each connection may keep so many kilobytes of pages for itself. Readers need
	// few: they see the file as the system keeps it, up to a gigabyte, and copy only
	// what stands in the log of writes. Caches of 64 MB let a busy server grow by that
	// for every connection and made nothing faster, be it with a million items.
	dsn := func(cacheKB int, extra string) string {
		return "file:" + escapePath(path) +
			"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(4000)" +
			"&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-" + strconv.Itoa(cacheKB) + ")" +
			// What is deleted is overwritten wherever its page is written anyway; Scrub does the rest.
			"&_pragma=secure_delete(FAST)" + extra
	}
	var err error
	if s.writes, err = sql.Open("sqlite", dsn(16<<10, "&_txlock=immediate")); err != nil {
		return err
	}
	s.writes.SetMaxOpenConns(1)
	if s.reads, err = sql.Open("sqlite", dsn(4<<10, "&_pragma=query_only(1)&_pragma=mmap_size(1073741824)")); err != nil {
		return err
	}
	if s.checkpoints, err = sql.Open("sqlite", dsn(1<<10, "")); err != nil {
		return err
	}
	s.readers = newReaders(s.reads, s.dialect, max(4, runtime.NumCPU()))
	return nil
}

func (s *Store) openPostgres(address string) error {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return err
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	s.reads = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(interpret))
	s.readers = newReaders(s.reads, s.dialect, 16)
	s.peers = newPeers(s, config.Copy())
	s.writes = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(interpret))
	// The writer's, one for migrations before it starts and what Tell says after, two to Analyze.
	s.writes.SetMaxOpenConns(4)
	return nil
}

// interpret keeps PostgreSQL from compiling queries: that costs more than any of
// ours takes, and where the database has not counted its tables yet it compiles a
// look at one person for 200 ms. It is said after connecting, for a pool between
// us and the database may refuse what it does not know. Whoever asks for it in the
// address (options=-c%20jit%3Don) keeps it.
func interpret(ctx context.Context, conn *pgx.Conn) error {
	given := conn.Config().RuntimeParams
	if given["jit"] != "" || strings.Contains(given["options"], "jit") {
		return nil
	}
	_, err := conn.Exec(ctx, "SET jit = off")
	if _, unknown := errors.AsType[*pgconn.PgError](err); unknown {
		return nil // a version that compiles nothing
	}
	return err
}

// redact hides a password in a database address.
func redact(address string) string {
	if u, err := url.Parse(address); err == nil && u.User != nil {
		return u.Redacted()
	}
	return address
}

// Close waits for the updates in progress and closes the database. It may be
// called twice.
func (s *Store) Close() error {
	if s.peers != nil {
		s.peers.leave()
	}
	if s.writer != nil {
		s.writer.stop()
	}
	return s.closePools()
}

func (s *Store) closePools() error {
	var errs []error
	for _, pool := range []*sql.DB{s.checkpoints, s.reads, s.writes} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// Now returns the store's time in UTC, cut to the microseconds that are kept.
func (s *Store) Now() time.Time { return s.options.Now().UTC().Truncate(time.Microsecond) }

// OnEvents calls f with the events of every commit, outside any transaction and
// in the order of the history: those of this server at once, those of other
// servers on the same database as soon as they are heard of, each exactly once.
// f must not block.
func (s *Store) OnEvents(f func([]ledger.Event)) {
	s.heard.Lock()
	defer s.heard.Unlock()
	s.heard.events = append(s.heard.events, f)
}

// OnWork calls f after every commit that enqueued work, here or on another
// server. f must not block.
func (s *Store) OnWork(f func()) {
	s.heard.Lock()
	defer s.heard.Unlock()
	s.heard.work = append(s.heard.work, f)
}

func (s *Store) announce(events []ledger.Event, work bool) {
	s.heard.RLock()
	defer s.heard.RUnlock()
	if len(events) > 0 {
		for _, f := range s.heard.events {
			f(events)
		}
	}
	if work {
		for _, f := range s.heard.work {
			f()
		}
	}
}

// View runs f in one consistent read. What f returns comes back as it is.
func (s *Store) View(ctx context.Context, f func(*Tx) error) error {
	return s.viewFor(ctx, "store", f)
}

func (s *Store) viewFor(ctx context.Context, room string, f func(*Tx) error) error {
	if s.options.Trace == nil {
		return s.view(ctx, f)
	}
	ctx, end := s.options.Trace(ctx, "view", room, s.dialect.name())
	err := s.view(ctx, f)
	end(0, err)
	return err
}

func (s *Store) view(ctx context.Context, f func(*Tx) error) error {
	var answer error
	err := s.readers.view(ctx, func(c *session) error {
		answer = f(&Tx{store: s, ctx: ctx, session: c})
		return nil
	})
	if err != nil {
		return s.translate(err)
	}
	return answer
}

// Update runs f in one transaction and returns after it is durable, or with f's
// error after everything was rolled back. f may run more than once. An Update
// inside an Update is refused with Internal.
func (s *Store) Update(ctx context.Context, f func(*Tx) error) error {
	return s.updateFor(ctx, "store", f)
}

func (s *Store) updateFor(ctx context.Context, room string, f func(*Tx) error) error {
	if s.writer == nil {
		return fault.New(fault.Internal, "an update of a database that was opened to read")
	}
	u := &update{ctx: ctx, f: f, answer: make(chan error, 1)}
	if s.options.Trace == nil {
		return s.writer.do(u)
	}
	var end func(time.Duration, error)
	u.ctx, end = s.options.Trace(ctx, "update", room, s.dialect.name())
	u.asked = time.Now()
	err := s.writer.do(u)
	end(u.waited(err), err)
	return err
}

// Analyze has PostgreSQL count the tables that imports and queues fill, after much
// came in at once. It does so by itself within a minute or more; until then it
// takes them for empty, and reads and sorts all items for a page of them. SQLite
// needs no counts. Failing costs time and nothing else, so it is only logged.
func (s *Store) Analyze(ctx context.Context) {
	s.analyze(ctx, "item", "item_key", "item_words", "queue_row")
}

func (s *Store) analyze(ctx context.Context, tables ...string) {
	if s.dialect.name() != "postgres" {
		return
	}
	// The connections of s.reads are all in the readers' hands.
	if _, err := s.writes.ExecContext(ctx, "ANALYZE "+strings.Join(tables, ", ")); err != nil {
		s.options.Log.Warn("count what the database holds", "error", err)
	}
}

// roomOf names the room in which a desk's transaction type is declared.
func roomOf[T any]() string { return path.Base(reflect.TypeFor[T]().PkgPath()) }

// In returns the Update that a desk with the transaction type T asks for.
func In[T any](s *Store) func(context.Context, func(T) error) error {
	room := roomOf[T]()
	return func(ctx context.Context, f func(T) error) error {
		return s.updateFor(ctx, room, func(tx *Tx) error { return f(any(tx).(T)) })
	}
}

// From returns the View that a desk with the transaction type T asks for.
func From[T any](s *Store) func(context.Context, func(T) error) error {
	room := roomOf[T]()
	return func(ctx context.Context, f func(T) error) error {
		return s.viewFor(ctx, room, func(tx *Tx) error { return f(any(tx).(T)) })
	}
}
