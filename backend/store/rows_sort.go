package store

import (
	"bufio"
	"bytes"
	"container/heap"
	"errors"
	"io"
	"os"
	"slices"
)

// sorter puts records of one length in the order of their bytes, with a bounded
// part of them in memory and the rest in temporary files.
type sorter struct {
	size int
	most int // bytes in memory
	mem  []byte
	runs []*os.File
}

// sortMemory is how many bytes of records a sorter holds.
const sortMemory = 32 << 20

func newSorter(size int) *sorter { return &sorter{size: size, most: sortMemory / size * size} }

func (s *sorter) add(record []byte) error {
	s.mem = append(s.mem, record...)
	if len(s.mem) < s.most {
		return nil
	}
	return s.spill()
}

func (s *sorter) sorted() [][]byte {
	records := make([][]byte, 0, len(s.mem)/s.size)
	for at := 0; at < len(s.mem); at += s.size {
		records = append(records, s.mem[at:at+s.size])
	}
	slices.SortFunc(records, bytes.Compare)
	return records
}

func (s *sorter) spill() error {
	file, err := os.CreateTemp("", "adjudge-doctor-")
	if err != nil {
		return err
	}
	s.runs = append(s.runs, file)
	out := bufio.NewWriterSize(file, 1<<20)
	for _, record := range s.sorted() {
		if _, err := out.Write(record); err != nil {
			return err
		}
	}
	s.mem = s.mem[:0]
	if err := out.Flush(); err != nil {
		return err
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}

// close removes what lies in files.
func (s *sorter) close() error {
	var errs []error
	for _, file := range s.runs {
		errs = append(errs, file.Close(), os.Remove(file.Name()))
	}
	return errors.Join(errs...)
}

// read returns a function that gives the records in order, nil behind the last.
func (s *sorter) read() (next func() ([]byte, error), err error) {
	var m merge
	memory := s.sorted()
	m.sources = append(m.sources, func([]byte) ([]byte, error) {
		if len(memory) == 0 {
			return nil, nil
		}
		first := memory[0]
		memory = memory[1:]
		return first, nil
	})
	for _, file := range s.runs {
		in := bufio.NewReaderSize(file, 1<<18)
		m.sources = append(m.sources, func(into []byte) ([]byte, error) {
			if into == nil {
				into = make([]byte, s.size)
			}
			switch _, err := io.ReadFull(in, into); {
			case errors.Is(err, io.EOF):
				return nil, nil
			case err != nil:
				return nil, err
			}
			return into, nil
		})
	}
	for i := range m.sources {
		if err := m.pull(i, nil); err != nil {
			return nil, err
		}
	}
	heap.Init(&m)
	last := make([]byte, s.size)
	return func() ([]byte, error) {
		if len(m.heads) == 0 {
			return nil, nil
		}
		first := m.heads[0]
		copy(last, first.record)
		m.heads[0] = m.heads[len(m.heads)-1]
		m.heads = m.heads[:len(m.heads)-1]
		if len(m.heads) > 0 {
			heap.Fix(&m, 0)
		}
		into := first.record
		if first.source == 0 {
			into = nil
		}
		n := len(m.heads)
		if err := m.pull(first.source, into); err != nil {
			return nil, err
		}
		if len(m.heads) > n {
			heap.Fix(&m, n)
		}
		return last, nil
	}, nil
}

type head struct {
	record []byte
	source int
}

// merge is a heap of the first records of sources.
type merge struct {
	sources []func(into []byte) ([]byte, error)
	heads   []head
}

func (m *merge) pull(source int, into []byte) error {
	record, err := m.sources[source](into)
	if err == nil && record != nil {
		m.heads = append(m.heads, head{record, source})
	}
	return err
}

func (m *merge) Len() int           { return len(m.heads) }
func (m *merge) Less(i, j int) bool { return bytes.Compare(m.heads[i].record, m.heads[j].record) < 0 }
func (m *merge) Swap(i, j int)      { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }
func (m *merge) Push(any)           {} // heads are added by pull
func (m *merge) Pop() any           { return nil }
