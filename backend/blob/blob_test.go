package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/adjudge/adjudge/backend/blob"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

func open(t *testing.T) *blob.Dir {
	t.Helper()
	d, err := blob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBytesComeBackUnderTheirDigest(t *testing.T) {
	t.Parallel()
	d := open(t)
	for range 2 { // the second time they are there already
		digest, size, err := d.Put(t.Context(), strings.NewReader("hello"))
		if err != nil || size != 5 || digest != ledger.DigestOf([]byte("hello")) {
			t.Fatalf("%s, %d, %v", digest, size, err)
		}
		file, err := d.Open(t.Context(), digest)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(file)
		if err := errors.Join(err, file.Close()); err != nil || !bytes.Equal(got, []byte("hello")) {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestAFailedPutLeavesNothing(t *testing.T) {
	t.Parallel()
	d := open(t)
	oops := errors.New("line broke")
	if _, _, err := d.Put(t.Context(), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(oops))); !errors.Is(err, oops) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := d.Put(ctx, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	err := d.Each(func(digest ledger.Digest) error { t.Errorf("%s is there", digest); return nil })
	if err != nil {
		t.Fatal(err)
	}
}

func TestAChangedByteIsFound(t *testing.T) {
	t.Parallel()
	d := open(t)
	digest, _, err := d.Put(t.Context(), strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Check(t.Context(), digest); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(d.Path(digest), 0o600), os.WriteFile(d.Path(digest), []byte("hellO"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := d.Check(t.Context(), digest); !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v", err)
	}
	if _, err := d.Open(t.Context(), ledger.DigestOf([]byte("other"))); !fault.Is(err, fault.NotFound) {
		t.Errorf("a missing file: %v", err)
	}
}
