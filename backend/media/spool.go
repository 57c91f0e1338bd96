package media

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/adjudge/adjudge/backend/fault"
)

// inMemory is up to where bytes are kept without a file.
const inMemory = 1 << 20

// spool keeps bytes until it is closed: few in memory, many in a file that
// nobody else sees.
type spool struct {
	dir  string
	give func() // called once, when it is closed

	few  bytes.Buffer
	file *os.File
	once sync.Once
}

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && s.few.Len()+len(p) <= inMemory {
		return s.few.Write(p)
	}
	if s.file == nil {
		file, err := os.CreateTemp(s.dir, "shown-*")
		if err != nil {
			return 0, full(err)
		}
		if s.file = file; s.few.Len() > 0 {
			if _, err := file.Write(s.few.Bytes()); err != nil {
				return 0, full(err)
			}
			s.few.Reset()
		}
	}
	n, err := s.file.Write(p)
	if err != nil {
		return n, full(err)
	}
	return n, nil
}

func full(err error) error {
	return fault.As(fault.Unavailable, err, "The server has no room to show this now; try again later.")
}

// reader returns what was written, from its start. Closing it closes the spool.
func (s *spool) reader() (io.ReadSeekCloser, error) {
	if s.file == nil {
		return &kept{bytes.NewReader(s.few.Bytes()), s}, nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, full(err)
	}
	return &kept{s.file, s}, nil
}

// Close forgets what was kept. It may be called twice.
func (s *spool) Close() (err error) {
	s.once.Do(func() {
		if s.file != nil {
			err = errors.Join(s.file.Close(), os.Remove(s.file.Name()))
		}
		s.give()
	})
	return err
}

type kept struct {
	io.ReadSeeker
	of *spool
}

// Close implements io.Closer.
func (k *kept) Close() error { return k.of.Close() }
