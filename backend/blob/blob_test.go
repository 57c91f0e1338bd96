package blob_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/adjudge/adjudge/backend/blob"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// s3Variable names the program of an S3-compatible server (versitygw), which a
// test starts on loopback; without it the suite runs on a directory alone.
const s3Variable = "ADJUDGE_TEST_S3"

// place is an empty store of blobs under test. again opens the same one as
// another server would; spoil changes a byte of a blob behind the store's back.
type place struct {
	store blob.Store
	again func(t *testing.T) blob.Store
	spoil func(t *testing.T, digest ledger.Digest)
}

// The suite that a directory and a bucket both pass.
func TestBlobs(t *testing.T) {
	places := map[string]func(t *testing.T) place{"directory": inDirectory}
	if os.Getenv(s3Variable) != "" {
		bucket := startS3(t)
		places["bucket"] = func(t *testing.T) place { return bucket.place(t) }
	}
	for name, make := range places {
		t.Run(name, func(t *testing.T) {
			t.Run("bytes come back under their digest", func(t *testing.T) { comesBack(t, make(t)) })
			t.Run("large ones too, from any place in them", func(t *testing.T) { large(t, make(t)) })
			t.Run("another server finds them", func(t *testing.T) { shared(t, make(t)) })
			t.Run("a failed put leaves nothing", func(t *testing.T) { failedPut(t, make(t)) })
			t.Run("a changed byte is found by a check and by a reader", func(t *testing.T) { changedByte(t, make(t)) })
			t.Run("what is not there is not found", func(t *testing.T) { missing(t, make(t)) })
			t.Run("what was removed is gone, and its neighbour is not", func(t *testing.T) { removed(t, make(t)) })
			t.Run("many at once", func(t *testing.T) { manyAtOnce(t, make(t)) })
		})
	}
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

// s3 is a server that tests share, each with a prefix of its own.
type s3 struct {
	endpoint string
	client   *minio.Client
}

func startS3(t *testing.T) *s3 {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "adjudge")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "adjudge-secret")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // the server takes the port over
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Getenv(s3Variable), "--port", address, "--access", "adjudge", "--secret", "adjudge-secret", "posix", "--sidecar", t.TempDir(), root)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the S3 server said:\n%.4000s", said.String())
		}
	})
	client, err := minio.New(address, &minio.Options{Creds: credentials.NewStaticV4("adjudge", "adjudge-secret", ""), BucketLookup: minio.BucketLookupPath})
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		there, err := client.BucketExists(t.Context(), "files")
		if there {
			break
		}
		if time.Since(begun) > 20*time.Second {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatalf("the S3 server does not answer: %v\n%s", err, said.String())
		}
	}
	return &s3{endpoint: "http://" + address, client: client}
}

func (s *s3) place(t *testing.T) place {
	prefix := fmt.Sprintf("p%d/blobs", time.Now().UnixNano())
	address := "s3://files/" + prefix + "?" + url.Values{"endpoint": {s.endpoint}, "style": {"path"}}.Encode()
	again := func(t *testing.T) blob.Store {
		store, err := blob.OpenAt(t.Context(), address, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	return place{store: again(t), again: again, spoil: func(t *testing.T, digest ledger.Digest) {
		name := prefix + "/" + digest.Hex()[:2] + "/" + digest.Hex()
		if _, err := s.client.PutObject(t.Context(), "files", name, strings.NewReader("hellO"), 5, minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}}
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
