package checkpoint

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// keep adds a checkpoint to the file beside the data.
func (k *Keeper) keep(c ledger.Checkpoint) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	if err := Append(filepath.Join(k.Dir, File), c); err != nil {
		return fault.As(fault.Unavailable, err, "The checkpoint cannot be written to %s", k.Dir)
	}
	return nil
}

// own reads the file beside the data; there may be none yet. The end of a line
// that did not reach the disk, as when that was full, is passed over.
func (k *Keeper) own() ([]ledger.Checkpoint, error) {
	path := filepath.Join(k.Dir, File)
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.As(fault.Unavailable, err, "The file of checkpoints %s cannot be read.", path)
	}
	return parse(path, raw[:whole(raw)])
}

// dropTorn takes the end of a torn line out of the file beside the data.
func (k *Keeper) dropTorn() error {
	k.writing.Lock()
	defer k.writing.Unlock()
	path := filepath.Join(k.Dir, File)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.As(fault.Unavailable, err, "The file of checkpoints %s cannot be read.", path)
	}
	end := whole(raw)
	if end == len(raw) {
		return nil
	}
	if err := os.Truncate(path, int64(end)); err != nil {
		return fault.As(fault.Unavailable, err, "The checkpoint cannot be written to %s", k.Dir)
	}
	return nil
}

// whole returns how many bytes of a file of checkpoints are whole lines. A last
// line that lacks nothing but its end is one.
func whole(raw []byte) int {
	end := bytes.LastIndexByte(raw, '\n') + 1
	if _, err := ledger.ReadCheckpoint(bytes.TrimSpace(raw[end:])); err == nil {
		return len(raw)
	}
	return end
}

// Append adds a checkpoint to a file and waits until it is on the disk. Where that
// does not go, as on a full disk, the file is left as it was; the half line of a
// process that was ended in the middle is taken out first.
func Append(path string, c ledger.Checkpoint) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(addLine(file, c.Envelope), file.Close())
}

// lineFile is the file that a line is added to.
type lineFile interface {
	io.ReadWriter
	Sync() error
	Truncate(size int64) error
}

func addLine(file lineFile, envelope []byte) error {
	raw, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	end := whole(raw)
	if end < len(raw) {
		if err := file.Truncate(int64(end)); err != nil {
			return err
		}
	}
	line := append(bytes.Clone(envelope), '\n')
	if end > 0 && raw[end-1] != '\n' {
		line = append([]byte{'\n'}, line...)
	}
	_, err = file.Write(line)
	if err = errors.Join(err, file.Sync()); err != nil {
		return errors.Join(err, file.Truncate(int64(end)))
	}
	return nil
}
