package ingest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

// Reader is what the child reads records with; every format has one.
type Reader interface {
	// Columns returns the columns met so far; the list only grows.
	Columns() []string
	// Next returns the next record, whose values are valid until the next call,
	// a RecordError for a bad one, and io.EOF after the last.
	Next() (labeling.Record, error)
}

// Job is what the child is told to do.
type Job struct {
	Format labeling.Format
	Header labeling.Header
	Skip   int64
	Limit  int64
}

// InputFD is the descriptor on which the child finds the file.
const InputFD = 3

// batchBytes is how many bytes fill a batch before its records do.
const batchBytes = 1 << 20

// Run is the child: it confines the process, parses the file on descriptor 3
// with the reader that open makes, and writes frames to out.
func Run(job Job, out io.Writer, open func(Job, *Input) (Reader, error)) error {
	file := os.NewFile(InputFD, "input")
	if _, err := file.Stat(); err != nil {
		return errors.New("no input on descriptor 3; adjudge starts this command itself")
	}
	in := &Input{file: file}
	if err := Confine(); err != nil {
		return fmt.Errorf("confine the reading of uploads: %w", err)
	}
	w := bufio.NewWriterSize(out, 64<<10)
	if err := run(job, in, w, open); err != nil {
		kind, message := fault.KindOf(err), fault.Message(err)
		if kind == fault.Internal {
			kind, message = fault.Invalid, "The file cannot be read: "+err.Error()
		}
		var e encoder
		e.text(string(kind))
		e.text(message)
		if err := writeFrame(w, frameFailed, e.b); err != nil {
			return err
		}
	}
	return w.Flush()
}

func run(job Job, in *Input, w *bufio.Writer, open func(Job, *Input) (Reader, error)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.New(fault.Invalid, "The file is damaged: %v.", p)
		}
	}()
	c := &child{w: w, in: in}
	in.tell = c.progress
	if c.reader, err = open(job, in); err != nil {
		return err
	}
	for job.Limit <= 0 || c.passed < job.Skip+job.Limit {
		record, err := c.reader.Next()
		bad, isBad := errors.AsType[*labeling.RecordError](err)
		switch {
		case err == io.EOF:
			return c.finish()
		case err != nil && !isBad:
			if flushErr := c.flush(); flushErr != nil {
				return flushErr
			}
			return err
		}
		c.passed++
		switch {
		case c.passed <= job.Skip:
			continue
		case isBad:
			c.errors.number(bad.Line)
			c.errors.text(bad.Reason)
			c.bad++
		default:
			c.records.number(record.Line)
			c.records.number(int64(len(record.Values)))
			for _, v := range record.Values {
				c.records.value(v)
			}
			c.good++
		}
		if c.good+c.bad >= labeling.BatchRecords || len(c.records.b)+len(c.errors.b) >= batchBytes {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
	return c.finish()
}

// child is the state of the writing side.
type child struct {
	w               *bufio.Writer
	in              *Input
	reader          Reader
	known           int // columns already told
	passed          int64
	records, errors encoder
	good, bad       int
	scratch         encoder
}

// flush writes the batch, and before it the columns that are new.
func (c *child) flush() error {
	if columns := c.reader.Columns(); len(columns) > c.known {
		var e encoder
		e.number(int64(len(columns) - c.known))
		for _, name := range columns[c.known:] {
			e.text(name)
		}
		if err := writeFrame(c.w, frameColumns, e.b); err != nil {
			return err
		}
		c.known = len(columns)
	}
	if c.good+c.bad == 0 {
		return nil
	}
	e := &c.scratch
	e.b = e.b[:0]
	e.number(c.in.read)
	e.number(c.passed)
	e.number(int64(c.good))
	e.b = append(e.b, c.records.b...)
	e.number(int64(c.bad))
	e.b = append(e.b, c.errors.b...)
	c.good, c.bad = 0, 0
	for _, used := range []*encoder{&c.records, &c.errors} {
		if used.b = used.b[:0]; cap(used.b) > 4*batchBytes {
			used.b = nil // after one very long record
		}
	}
	return writeFrame(c.w, frameBatch, e.b)
}

func (c *child) totals(kind byte) error {
	var e encoder
	e.number(c.in.read)
	e.number(c.passed)
	return writeFrame(c.w, kind, e.b)
}

// progress shows that the child lives, at once.
func (c *child) progress() error {
	if err := c.totals(frameProgress); err != nil {
		return err
	}
	return c.w.Flush()
}

func (c *child) finish() error {
	if err := c.flush(); err != nil {
		return err
	}
	return c.totals(frameDone)
}

// Input is the file as the reader of a format gets it. It counts what is read,
// and tells the parent now and then, so that passing over a very long line is
// no silence.
type Input struct {
	file       *os.File
	read, told int64
	tell       func() error
}

// tellEvery is how many bytes pass between two signs of life.
const tellEvery = 8 << 20

func (in *Input) count(n int) error {
	if in.read += int64(n); in.read-in.told < tellEvery {
		return nil
	}
	in.told = in.read
	return in.tell()
}

// Read implements io.Reader.
func (in *Input) Read(p []byte) (int, error) {
	n, err := in.file.Read(p)
	if told := in.count(n); told != nil && err == nil {
		err = told
	}
	return n, err
}

// ReadAt implements io.ReaderAt.
func (in *Input) ReadAt(p []byte, at int64) (int, error) {
	n, err := in.file.ReadAt(p, at)
	if told := in.count(n); told != nil && err == nil {
		err = told
	}
	return n, err
}

// Seek implements io.Seeker.
func (in *Input) Seek(offset int64, whence int) (int64, error) { return in.file.Seek(offset, whence) }
