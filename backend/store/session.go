package store

import (
	"context"
	"database/sql"

	"github.com/adjudge/adjudge/backend/fault"
)

// session is one connection with the statements prepared on it. It serves one
// transaction at a time.
type session struct {
	dialect dialect
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
}

// run carries out a statement that has no parameters.
func (c *session) run(ctx context.Context, statement string) error {
	if c.conn == nil {
		return sql.ErrConnDone
	}
	_, err := c.exec(ctx, statement, nil)
	return err
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
