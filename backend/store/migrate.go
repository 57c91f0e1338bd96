package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to date. Every migration runs in a transaction.
func (s *Store) migrate(ctx context.Context) error {
	folder, err := fs.Sub(migrations, "migrations/"+s.dialect.name())
	if err != nil {
		return fmt.Errorf("open migrations: %w", err)
	}
	dialect := goose.DialectSQLite3
	if s.dialect.name() == "postgres" {
		dialect = goose.DialectPostgres
	}
	// Numbers are given by room, so a room's next may come after another's higher one.
	provider, err := goose.NewProvider(dialect, s.writes, folder, goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring the schema up to date: %w", err)
	}
	return nil
}
