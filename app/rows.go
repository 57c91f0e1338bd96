package app

import (
	"context"
	"fmt"
	"io"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/store"
)

// checkRows holds every row of the tables that are proven against the last event
// that wrote it; it prints those that do not agree and reports whether all do.
func checkRows(ctx context.Context, out io.Writer, s *store.Store) (bool, error) {
	if !s.SealsRows() {
		_, err := fmt.Fprintln(out, "rows: a version wrote this database that did not say in the history which rows it writes; they are covered from the next start of the server on")
		return true, err
	}
	p, err := s.ProveRows(ctx)
	if fault.Is(err, fault.Conflict) {
		_, err = fmt.Fprintln(out, "rows:", fault.Message(err))
		return false, err
	}
	if err != nil {
		return false, err
	}
	for _, w := range p.Wrong {
		if _, err := fmt.Fprintln(out, "rows:", w.Say()); err != nil {
			return false, err
		}
	}
	if p.More > 0 {
		if _, err := fmt.Fprintf(out, "rows: and %d more\n", p.More); err != nil {
			return false, err
		}
	}
	line := fmt.Sprintf("rows: %d held against the history", p.Rows)
	if p.Found > 0 {
		line += fmt.Sprintf("; %d were written before this version and are covered from %s on", p.Found, p.Since.UTC().Format("2006-01-02 15:04 MST"))
	}
	_, err = fmt.Fprintln(out, line)
	return len(p.Wrong) == 0 && p.More == 0, err
}
