package labeling

import (
	"context"
	"iter"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// DiffRequest asks what changed from one snapshot to another, each by id,
// number, digest or name. Kinds narrow the rows down; all are counted.
type DiffRequest struct {
	Before, After string
	Kinds         []DiffKind
	Limit         int // rows; 200 if zero
}

// DiffSnapshots compares two ready snapshots of a project.
func (s *Service) DiffSnapshots(ctx context.Context, actor ledger.Actor, project ProjectID, req DiffRequest) (SnapshotDiff, error) {
	before, beforeRows, err := s.OpenSnapshot(ctx, actor, project, req.Before)
	if err != nil {
		return SnapshotDiff{}, err
	}
	after, afterRows, err := s.OpenSnapshot(ctx, actor, project, req.After)
	if err != nil {
		return SnapshotDiff{}, err
	}
	limit := req.Limit
	if limit <= 0 {
		limit = 200
	}
	d := SnapshotDiff{Before: before, After: after, SchemaChanged: before.Schema != after.Schema, Balance: diffBalance(before.Classes, after.Classes)}
	if before.Digest == after.Digest {
		d.Same = before.Items
		return d, nil
	}
	left, stopLeft := pull(beforeRows)
	defer stopLeft()
	right, stopRight := pull(afterRows)
	defer stopRight()
	room := ledger.MostRead
	err = compareRows(left, right, func(kind DiffKind, was, is SnapshotRow) error {
		switch kind {
		case DiffAdded:
			d.Added++
		case DiffRemoved:
			d.Removed++
		case DiffRelabelled:
			d.Relabelled++
		case DiffReworded:
			d.Reworded++
		default:
			d.Same++
			return ctx.Err()
		}
		if len(req.Kinds) > 0 && !slices.Contains(req.Kinds, kind) {
			return nil
		}
		if len(d.Rows) >= limit || room <= 0 {
			d.More = true
			return nil
		}
		row := DiffRow{Kind: kind, Key: is.Key, Text: is.Text, Before: was.Answer, After: is.Answer}
		switch kind {
		case DiffRemoved:
			row.Key, row.Text = was.Key, was.Text
		case DiffReworded:
			row.OldText = was.Text
		case DiffAdded, DiffRelabelled:
		}
		var cut bool
		row.Text, row.Cut = ledger.Excerpt(row.Text)
		row.OldText, cut = ledger.Excerpt(row.OldText)
		row.Cut = row.Cut || cut
		room -= len(row.Key) + len(row.Text) + len(row.OldText)
		d.Rows = append(d.Rows, row)
		return nil
	})
	if err != nil {
		return SnapshotDiff{}, err
	}
	return d, s.attribute(ctx, actor, after, d.Rows)
}

// attribute finds who gave the newer answers, where the items still know.
func (s *Service) attribute(ctx context.Context, actor ledger.Actor, after Snapshot, rows []DiffRow) error {
	return s.View(ctx, func(tx Tx) error {
		sight, err := SightOf(tx, actor, after.Project)
		if err != nil {
			return err
		}
		for i := range rows {
			if rows[i].After == "" {
				continue
			}
			for _, d := range after.Datasets {
				item, err := tx.ItemKeyed(d.ID, rows[i].Key)
				if fault.Is(err, fault.NotFound) {
					continue
				}
				if err != nil {
					return fault.Wrap(err, "find item")
				}
				notes, err := tx.AnnotationsOf(item.ID)
				if err != nil {
					return fault.Wrap(err, "find annotations")
				}
				p, err := tx.Project(after.Project)
				if err != nil {
					return fault.Wrap(err, "find project")
				}
				if err := sight.Items(tx, &item); err != nil { // it may be back in the queue
					return err
				}
				for _, a := range sight.annotations(item, notes) { // oldest first: the newest stays
					if a.Answers() && p.Schema.Name(a.Class) == rows[i].After {
						rows[i].By, rows[i].At, rows[i].Reason = a.Person, a.At, a.Reason
					}
				}
			}
		}
		return nil
	})
}

// pull turns the rows of a snapshot into calls, one row each.
func pull(rows iter.Seq2[SnapshotRow, error]) (next func() (SnapshotRow, bool, error), stop func()) {
	take, stop := iter.Pull2(rows)
	return func() (SnapshotRow, bool, error) {
		row, err, ok := take()
		return row, ok && err == nil, err
	}, stop
}
