package blob_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/adjudge/adjudge/backend/blob"
	"github.com/adjudge/adjudge/backend/blob/blobtest"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// place is an empty store of blobs under test. again opens the same one as
// another server would; spoil changes a byte of a blob behind the store's back.
type place struct {
	store blob.Store
	again func(t *testing.T) blob.Store
	spoil func(t *testing.T, digest ledger.Digest)
}

// The suite that a directory and a bucket both pass.
func TestBlobs(t *testing.T) {
	suite := func(make func(t *testing.T) place) func(t *testing.T) {
		return func(t *testing.T) {
			t.Run("bytes come back under their digest", func(t *testing.T) { comesBack(t, make(t)) })
			t.Run("large ones too, from any place in them", func(t *testing.T) { large(t, make(t)) })
			t.Run("another server finds them", func(t *testing.T) { shared(t, make(t)) })
			t.Run("a failed put leaves nothing", func(t *testing.T) { failedPut(t, make(t)) })
			t.Run("a changed byte is found by a check and by a reader", func(t *testing.T) { changedByte(t, make(t)) })
			t.Run("what is not there is not found", func(t *testing.T) { missing(t, make(t)) })
			t.Run("what was removed is gone, and its neighbour is not", func(t *testing.T) { removed(t, make(t)) })
			t.Run("many at once", func(t *testing.T) { manyAtOnce(t, make(t)) })
		}
	}
	t.Run("directory", suite(inDirectory))
	t.Run("bucket", func(t *testing.T) {
		server := blobtest.Start(t)
		for _, variable := range blobtest.Environment() {
			name, value, _ := strings.Cut(variable, "=")
			t.Setenv(name, value)
		}
		suite(func(t *testing.T) place { return inBucket(t, server) })(t)
	})
}

func put(t *testing.T, s blob.Store, content []byte) ledger.Digest {
	t.Helper()
	digest, size, err := s.Put(t.Context(), bytes.NewReader(content))
	if err != nil || size != int64(len(content)) || digest != ledger.DigestOf(content) {
		t.Fatalf("put: %s, %d, %v", digest, size, err)
	}
	return digest
}

func read(ctx context.Context, s blob.Store, digest ledger.Digest) ([]byte, error) {
	file, err := s.Open(ctx, digest)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(file)
	return content, errors.Join(err, file.Close())
}

func removed(t *testing.T, p place) {
	gone, stays := put(t, p.store, []byte("to be forgotten")), put(t, p.store, []byte("to be kept"))
	for range 2 { // what is not there is no error
		if err := p.store.Remove(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := read(t.Context(), p.store, gone); !fault.Is(err, fault.NotFound) {
		t.Errorf("it still reads %q, %v", got, err)
	}
	if got, err := read(t.Context(), p.store, stays); err != nil || string(got) != "to be kept" {
		t.Errorf("%q, %v", got, err)
	}
}

func comesBack(t *testing.T, p place) {
	for range 2 { // the second time they are there already
		digest := put(t, p.store, []byte("hello"))
		if got, err := read(t.Context(), p.store, digest); err != nil || string(got) != "hello" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if got, err := read(t.Context(), p.store, put(t, p.store, nil)); err != nil || len(got) != 0 {
		t.Errorf("an empty one: %q, %v", got, err)
	}
	if err := p.store.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

func large(t *testing.T, p place) {
	content := make([]byte, 20<<20+17) // more than one part of an upload
	_, _ = rand.Read(content)
	digest := put(t, p.store, content)
	file, err := p.again(t).Open(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if at, err := file.Seek(-17, io.SeekEnd); err != nil || at != 20<<20 {
		t.Fatalf("seek: %d, %v", at, err)
	}
	if tail, err := io.ReadAll(file); err != nil || !bytes.Equal(tail, content[20<<20:]) {
		t.Errorf("the end of it: %d bytes, %v", len(tail), err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if whole, err := io.ReadAll(file); err != nil || !bytes.Equal(whole, content) {
		t.Errorf("all of it: %d bytes, %v", len(whole), err)
	}
}

func shared(t *testing.T, p place) {
	digest := put(t, p.store, []byte("shared"))
	other := p.again(t)
	if got, err := read(t.Context(), other, digest); err != nil || string(got) != "shared" {
		t.Errorf("%q, %v", got, err)
	}
	var found []ledger.Digest
	if err := other.Each(func(d ledger.Digest) error { found = append(found, d); return nil }); err != nil || len(found) != 1 || found[0] != digest {
		t.Errorf("found %v, %v", found, err)
	}
}

func failedPut(t *testing.T, p place) {
	oops := errors.New("line broke")
	if _, _, err := p.store.Put(t.Context(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(oops))); !errors.Is(err, oops) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := p.store.Put(ctx, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := p.store.Each(func(d ledger.Digest) error { t.Errorf("%s is there", d); return nil }); err != nil {
		t.Error(err)
	}
}

func changedByte(t *testing.T, p place) {
	digest := put(t, p.store, []byte("hello"))
	if err := p.store.Check(t.Context(), digest); err != nil {
		t.Fatal(err)
	}
	p.spoil(t, digest)
	if err := p.store.Check(t.Context(), digest); !fault.Is(err, fault.Conflict) {
		t.Errorf("check: %v", err)
	}
	if got, err := read(t.Context(), p.again(t), digest); !fault.Is(err, fault.Conflict) {
		t.Errorf("read: %q, %v", got, err)
	}
}

func missing(t *testing.T, p place) {
	none := ledger.DigestOf([]byte("other"))
	if _, err := p.store.Open(t.Context(), none); !fault.Is(err, fault.NotFound) {
		t.Errorf("open: %v", err)
	}
	if err := p.store.Check(t.Context(), none); !fault.Is(err, fault.NotFound) {
		t.Errorf("check: %v", err)
	}
	if _, err := p.store.Open(t.Context(), "sha256:short"); !fault.Is(err, fault.NotFound) {
		t.Errorf("open by half a name: %v", err)
	}
}

func manyAtOnce(t *testing.T, p place) {
	other := p.again(t)
	digest := put(t, p.store, bytes.Repeat([]byte("many "), 100_000))
	var group sync.WaitGroup
	for n := range 16 {
		group.Go(func() {
			if got, err := read(t.Context(), other, digest); err != nil || len(got) != 500_000 {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			content := []byte(fmt.Sprint("number ", n/2)) // each by two
			if d, _, err := p.store.Put(t.Context(), bytes.NewReader(content)); err != nil || d != ledger.DigestOf(content) {
				t.Errorf("%s, %v", d, err)
			}
		})
	}
	group.Wait()
}

func inDirectory(t *testing.T) place {
	root := t.TempDir()
	again := func(t *testing.T) blob.Store {
		s, err := blob.OpenAt(t.Context(), root, "")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return place{store: again(t), again: again, spoil: func(t *testing.T, digest ledger.Digest) {
		path := filepath.Join(root, digest.Hex()[:2], digest.Hex())
		if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte("hellO"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}}
}

// inBucket is a prefix of its own in a bucket that tests share.
func inBucket(t *testing.T, server *blobtest.Bucket) place {
	prefix := fmt.Sprintf("p%d/blobs", time.Now().UnixNano())
	address := server.Address(prefix)
	again := func(t *testing.T) blob.Store {
		store, err := blob.OpenAt(t.Context(), address, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	return place{store: again(t), again: again, spoil: func(t *testing.T, digest ledger.Digest) {
		name := prefix + "/" + digest.Hex()[:2] + "/" + digest.Hex()
		if _, err := server.Client.PutObject(t.Context(), server.Name, name, strings.NewReader("hellO"), 5, minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}}
}

func TestWhatInterruptedUploadsLeftIsFoundAndRemovedAndNothingElse(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	d, err := blob.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	whole := put(t, d, []byte("whole"))
	old := time.Now().Add(-3 * time.Hour)
	for name, grown := range map[string]time.Time{"put-1": old, "put-2": old.Add(time.Hour), "put-3": time.Now()} {
		path := filepath.Join(root, "incoming", name)
		if err := errors.Join(os.WriteFile(path, []byte("half"), 0o600), os.Chtimes(path, grown, grown)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(d.Path(whole), old, old); err != nil {
		t.Fatal(err)
	}
	since := time.Now().Add(-blob.Abandoned)
	left, err := d.Interrupted(since)
	if err != nil || len(left) != 2 || filepath.Base(left[0].Path) != "put-1" || left[0].Bytes != 4 || !left[0].Since.Equal(old) {
		t.Fatalf("left: %+v, %v", left, err)
	}
	if removed, err := d.Tidy(since); err != nil || len(removed) != 2 {
		t.Fatalf("removed: %+v, %v", removed, err)
	}
	if again, err := d.Tidy(since); err != nil || len(again) != 0 {
		t.Errorf("removed again: %+v, %v", again, err)
	}
	entries, err := os.ReadDir(filepath.Join(root, "incoming"))
	if err != nil || len(entries) != 1 || entries[0].Name() != "put-3" {
		t.Errorf("what still grows: %v, %v", entries, err)
	}
	if err := d.Check(t.Context(), whole); err != nil {
		t.Error(err)
	}
}

func TestAnAddressOfABucketIsHeldToItsForm(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"s3://", "s3://key:secret@bucket", "s3://bucket?endpint=http://x", "s3://bucket?endpoint=host:9000", "s3://bucket?endpoint=ftp://host", "gs://bucket",
	} {
		if _, err := blob.OpenAt(t.Context(), address, t.TempDir()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestABucketThatIsNotThereIsUnavailable(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "adjudge")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := blob.OpenAt(ctx, "s3://bucket?endpoint=http://127.0.0.1:1&style=path&region=us-east-1", t.TempDir()); err == nil {
		t.Error("it opened")
	}
}
