// Package blobtest starts an S3-compatible server for tests of rooms that keep
// files in a bucket.
package blobtest

import (
	"bytes"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Variable names the program of an S3-compatible server (versitygw), which a
// test starts on loopback; `make test` builds it.
const Variable = "ADJUDGE_TEST_S3"

// The keys of the server; Environment hands them to other processes.
const (
	access = "adjudge"
	secret = "adjudge-secret"
)

// Bucket is the bucket "files" of a server of one test alone.
type Bucket struct {
	Client   *minio.Client
	Name     string
	endpoint string
}

// Start starts a server with an empty bucket and ends it after the test, which
// it skips where no such server is meant to be tested.
func Start(t testing.TB) *Bucket {
	t.Helper()
	program := os.Getenv(Variable)
	if program == "" {
		t.Skip("no S3 server is tested: " + Variable + " is not set")
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // the server takes the port over
	b := &Bucket{Name: "files", endpoint: "http://" + address}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, b.Name), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--port", address, "--access", access, "--secret", secret, "--region", "us-east-1", "posix", "--sidecar", t.TempDir(), root)
	said := new(lockedBuffer)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the S3 server said:\n%.4000s", said)
		}
	})
	b.Client, err = minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(access, secret, ""), BucketLookup: minio.BucketLookupPath})
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		there, err := b.Client.BucketExists(t.Context(), b.Name)
		if there {
			return b
		}
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("the S3 server does not answer: %v\n%s", err, said)
		}
	}
}

// Address returns the address of a prefix of the bucket, as --blobs takes it.
func (b *Bucket) Address(prefix string) string {
	return "s3://" + b.Name + "/" + prefix + "?" + url.Values{"endpoint": {b.endpoint}, "style": {"path"}}.Encode()
}

// Environment returns the variables with the keys, each as NAME=value.
func Environment() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + access, "AWS_SECRET_ACCESS_KEY=" + secret}
}

// lockedBuffer collects what the server says.
type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}
