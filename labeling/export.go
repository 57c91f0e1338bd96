package labeling

import (
	"bufio"
	"context"
	"io"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// sheet takes rows of text in one of the formats.
type sheet interface {
	row(cells ...string) error
	close() error
}

// newSheet begins a file of named columns. few names the columns with few
// different values.
func (s *Service) newSheet(f Format, w io.Writer, few string, names ...string) (sheet, error) {
	switch f {
	case FormatCSV, FormatTSV:
		comma := ','
		if f == FormatTSV {
			comma = '\t'
		}
		out := ledger.NewSheet(w, comma)
		return &csvSheet{out}, out.Row(names...)
	case FormatJSONL:
		return &jsonSheet{out: bufio.NewWriterSize(w, 64<<10), names: names}, nil
	case FormatParquet:
		columns := make([]TableColumn, len(names))
		for i, name := range names {
			columns[i] = TableColumn{Name: name, Few: name == few}
		}
		out, err := s.Tables.Table(w, columns)
		return &tableSheet{out: out, cells: make([][]string, len(names))}, err
	case FormatText:
	}
	return nil, fault.Field("format", "%.40q cannot be written; choose csv, tsv, jsonl or parquet.", string(f))
}

type csvSheet struct{ out *ledger.Sheet }

func (s *csvSheet) row(cells ...string) error { return s.out.Row(cells...) }
func (s *csvSheet) close() error              { return s.out.Close() }

type jsonSheet struct {
	out   *bufio.Writer
	names []string
	line  []byte
}

func (s *jsonSheet) row(cells ...string) error {
	s.line = append(s.line[:0], '{')
	for i, name := range s.names {
		if i > 0 {
			s.line = append(s.line, ',')
		}
		s.line = appendCanonical(append(appendCanonical(s.line, name), ':'), cells[i])
	}
	s.line = append(s.line, '}', '\n')
	_, err := s.out.Write(s.line)
	return err
}

func (s *jsonSheet) close() error { return s.out.Flush() }

type tableSheet struct {
	out   Table
	cells [][]string
}

func (s *tableSheet) row(cells ...string) error {
	for i, c := range cells {
		s.cells[i] = append(s.cells[i], c)
	}
	if len(s.cells[0]) < 4096 {
		return nil
	}
	return s.flush()
}

func (s *tableSheet) flush() error {
	err := s.out.Append(s.cells...)
	for i := range s.cells {
		s.cells[i] = s.cells[i][:0]
	}
	return err
}

func (s *tableSheet) close() error {
	if err := s.flush(); err != nil {
		return err
	}
	return s.out.Close()
}

// CheckExport returns Invalid for a format that cannot be written.
func CheckExport(f Format) error {
	switch f {
	case FormatCSV, FormatTSV, FormatJSONL, FormatParquet:
		return nil
	case FormatText:
	}
	return fault.Field("format", "%.40q cannot be written; choose csv, tsv, jsonl or parquet.", string(f))
}

// ExportDataset writes the items of a dataset, with their accepted answers
// where they have one, in the order of arrival. What is written can be imported
// again: keys and answers come back as they were.
func (s *Service) ExportDataset(ctx context.Context, actor ledger.Actor, project ProjectID, dataset string, f Format, w io.Writer) error {
	if err := actor.Must(project, ledger.ActionExport); err != nil {
		return err
	}
	if err := s.Update(ctx, func(tx Tx) error {
		d, err := datasetBy(tx, project, dataset)
		if err != nil {
			return err
		}
		sight, err := SightOf(tx, actor, project)
		if err != nil {
			return err
		}
		if err := sight.Rows(Snapshot{Purpose: d.Purpose}); err != nil {
			return err
		}
		return taken(tx, actor, project, ledger.Subject{Kind: "dataset", ID: string(d.ID)}, f)
	}); err != nil {
		return err
	}
	d, err := s.Dataset(ctx, actor, project, dataset)
	if err == nil {
		err = s.Viewed(ctx, actor, project, d.ID)
	}
	if err != nil {
		return err
	}
	return s.View(ctx, func(tx Tx) error {
		d, err := datasetBy(tx, project, dataset)
		if err != nil {
			return err
		}
		p, err := tx.Project(project)
		if err != nil {
			return fault.Wrap(err, "find project")
		}
		names := map[ClassID]string{"": ""}
		for _, c := range p.Schema.Classes {
			names[c.ID] = p.Schema.Name(c.ID)
		}
		columns := []string{"key", "text", "label", "status"}
		objects, err := hasMedia(tx, []SnapshotDataset{{ID: d.ID}})
		if err != nil {
			return err
		}
		if objects {
			columns = append(columns, "media", "media_digest")
		}
		out, err := s.newSheet(f, w, "label", columns...)
		if err != nil {
			return err
		}
		for after := int64(0); ; {
			items, err := tx.ItemsAfter(d.ID, after, 5000)
			if err != nil {
				return fault.Wrap(err, "read items")
			}
			if len(items) == 0 {
				return out.close()
			}
			for _, i := range items {
				cells := []string{i.Key, i.Text, names[i.Label], string(i.Status), "", ""}[:len(columns)]
				if i.Media != nil {
					cells[4], cells[5] = i.Media.URI, string(i.Media.Digest)
				}
				if err := out.row(cells...); err != nil {
					return err
				}
			}
			after = items[len(items)-1].Seq
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	})
}

// taken notes in the history that somebody takes data out. It is written before
// the first byte leaves, so that a download which breaks off is there, too.
func taken(tx Tx, actor ledger.Actor, project ProjectID, what ledger.Subject, f Format) error {
	return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: what.Kind + ".exported", Subject: what, Payload: map[string]Format{"format": f}})
}

// ExportSnapshot writes a snapshot. As JSON lines and as Parquet it is the file
// whose digest the snapshot names, to the byte.
func (s *Service) ExportSnapshot(ctx context.Context, actor ledger.Actor, project ProjectID, name string, f Format, w io.Writer) error {
	if err := actor.Must(project, ledger.ActionExport); err != nil {
		return err
	}
	snap, rows, err := s.OpenSnapshot(ctx, actor, project, name)
	if err != nil {
		return err
	}
	if err := s.Update(ctx, func(tx Tx) error {
		return taken(tx, actor, project, ledger.Subject{Kind: "snapshot", ID: string(snap.ID)}, f)
	}); err != nil {
		return err
	}
	stored := map[Format]ledger.Digest{FormatJSONL: snap.Rows, FormatParquet: snap.Parquet}[f]
	if stored != "" {
		file, err := s.Files.Open(ctx, stored)
		if err != nil {
			return fault.Wrap(err, "open the file of a snapshot")
		}
		defer file.Close()
		_, err = io.Copy(w, file)
		return err
	}
	objects := false
	if err := s.View(ctx, func(tx Tx) (err error) {
		objects, err = hasMedia(tx, snap.Datasets)
		return err
	}); err != nil {
		return err
	}
	columns := []string{"key", "text", "answer", "content"}
	if objects {
		columns = append(columns, "media", "media_digest")
	}
	out, err := s.newSheet(f, w, "answer", columns...)
	if err != nil {
		return err
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		if err := out.row([]string{row.Key, row.Text, row.Answer, string(row.Content), row.Media, string(row.MediaDigest)}[:len(columns)]...); err != nil {
			return err
		}
	}
	return out.close()
}
