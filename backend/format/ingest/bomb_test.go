package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/format/ingest"
	"github.com/adjudge/adjudge/labeling"
)

// bomb returns a Parquet file with one column of n texts of the given length.
// With a dictionary the text stands in it once; without, zstd makes nothing of
// it. It is made in a process of its own: a child starts with the memory of its
// parent in its books, and the tests look there.
func bomb(t *testing.T, n, length int, dictionary bool) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), role+"=bomb", fmt.Sprintf("BOMB=%d %d %t", n, length, dictionary))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func makeBomb() int {
	var n, length int
	var dictionary bool
	_, err := fmt.Sscanf(os.Getenv("BOMB"), "%d %d %t", &n, &length, &dictionary)
	if err == nil {
		err = writeBomb(os.Stdout, n, length, dictionary)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func writeBomb(out io.Writer, n, length int, dictionary bool) error {
	node := schema.MustPrimitive(schema.NewPrimitiveNodeLogical("text", parquet.Repetitions.Required, schema.StringLogicalType{}, parquet.Types.ByteArray, -1, -1))
	root := schema.MustGroup(schema.NewGroupNode("schema", parquet.Repetitions.Required, schema.FieldList{node}, -1))
	w := file.NewParquetWriter(out, root, file.WithWriterProps(parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Zstd), parquet.WithDictionaryDefault(dictionary), parquet.WithDictionaryPageSizeLimit(1<<30), parquet.WithStats(false))))
	column, err := w.AppendRowGroup().NextColumn()
	if err != nil {
		return err
	}
	text := parquet.ByteArray(bytes.Repeat([]byte("x"), length))
	batch := make([]parquet.ByteArray, min(n, 1024))
	for i := range batch {
		batch[i] = text
	}
	for left := n; left > 0; left -= len(batch) {
		if _, err := column.(*file.ByteArrayColumnChunkWriter).WriteBatch(batch[:min(left, len(batch))], nil, nil); err != nil {
			return err
		}
	}
	return errors.Join(column.Close(), w.Close())
}

// hungry takes memory until there is no more.
func hungry() int {
	if err := ingest.Confine(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var all [][]byte
	for range 2048 {
		piece := make([]byte, 1<<20)
		for i := 0; i < len(piece); i += 4096 {
			piece[i] = 1
		}
		all = append(all, piece)
	}
	fmt.Println("it got", len(all), "MB")
	return 0
}

// Whatever the reader of a format does with a file, its memory ends, and the
// server lives on and says so.
func TestAChildThatTakesTooMuchMemoryEndsAndIsExplained(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("children are confined on Linux")
	}
	err := parser("hungry").Parse(t.Context(), labeling.ParseRequest{File: strings.NewReader("x"), Format: labeling.FormatText}, func(labeling.Batch) error { return nil })
	if kind := fault.KindOf(err); kind != fault.TooLarge && kind != fault.Invalid || !strings.Contains(fault.Message(err), "more memory than is allowed") {
		t.Errorf("error = %v", err)
	}
	rows, _, _, err := parse(t, labeling.ParseRequest{File: strings.NewReader("a\n"), Format: labeling.FormatText})
	if err != nil || len(rows) != 1 {
		t.Errorf("the next file gives %v (%v)", rows, err)
	}
}

// A text of 260 MB in some kilobytes is refused before it is unpacked.
func TestAPageThatUnpacksToTooMuchIsRefused(t *testing.T) {
	t.Parallel()
	packed := bomb(t, 1, 260<<20, false)
	if len(packed) > 64<<10 {
		t.Fatalf("the file has %d bytes: it is no bomb", len(packed))
	}
	_, _, _, err := parse(t, labeling.ParseRequest{File: bytes.NewReader(packed), Format: labeling.FormatParquet})
	if fault.KindOf(err) != fault.TooLarge || !strings.Contains(fault.Message(err), "unpacks to 260 MB") {
		t.Errorf("error = %v", err)
	}
}

// Texts of a megabyte, 4,096 of them, in some hundred bytes: what is read of
// them passes through the child without ever being in it.
func TestADictionaryThatUnpacksToGigabytesStreams(t *testing.T) {
	t.Parallel()
	packed := bomb(t, 4096, 1<<20, true)
	read, enough := 0, errors.New("enough")
	err := parser("parse").Parse(t.Context(), labeling.ParseRequest{File: bytes.NewReader(packed), Format: labeling.FormatParquet}, func(b labeling.Batch) error {
		if read += len(b.Records); read >= 1024 { // more than a child may have
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("%d records came of %d bytes: %v", read, len(packed), err)
	}
}
