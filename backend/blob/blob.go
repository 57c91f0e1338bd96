// Package blob keeps files by their content: under the SHA-256 of their bytes,
// written once, never changed. They stand in a directory, or in an S3-compatible
// bucket for servers that share them.
package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Dir keeps blobs in a directory, spread over 256 folders by the first two
// digits of their names.
type Dir struct{ root string }

// Open opens the blobs of a directory and makes it if it does not exist.
func Open(root string) (*Dir, error) {
	d := &Dir{root: root}
	if err := os.MkdirAll(d.incoming(), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of files: %w", err)
	}
	return d, nil
}

func (d *Dir) incoming() string { return filepath.Join(d.root, "incoming") }

// Path returns where the bytes of a digest stand, whether or not they do. Who
// reads there must not write.
func (d *Dir) Path(digest ledger.Digest) string {
	hex := digest.Hex()
	if len(hex) < 2 {
		hex = "__"
	}
	return filepath.Join(d.root, hex[:2], hex)
}

// Put stores what it reads and returns its digest and size in bytes. When it
// returns, the bytes are on disk. It returns Unavailable when they cannot be
// written, and the reader's own error when that fails.
func (d *Dir) Put(ctx context.Context, in io.Reader) (ledger.Digest, int64, error) {
	file, err := os.CreateTemp(d.incoming(), "put-*")
	if err != nil {
		return "", 0, unavailable(err)
	}
	defer func() {
		_ = file.Close()           // closed below when all went well
		_ = os.Remove(file.Name()) // renamed below when all went well
	}()
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(diskWriter{file}, hash), contextReader{ctx, in})
	if err != nil {
		return "", 0, err
	}
	digest := ledger.DigestFrom([sha256.Size]byte(hash.Sum(nil)))
	if err := errors.Join(file.Chmod(0o400), file.Sync(), file.Close()); err != nil {
		return "", 0, unavailable(err)
	}
	path := d.Path(digest)
	if _, err := os.Stat(path); err == nil {
		return digest, size, nil // the same bytes are there already
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", 0, unavailable(err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return "", 0, unavailable(err)
	}
	if err := errors.Join(syncDir(filepath.Dir(path)), syncDir(d.root)); err != nil {
		return "", 0, unavailable(err)
	}
	return digest, size, nil
}

// Open opens the bytes of a digest. It returns NotFound when there are none. Who
// reads them from begin to end gets Conflict instead of the end when they are
// not what their name says.
func (d *Dir) Open(_ context.Context, digest ledger.Digest) (io.ReadSeekCloser, error) {
	file, err := os.Open(d.Path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.As(fault.NotFound, err, "The file %s is not here.", digest)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return &checked{File: file, digest: digest, hash: sha256.New()}, nil
}

// checked is a file that compares what was read with its digest, as long as it
// is read in order.
type checked struct {
	*os.File
	digest ledger.Digest
	hash   hash.Hash // nil once somebody went elsewhere in the file
}

// Read reads on; at the end it says whether all of it was right.
func (c *checked) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	if c.hash == nil {
		return n, err
	}
	_, _ = c.hash.Write(p[:n]) // never fails
	if errors.Is(err, io.EOF) {
		if got := ledger.DigestFrom([sha256.Size]byte(c.hash.Sum(nil))); got != c.digest {
			return n, changed(c.digest, got)
		}
	}
	return n, err
}

// Seek goes elsewhere; only a return to the begin starts the comparison anew.
func (c *checked) Seek(offset int64, whence int) (int64, error) {
	at, err := c.File.Seek(offset, whence)
	c.hash = nil
	if err == nil && at == 0 {
		c.hash = sha256.New()
	}
	return at, err
}

// WriteTo writes the rest of the file, through Read rather than past it.
func (c *checked) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c})
}

// Ready reports whether the directory can be written.
func (d *Dir) Ready(context.Context) error {
	file, err := os.CreateTemp(d.incoming(), "ready-*")
	if err != nil {
		return unavailable(err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// Remove takes the bytes of a digest away; where there are none, nothing happens.
func (d *Dir) Remove(_ context.Context, digest ledger.Digest) error {
	if digest == "" {
		return nil
	}
	if err := os.Remove(d.Path(digest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unavailable(err)
	}
	return nil
}

// Check reads the bytes of a digest and returns Conflict when they are not what
// their name says.
func (d *Dir) Check(ctx context.Context, digest ledger.Digest) error {
	file, err := d.Open(ctx, digest)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, contextReader{ctx, file}); err != nil {
		return fmt.Errorf("read file %s: %w", digest, err)
	}
	if got := ledger.DigestFrom([sha256.Size]byte(hash.Sum(nil))); got != digest {
		return changed(digest, got)
	}
	return nil
}

// Each calls visit with the digest of every blob.
func (d *Dir) Each(visit func(ledger.Digest) error) error {
	return filepath.WalkDir(d.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Dir(path) == d.incoming() {
			return err
		}
		digest, err := ledger.ParseDigest("sha256:" + entry.Name())
		if err != nil {
			return nil //nolint:nilerr // not one of ours
		}
		return visit(digest)
	})
}

func unavailable(err error) error {
	return fault.As(fault.Unavailable, err, "The file cannot be stored or read. Check the disk of the server")
}

// diskWriter tells failures to write from failures to read.
type diskWriter struct{ file *os.File }

func (w diskWriter) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	if err != nil {
		err = unavailable(err)
	}
	return n, err
}

// contextReader stops reading when its context ends.
type contextReader struct {
	ctx context.Context
	in  io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
