// Package ingest parses uploaded bytes in a child process and hands their
// records to the parent in frames. The child has little memory, limited
// processor time, may write no file and open no socket; the parent trusts
// nothing it says and kills it when it falls silent.
//
// A frame is a byte for its kind, four bytes for the length of what follows
// (little endian), and that.
package ingest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/adjudge/adjudge/labeling"
)

// The kinds of frames.
const (
	frameColumns  = 'C' // names of columns, to append to those known
	frameBatch    = 'B' // records and what is wrong with others
	frameProgress = 'P' // bytes read and records passed
	frameFailed   = 'F' // a fault kind and a message; the last frame
	frameDone     = 'D' // bytes read and records passed; the last frame
)

// maxFrame is the most a frame may hold: a record of the largest size, and a
// batch of small ones before it.
const maxFrame = 3*labeling.MaxRecord + 1<<20

var errFrame = errors.New("broken frame")

func writeFrame(w io.Writer, kind byte, payload []byte) error {
	head := [5]byte{kind}
	binary.LittleEndian.PutUint32(head[1:], uint32(len(payload)))
	if _, err := w.Write(head[:]); err != nil {
		return err
	}
	_, err := w.Write(payload)
	return err
}

// readFrame reads a frame into buf, which it grows.
func readFrame(r io.Reader, buf []byte) (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, buf, err
	}
	n := int(binary.LittleEndian.Uint32(head[1:]))
	if n > maxFrame {
		return 0, buf, fmt.Errorf("%w of %d bytes", errFrame, n)
	}
	if cap(buf) < n {
		buf = make([]byte, n, n+n/4)
	}
	_, err = io.ReadFull(r, buf[:n])
	return head[0], buf[:n], err
}

// encoder appends numbers and texts to a payload.
type encoder struct{ b []byte }

func (e *encoder) number(n int64) { e.b = binary.AppendUvarint(e.b, uint64(n)) }

func (e *encoder) text(s string) { e.number(int64(len(s))); e.b = append(e.b, s...) }

func (e *encoder) value(v labeling.Value) {
	if !v.Present {
		e.number(0)
		return
	}
	e.number(int64(len(v.Text)) + 1)
	e.b = append(e.b, v.Text...)
}

// decoder takes them off again. After the first that is missing all are zero
// and failed is set.
type decoder struct {
	s      string
	at     int
	failed bool
}

func (d *decoder) number() int64 {
	var n uint64
	for shift := 0; shift < 63 && d.at < len(d.s); shift += 7 {
		b := d.s[d.at]
		d.at++
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return int64(n)
		}
	}
	d.failed = true
	return 0
}

func (d *decoder) text() string { return d.take(d.number()) }

func (d *decoder) take(n int64) string {
	if d.failed || n < 0 || n > int64(len(d.s)-d.at) {
		d.failed = true
		return ""
	}
	s := d.s[d.at : d.at+int(n)]
	d.at += int(n)
	return s
}

func (d *decoder) value() labeling.Value {
	n := d.number()
	if n == 0 {
		return labeling.Value{}
	}
	return labeling.Value{Text: d.take(n - 1), Present: true}
}

// count reads how many things of at least one byte each follow.
func (d *decoder) count(limit int) int {
	n := d.number()
	if n > int64(limit) || n > int64(len(d.s)-d.at) {
		d.failed = true
		return 0
	}
	return int(n)
}

// decodeBatch fills a batch from a payload. The strings share one piece of
// memory, which is its own.
func decodeBatch(payload []byte, batch *labeling.Batch, values []labeling.Value) ([]labeling.Value, error) {
	d := decoder{s: string(payload)}
	batch.Read, batch.Passed = d.number(), d.number()
	batch.Records, batch.Errors = batch.Records[:0], batch.Errors[:0]
	values = values[:0]
	type span struct{ from, to int }
	var spans [labeling.BatchRecords]span
	records := d.count(labeling.BatchRecords)
	for i := range records {
		line := d.number()
		n := d.count(len(batch.Columns))
		from := len(values)
		for range n {
			values = append(values, d.value())
		}
		spans[i] = span{from, len(values)}
		batch.Records = append(batch.Records, labeling.Record{Line: line})
	}
	for i := range batch.Records {
		batch.Records[i].Values = values[spans[i].from:spans[i].to]
	}
	for range d.count(labeling.BatchRecords) {
		batch.Errors = append(batch.Errors, labeling.RecordError{Line: d.number(), Reason: d.text()})
	}
	if d.failed || d.at != len(d.s) {
		return values, errFrame
	}
	return values, nil
}
