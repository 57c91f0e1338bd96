package checkpoint

import (
	"errors"
	"io"
	"testing"
)

// fullDisk is a file on a disk that takes the first bytes of a line and no more.
type fullDisk struct {
	content []byte
	room    int
	read    bool
}

var errFull = errors.New("no space left on device")

func (f *fullDisk) Read(p []byte) (int, error) {
	if f.read {
		return 0, io.EOF
	}
	f.read = true
	return copy(p, f.content), nil
}

func (f *fullDisk) Write(p []byte) (int, error) {
	n := min(f.room, len(p))
	f.content = append(f.content, p[:n]...)
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func (f *fullDisk) Sync() error               { return nil }
func (f *fullDisk) Truncate(size int64) error { f.content = f.content[:size]; return nil }

func TestALineThatTheDiskDoesNotTakeIsTakenBack(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"", "a line\n"} {
		f := &fullDisk{content: []byte(before), room: 5}
		if err := addLine(f, []byte(`{"payload":"…"}`)); !errors.Is(err, errFull) {
			t.Errorf("got %v", err)
		}
		if string(f.content) != before {
			t.Errorf("the file holds %q instead of %q", f.content, before)
		}
	}
}
