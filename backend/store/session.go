package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/adjudge/adjudge/backend/fault"
)

// session is one connection with the statements prepared on it. It serves one
// transaction at a time.
type session struct {
	dialect dialect
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
	waiting []statement // not sent yet; see later
	returns bool        // one of them returns rows
}

type statement struct {
	query string
	args  []any
	row   func([]any) error // hears each row that it returns; nil where none does
}

// mostWaiting is how many statements may wait to be sent together.
const mostWaiting = 100

// run carries out a statement that has no parameters.
func (c *session) run(ctx context.Context, query string) error {
	if c.conn == nil {
		return sql.ErrConnDone
	}
	if strings.HasPrefix(query, "ROLLBACK") {
		c.waiting, c.returns = c.waiting[:0], false // it would be taken back anyway
	}
	if len(c.waiting) > 0 {
		return c.flush(ctx, query)
	}
	_, err := c.exec(ctx, query, nil)
	return err
}

// later carries out a statement whose result nobody waits for. Where each
// statement is a way to a server and back it is sent with the next one whose
// result somebody does wait for, and so is the news that it failed.
func (c *session) later(ctx context.Context, query string, args []any, row func([]any) error) error {
	if !c.dialect.pipelines() {
		_, err := c.exec(ctx, query, args)
		return err
	}
	c.waiting, c.returns = append(c.waiting, statement{query, args, row}), c.returns || row != nil
	if len(c.waiting) >= mostWaiting {
		return c.flush(ctx)
	}
	return nil
}

// flush sends what waits, and further statements without parameters behind it,
// all at once. None behind one that fails is carried out.
func (c *session) flush(ctx context.Context, more ...string) error {
	if len(c.waiting)+len(more) == 0 {
		return nil
	}
	if c.conn == nil {
		return sql.ErrConnDone
	}
	var batch pgx.Batch
	for _, s := range c.waiting {
		queued := batch.Queue(s.query, s.args...)
		if s.row != nil {
			queued.Query(func(rows pgx.Rows) error { return eachOf(rows, s.row) })
		}
	}
	for _, query := range more {
		batch.Queue(query)
	}
	c.waiting, c.returns = c.waiting[:0], false
	return c.conn.Raw(func(conn any) error {
		return conn.(*stdlib.Conn).Conn().SendBatch(ctx, &batch).Close()
	})
}

// eachOf calls row with the values of each row.
func eachOf(rows pgx.Rows, row func([]any) error) error {
	for rows.Next() {
		values, err := rows.Values()
		if err == nil {
			err = row(values)
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// prepared returns the statement for a query on this connection.
func (c *session) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := c.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := c.conn.PrepareContext(ctx, query)
	if err == nil {
		c.stmts[query] = stmt
	}
	return stmt, err
}

func (c *session) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	if err := c.flush(ctx); err != nil {
		return nil, err
	}
	if !c.dialect.prepares() {
		return c.conn.ExecContext(ctx, query, args...)
	}
	stmt, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (c *session) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	if err := c.flush(ctx); err != nil {
		return nil, err
	}
	if !c.dialect.prepares() {
		return c.conn.QueryContext(ctx, query, args...)
	}
	stmt, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// connect gives the session a new connection of the pool.
func (c *session) connect(ctx context.Context, pool *sql.DB) error {
	conn, err := pool.Conn(ctx)
	if err == nil {
		c.conn, c.stmts = conn, map[string]*sql.Stmt{}
	}
	return err
}

// drop closes the connection; the next use connects anew.
func (c *session) drop() {
	c.waiting, c.returns = nil, false
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// readers lends sessions for views.
type readers struct {
	pool *sql.DB
	idle chan *session // one for every view that may run at once
}

func newReaders(pool *sql.DB, d dialect, n int) *readers {
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
	r := &readers{pool: pool, idle: make(chan *session, n)}
	for range n {
		r.idle <- &session{dialect: d}
	}
	return r
}

// view runs f in one consistent read.
func (r *readers) view(ctx context.Context, f func(*session) error) error {
	var c *session
	select {
	case <-ctx.Done():
		return ctx.Err()
	case c = <-r.idle:
		if c == nil {
			return fault.New(fault.Unavailable, "The server is stopping. Try again in a moment.")
		}
	}
	defer func() { r.idle <- c }()
	kept := c.conn != nil
	if !kept {
		if err := c.connect(ctx, r.pool); err != nil {
			return err
		}
	}
	err := c.run(ctx, c.dialect.beginView())
	if err != nil && kept && ctx.Err() == nil {
		// A connection that was kept may be dead, as after a restart of the database.
		c.drop()
		if err = c.connect(ctx, r.pool); err == nil {
			err = c.run(ctx, c.dialect.beginView())
		}
	}
	if err != nil {
		c.drop()
		return err
	}
	defer func() { // a read has nothing to commit
		if c.run(context.WithoutCancel(ctx), "ROLLBACK") != nil {
			c.drop()
		}
	}()
	return f(c)
}
