package store

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
	"github.com/jackc/pgx/v5/pgconn"
	driver "modernc.org/sqlite"
	code "modernc.org/sqlite/lib"
)

// dialect is all in which the two databases differ, but for the migrations.
type dialect interface {
	name() string
	// begin starts a transaction that writes; lock, if not empty, is its first
	// statement and makes it the only one, whatever other servers do.
	begin() string
	lock() string
	// settles are statements with which the writer's connection begins.
	settles() []string
	// beginView starts a transaction that only reads, all of it at one moment.
	beginView() string
	// prepares reports whether statements are worth keeping prepared.
	prepares() bool
	// pipelines reports whether statements are sent together; see session.later.
	pipelines() bool
	// bulkRows is how many rows one statement of a bulk inserts.
	bulkRows() int
	// fatal reports whether an error may have spoiled the whole transaction.
	fatal(err error) bool
	// translate gives the driver's errors their kinds.
	translate(err error) error
	// the search index; see labeling_data_items.go
	indexItems() string
	unindexItem() []string // see erasure.go
	holds(text, part string) string
	searchItems() (from, seq, where string)
	countWords() string
	searchFor(tx *Tx, project labeling.ProjectID, typed string) (string, error)
}

type sqlite struct{}

func (sqlite) name() string      { return "sqlite" }
func (sqlite) begin() string     { return "BEGIN IMMEDIATE" }
func (sqlite) lock() string      { return "" }
func (sqlite) settles() []string { return nil }
func (sqlite) beginView() string { return "BEGIN" }
func (sqlite) prepares() bool    { return true }
func (sqlite) pipelines() bool   { return false }

// bulkRows is one: a statement of several rows keeps what it changes aside, in
// case a later row fails, and the driver binds parameters in a time that grows
// with their square.
func (sqlite) bulkRows() int { return 1 }

func (sqlite) fatal(err error) bool {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return false
	}
	switch e.Code() & 0xff {
	case code.SQLITE_FULL, code.SQLITE_IOERR, code.SQLITE_NOMEM, code.SQLITE_INTERRUPT, code.SQLITE_BUSY:
		return true
	}
	return false
}

func (sqlite) translate(err error) error {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return err
	}
	switch e.Code() {
	case code.SQLITE_CONSTRAINT_UNIQUE, code.SQLITE_CONSTRAINT_PRIMARYKEY, code.SQLITE_CONSTRAINT_ROWID:
		return fault.As(fault.Conflict, err, "It exists already.")
	case code.SQLITE_CONSTRAINT_FOREIGNKEY:
		return fault.As(fault.Conflict, err, "It refers to something that does not exist, or something still refers to it.")
	}
	switch e.Code() & 0xff {
	case code.SQLITE_FULL:
		return fault.As(fault.Unavailable, err, "The disk is full. Free some space; nothing that was acknowledged is lost.")
	case code.SQLITE_BUSY, code.SQLITE_IOERR, code.SQLITE_NOMEM:
		return fault.As(fault.Unavailable, err, "The database is not answering. Try again in a moment.")
	}
	return err
}

type postgres struct{}

func (postgres) name() string  { return "postgres" }
func (postgres) begin() string { return "BEGIN" }

// lock makes writers of several servers take turns, as SQLite's one writer
// does; the number is "adjudge" in a phone keypad's digits.
func (postgres) lock() string {
	return "SELECT pg_advisory_xact_lock(2358343, hashtext(current_schema()))"
}

// settles has the database hang up on a server that vanished in the middle of a
// group, so that it does not keep the others waiting for its lock.
func (postgres) settles() []string {
	return []string{
		"SET idle_in_transaction_session_timeout = 30000", "SET tcp_keepalives_idle = 10", "SET tcp_keepalives_interval = 5", "SET tcp_keepalives_count = 3",
	}
}

func (postgres) beginView() string {
	return "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
}

func (postgres) prepares() bool  { return false }
func (postgres) pipelines() bool { return true }

// bulkRows is many, for each statement is a way to the server and back.
func (postgres) bulkRows() int { return 250 }

func (postgres) fatal(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return broken(err)
	}
	switch e.Code[:2] {
	case "08", "40", "53", "57", "58", "XX": // connection, rollback, resources, intervention, system, internal
		return true
	}
	return false
}

// broken reports whether an error means that there is no database at the other
// end of the connection any more.
func broken(err error) bool {
	_, connect := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	return connect || network || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sqldriver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		err != nil && strings.Contains(err.Error(), "conn closed") // pgconn has no name for it
}

func (postgres) translate(err error) error {
	if broken(err) {
		return fault.As(fault.Unavailable, err, "The database is not answering. Try again in a moment.")
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	switch {
	case e.Code == "23505":
		return fault.As(fault.Conflict, err, "It exists already.")
	case e.Code == "23503":
		return fault.As(fault.Conflict, err, "It refers to something that does not exist, or something still refers to it.")
	case e.Code[:2] == "08" || e.Code[:2] == "53" || e.Code[:2] == "57":
		return fault.As(fault.Unavailable, err, "The database is not answering. Try again in a moment.")
	}
	return err
}
