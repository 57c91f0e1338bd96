package app

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/adjudge/adjudge/backend/blob/blobtest"
)

// A server keeps its files in a bucket: what was trained and frozen there is
// backed up while it runs, comes back in another bucket or in a directory, and
// doctor reads every object and names the one that was changed.
func TestFilesInABucketAreBackedUpRestoredAndChecked(t *testing.T) {
	t.Parallel()
	bucket := blobtest.Start(t)
	dir := t.TempDir()
	environment := func(blobs string) []string {
		return append(append(os.Environ(), blobtest.Environment()...), "ADJUDGE_BLOBS="+blobs, "ADJUDGE_DATABASE=", "ADJUDGE_SERVER=", "ADJUDGE_TOKEN=")
	}
	// adjudge runs a command with files at an address.
	adjudge := func(blobs string, args ...string) (said string, err error) {
		cmd := exec.CommandContext(t.Context(), binary(t), args...)
		cmd.Env = environment(blobs)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	must := func(blobs string, args ...string) string {
		t.Helper()
		said, err := adjudge(blobs, args...)
		if err != nil {
			t.Fatalf("adjudge %s: %v\n%s", strings.Join(args, " "), err, said)
		}
		return said
	}
	live, data := bucket.Address("live"), filepath.Join(dir, "data")
	server := exec.CommandContext(t.Context(), binary(t), "serve", "--data", data, "--listen", "127.0.0.1:0")
	server.Env = environment(live)
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGTERM) }
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	stop := func() {
		if ended {
			return
		}
		ended = true
		_ = server.Process.Signal(syscall.SIGTERM)
		if err := server.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	}
	t.Cleanup(stop)
	waitUntil(t, "the server starts", func() bool { _, err := os.Stat(filepath.Join(data, "credential.json")); return err == nil })
	questions := "text,label\n"
	for n := range 40 {
		questions += fmt.Sprintf("where is card number %d,card\nI want a refund of payment %d,refund\n", n, n)
	}
	file := filepath.Join(dir, "train.csv")
	if err := os.WriteFile(file, []byte(questions), 0o600); err != nil {
		t.Fatal(err)
	}
	must(live, "import", "--data", data, "--project", "support", "--dataset", "train", file)
	must(live, "snapshot", "create", "--data", data, "--project", "support", "--dataset", "train", "--name", "one")
	must(live, "train", "--data", data, "--project", "support", "--recipe", "text-linear", "--snapshot", "one", "--param", "epochs=1", "--wait")
	if entries, err := os.ReadDir(filepath.Join(data, "blobs")); err == nil && len(entries) > 0 {
		t.Errorf("%d files lie in the data directory instead of the bucket", len(entries))
	}
	copied := filepath.Join(dir, "copy.tar")
	if said := must(live, "backup", copied, "--data", data); !regexp.MustCompile(`"files":\{"count":[1-9]`).MatchString(said) {
		t.Errorf("the backup says %.300q", said)
	}
	stop()
	if said := must(live, "doctor", "--data", data); !regexp.MustCompile(`files: [1-9]\d* checked`).MatchString(said) {
		t.Errorf("doctor says %q", said)
	}

	// In another bucket, and in a directory.
	other := bucket.Address("other")
	must(other, "restore", copied, "--data", filepath.Join(dir, "there"))
	must("", "restore", copied, "--data", filepath.Join(dir, "here"))
	for _, place := range []struct{ blobs, data string }{{other, "there"}, {"", "here"}} {
		said := must(place.blobs, "doctor", "--data", filepath.Join(dir, place.data))
		if !strings.Contains(said, "each follows the one before") || !regexp.MustCompile(`files: [1-9]\d* checked`).MatchString(said) {
			t.Errorf("of what was restored into %q doctor says %q", place.blobs, said)
		}
	}

	// An object that somebody changed is named, and no backup is made of it.
	var spoiled string
	for object := range bucket.Client.ListObjects(t.Context(), bucket.Name, minio.ListObjectsOptions{Prefix: "other/", Recursive: true}) {
		if spoiled = object.Key; object.Err != nil {
			t.Fatal(object.Err)
		}
	}
	if _, err := bucket.Client.PutObject(t.Context(), bucket.Name, spoiled, strings.NewReader("else"), 4, minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "there", "cache")); err != nil { // as on another machine
		t.Fatal(err)
	}
	if said, err := adjudge(other, "doctor", "--data", filepath.Join(dir, "there")); err == nil || !strings.Contains(said, filepath.Base(spoiled)) {
		t.Errorf("of a changed object doctor says %v, %q", err, said)
	}
	if said, err := adjudge(other, "backup", filepath.Join(dir, "bad"), "--data", filepath.Join(dir, "there")); err == nil || !strings.Contains(said, "changed") {
		t.Errorf("a backup of a changed object: %v, %q", err, said)
	}
}
