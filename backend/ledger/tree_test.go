package ledger

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/adjudge/adjudge/backend/fault"
)

func TestATreeIsTheHashOfItsFileDigestsInPathOrder(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"a-b/x":        {Data: []byte("second")},
		"a/x":          {Data: []byte("first")},
		"z":            {Data: []byte("third")},
		".git/HEAD":    {Data: []byte("not the model")},
		".github/ci":   {Data: []byte("not the model")},
		".gitignore":   {Data: []byte("not the model")},
		"sub/.gitkeep": {Data: []byte("the model")},
	}
	tree, err := DigestTreeFS(fsys)
	if err != nil {
		t.Fatal(err)
	}
	// Written out by hand: component order puts a/x before a-b/x, and .git* is
	// left out at the top only.
	var all []byte
	for _, content := range []string{"first", "second", "the model", "third"} {
		sum := sha256.Sum256([]byte(content))
		all = append(all, sum[:]...)
	}
	if want := DigestOf(all); tree.Root != want {
		t.Errorf("root = %s, want %s of %v", tree.Root, want, tree.Files)
	}
	if len(tree.Files) != 4 || tree.Files[0].Path != "a/x" || tree.Files[0].Size != 5 {
		t.Errorf("files = %v", tree.Files)
	}
}

func TestOneByteOfOneFileTurnsTheRoot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	digest := func() Digest {
		t.Helper()
		tree, err := DigestTree(dir)
		if err != nil {
			t.Fatal(err)
		}
		return tree.Root
	}
	write("model.bin", "weights")
	before := digest()
	write("model.bin", "weighTs")
	if digest() == before {
		t.Error("a changed byte goes unseen")
	}
	write("model.bin", "weights")
	if digest() != before {
		t.Error("the same bytes give another root")
	}
	write("extra", "")
	if digest() == before {
		t.Error("an added empty file goes unseen")
	}
}

func TestAModelOfOneFileIsNamedDot(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "model.bin")
	if err := os.WriteFile(path, []byte("weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	tree, err := DigestTree(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("weights"))
	if tree.Root != DigestOf(sum[:]) || tree.Files[0].Path != "." {
		t.Errorf("tree = %+v", tree)
	}
}

func TestATreeRefusesWhatItCannotStandFor(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	linked := t.TempDir()
	if err := os.Symlink("/etc/hostname", filepath.Join(linked, "weights")); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"an empty directory":         empty,
		"a symbolic link":            linked,
		"a directory that is absent": filepath.Join(empty, "absent"),
	} {
		if _, err := DigestTree(dir); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: error = %v, want Invalid", name, err)
		}
	}
	file := TreeFile{Path: "a", Digest: DigestOf(nil)}
	if _, err := TreeRoot([]TreeFile{file, file}); err == nil {
		t.Error("a file listed twice is taken")
	}
	if _, err := TreeRoot([]TreeFile{{Path: "a", Digest: "sha256:00"}}); err == nil {
		t.Error("a short digest is taken")
	}
}
