package checkpoint

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// errNotKept tells that the file beside the data did not take a checkpoint from
// everything else that fails.
var errNotKept = errors.New("not kept beside the data")

func (k *Keeper) notKept(err error) error {
	return fault.As(fault.Unavailable, errors.Join(errNotKept, err), "The checkpoint cannot be written to %s", k.Dir)
}

// keep adds a checkpoint to the file beside the data.
func (k *Keeper) keep(c ledger.Checkpoint) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	return k.add(c)
}

// keepNewer is keep for one that the file lacks; two who find so at once add it once.
func (k *Keeper) keepNewer(c ledger.Checkpoint) error {
	k.writing.Lock()
	defer k.writing.Unlock()
	kept, err := k.newestOwn()
	if err != nil || len(kept) > 0 && kept[0].Seq >= c.Seq {
		return err
	}
	return k.add(c)
}

func (k *Keeper) add(c ledger.Checkpoint) error {
	if err := Append(filepath.Join(k.Dir, File), c); err != nil {
		return k.notKept(err)
	}
	return nil
}

// own reads the file beside the data; there may be none yet. The end of a line
// that did not reach the disk, as when that was full, is passed over.
func (k *Keeper) own() ([]ledger.Checkpoint, error) {
	list, _, err := k.read(nil)
	return list, err
}

// read is own where the file is another than it was; before is what it was, nil
// for read it anyway.
func (k *Keeper) read(before fs.FileInfo) (list []ledger.Checkpoint, now fs.FileInfo, err error) {
	path := filepath.Join(k.Dir, File)
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	unreadable := func(err error) error {
		return fault.As(fault.Unavailable, err, "The file of checkpoints %s cannot be read.", path)
	}
	if err != nil {
		return nil, nil, unreadable(err)
	}
	defer func() { _ = file.Close() }()
	if now, err = file.Stat(); err != nil {
		return nil, nil, unreadable(err)
	}
	if before != nil && os.SameFile(before, now) && before.Size() == now.Size() && before.ModTime().Equal(now.ModTime()) {
		return nil, before, nil
	}
	raw, err := io.ReadAll(file)
	if err != nil {
		return nil, nil, unreadable(err)
	}
	list, err = parse(path, raw[:whole(raw)])
	return list, now, err
}

// newest is what is remembered of the file beside the data, which grows for years
// while gates ask all day.
type newest struct {
	sync.Mutex

	of   fs.FileInfo         // the file as it was when it was read
	kept []ledger.Checkpoint // the newest, where there is one
}

// newestOwn returns the newest checkpoint of own, where there is one. One that
// another server on this database made may have come between.
func (k *Keeper) newestOwn() ([]ledger.Checkpoint, error) {
	k.newest.Lock()
	defer k.newest.Unlock()
	list, of, err := k.read(k.newest.of)
	if err == nil && of != nil && of == k.newest.of {
		return k.newest.kept, nil
	}
	k.newest.of, k.newest.kept = nil, nil
	if err != nil || len(list) == 0 {
		return nil, err
	}
	k.newest.of = of
	k.newest.kept = []ledger.Checkpoint{slices.MaxFunc(list, func(a, b ledger.Checkpoint) int { return cmp.Compare(a.Seq, b.Seq) })}
	return k.newest.kept, nil
}

// dropTorn takes the end of a torn line out of the file beside the data.
func (k *Keeper) dropTorn() error {
	k.writing.Lock()
	defer k.writing.Unlock()
	file, err := os.OpenFile(filepath.Join(k.Dir, File), os.O_APPEND|os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		_, err = cutTorn(file)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return k.notKept(err)
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

// cutTorn reads a file of checkpoints, takes the end of a torn line out of it and
// returns what is left.
func cutTorn(file lineFile) ([]byte, error) {
	raw, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	end := whole(raw)
	if end < len(raw) {
		err = file.Truncate(int64(end))
	}
	return raw[:end], err
}

func addLine(file lineFile, envelope []byte) error {
	before, err := cutTorn(file)
	if err != nil {
		return err
	}
	line := append(bytes.Clone(envelope), '\n')
	if len(before) > 0 && !bytes.HasSuffix(before, []byte("\n")) {
		line = append([]byte{'\n'}, line...)
	}
	_, err = file.Write(line)
	if err = errors.Join(err, file.Sync()); err != nil {
		return errors.Join(err, file.Truncate(int64(len(before))))
	}
	return nil
}
