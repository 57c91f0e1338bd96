package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/columns"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/format/csv"
	"github.com/adjudge/adjudge/backend/format/ingest"
	"github.com/adjudge/adjudge/backend/format/jsonl"
	"github.com/adjudge/adjudge/backend/format/text"
	"github.com/adjudge/adjudge/labeling"
)

// The test binary is its own child, told by this variable what to be.
const role = "ADJUDGE_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "parse":
		os.Exit(child())
	case "silent":
		time.Sleep(time.Minute)
	case "dial":
		os.Exit(dial())
	case "hungry":
		os.Exit(hungry())
	case "bomb":
		os.Exit(makeBomb())
	case "garbage":
		fmt.Print("no frame at all, but many bytes of it")
		return
	}
	os.Exit(m.Run())
}

func child() int {
	var job ingest.Job
	flags := flag.NewFlagSet("child", flag.ExitOnError)
	flags.StringVar((*string)(&job.Format), "format", "", "")
	flags.StringVar((*string)(&job.Header), "header", "", "")
	flags.Int64Var(&job.Skip, "skip", 0, "")
	flags.Int64Var(&job.Limit, "limit", 0, "")
	_ = flags.Parse(os.Args[1:])
	err := ingest.Run(job, os.Stdout, func(job ingest.Job, in *ingest.Input) (ingest.Reader, error) {
		switch job.Format {
		case labeling.FormatCSV:
			return csv.NewReader(in, 0, job.Header)
		case labeling.FormatText:
			return text.NewReader(in), nil
		case labeling.FormatParquet:
			return columns.NewReader(in)
		}
		return jsonl.NewReader(text.NewLines(in)), nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// dial tries what a child must not do and says what went through.
func dial() int {
	if err := ingest.Confine(); err != nil {
		fmt.Println("confine:", err)
		return 1
	}
	if c, err := net.DialTimeout("udp", "127.0.0.1:9", time.Second); err == nil {
		_ = c.Close()
		fmt.Println("a socket was opened")
	}
	if err := exec.Command("/bin/true").Run(); err == nil {
		fmt.Println("a program was started")
	}
	if f, err := os.CreateTemp("", "x"); err == nil {
		defer os.Remove(f.Name())
		if _, err := f.WriteString("x"); err == nil {
			fmt.Println("a file was written")
		}
	}
	return 0
}

func parser(as string) *ingest.Parser {
	return &ingest.Parser{Program: []string{os.Args[0]}, Env: []string{role + "=" + as}}
}

func parse(t *testing.T, req labeling.ParseRequest) (rows []string, bad []string, last labeling.Batch, err error) {
	t.Helper()
	err = parser("parse").Parse(t.Context(), req, func(b labeling.Batch) error {
		for _, r := range b.Records {
			var cells []string
			for i, v := range r.Values {
				if v.Present {
					cells = append(cells, b.Columns[i]+"="+v.Text)
				}
			}
			rows = append(rows, fmt.Sprintf("%d %s", r.Line, strings.Join(cells, "|")))
		}
		for _, e := range b.Errors {
			bad = append(bad, e.Error())
		}
		last = b
		return nil
	})
	return rows, bad, last, err
}

func TestAChildReadsEveryFormat(t *testing.T) {
	var pq bytes.Buffer
	w, err := columns.NewWriter(&pq, []columns.Column{{Name: "text", Kind: columns.Text}, {Name: "n", Kind: columns.Integer}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write([]string{"a", "ü"}, []int64{1, 2}), w.Close()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		format labeling.Format
		bytes  string
		rows   string
		bad    string
	}{
		"CSV":                             {labeling.FormatCSV, "text,n\na,1\nü,2\n", "2 text=a|n=1;3 text=ü|n=2", ""},
		"JSON lines":                      {labeling.FormatJSONL, `{"text":"a","n":1}` + "\n" + `{"n":2,"m":null,"text":"ü"}`, "1 text=a|n=1;2 text=ü|n=2", ""},
		"plain text":                      {labeling.FormatText, "a\r\n\nü", "1 text=a;3 text=ü", ""},
		"Parquet":                         {labeling.FormatParquet, pq.String(), "1 text=a|n=1;2 text=ü|n=2", ""},
		"a bad line among good ones":      {labeling.FormatJSONL, "{\"text\":\"a\"}\nnope\n{\"text\":\"b\"}", "1 text=a;3 text=b", `line 2: not a JSON object; each line is one object such as {"text": "…"}`},
		"broken UTF-8 among good records": {labeling.FormatCSV, "text,n\na,1\n\xff\xfe,2\nb,3\n", "2 text=a|n=1;4 text=b|n=3", "line 3: the byte 0xFF at position 1 is not UTF-8; save the file as UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, bad, last, err := parse(t, labeling.ParseRequest{File: strings.NewReader(c.bytes), Format: c.format})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(rows, ";"); got != c.rows {
				t.Errorf("rows = %s\nwant   %s", got, c.rows)
			}
			if got := strings.Join(bad, ";"); got != c.bad {
				t.Errorf("bad = %s\nwant  %s", got, c.bad)
			}
			if want := int64(len(rows) + len(bad)); last.Passed != want {
				t.Errorf("passed = %d, want %d", last.Passed, want)
			}
		})
	}
}

func TestALineOf200MBTakesNoMemoryAndTheNextComesIn(t *testing.T) {
	before := childMemory(t) // of an earlier round, in which other tests had larger children
	for _, format := range []labeling.Format{labeling.FormatText, labeling.FormatJSONL, labeling.FormatCSV} {
		f, err := os.Create(filepath.Join(t.TempDir(), "long"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		head, tail := "", "\nlast\n"
		switch format {
		case labeling.FormatJSONL:
			tail = "\n{\"text\":\"last\"}\n"
		case labeling.FormatCSV:
			head, tail = "text,label\n\"", "\",x\nlast,y\n"
		}
		_, err = f.WriteAt([]byte(head), 0)
		_, err2 := f.WriteAt([]byte(tail), 200<<20) // the line is a hole in the file
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		rows, bad, _, err := parse(t, labeling.ParseRequest{File: f, Format: format})
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		if len(rows) != 1 || !strings.Contains(rows[0], "last") || len(bad) != 1 || !strings.Contains(bad[0], "longer than 16 MB") {
			t.Errorf("%s: rows %v, bad %v", format, rows, bad)
		}
	}
	if mb := childMemory(t); runtime.GOOS == "linux" && mb > max(before, 150) {
		t.Errorf("a child took %d MB of memory", mb)
	}
}

// childMemory is the most that any child of this process had resident, in MB.
func childMemory(t *testing.T) int64 {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage); err != nil {
		t.Fatal(err)
	}
	return usage.Maxrss >> 10
}

func TestAReadingGoesOnWhereItWasInterrupted(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	rows, _, last, err := parse(t, labeling.ParseRequest{File: strings.NewReader(b.String()), Format: labeling.FormatText, Skip: 1000, Limit: 3})
	if err != nil || strings.Join(rows, ";") != "1001 text=line 1000;1002 text=line 1001;1003 text=line 1002" || last.Passed != 1003 {
		t.Errorf("rows %v, passed %d, %v", rows, last.Passed, err)
	}
}

func TestAParquetFileWithFlippedBytesHarmsNobody(t *testing.T) {
	t.Parallel()
	var pq bytes.Buffer
	w, _ := columns.NewWriter(&pq, []columns.Column{{Name: "text", Kind: columns.Text}, {Name: "label", Kind: columns.Dictionary}, {Name: "n", Kind: columns.Integer}})
	for i := range 300 {
		if err := w.Write([]string{fmt.Sprint("text ", i)}, []string{fmt.Sprint(i % 7)}, []int64{int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 7))
	refused := 0
	for range 40 {
		damaged := bytes.Clone(pq.Bytes())
		for range 1 + random.IntN(8) {
			damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
		}
		_, _, _, err := parse(t, labeling.ParseRequest{File: bytes.NewReader(damaged), Format: labeling.FormatParquet})
		switch fault.KindOf(err) {
		case "":
		case fault.Invalid, fault.TooLarge:
			refused++
		default:
			t.Errorf("a damaged file is no fault of ours: %v", err)
		}
	}
	if refused == 0 {
		t.Error("no damaged file was refused")
	}
}

func TestAFileThatCannotBeReadSaysWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		format labeling.Format
		bytes  string
		says   string
	}{
		"an empty CSV":                 {labeling.FormatCSV, "", "The file is empty."},
		"an empty Parquet":             {labeling.FormatParquet, "", "The file is empty."},
		"UTF-16":                       {labeling.FormatCSV, "\xff\xfet\x00", "The file is written in UTF-16. Save it as UTF-8 and try again."},
		"UTF-16 text":                  {labeling.FormatText, "\xff\xfet\x00", "The file is written in UTF-16. Save it as UTF-8 and try again."},
		"a JSON list":                  {labeling.FormatJSONL, "[{}]", "The file is a JSON list. Write one object on each line instead, for example with: jq -c '.[]' file.json"},
		"no Parquet":                   {labeling.FormatParquet, "this is not parquet", "The Parquet file is damaged: it does not begin and end with PAR1."},
		"a cut Parquet":                {labeling.FormatParquet, "PAR1", "The Parquet file is damaged: 4 bytes are too few."},
		"a CSV with one bad line only": {labeling.FormatCSV, "\"abc", "The first line cannot be read: line 1: a quote that opens on line 1 is never closed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, _, err := parse(t, labeling.ParseRequest{File: strings.NewReader(c.bytes), Format: c.format})
			if fault.KindOf(err) != fault.Invalid || fault.Message(err) != c.says {
				t.Errorf("error = %v\nwant %s", err, c.says)
			}
		})
	}
}

func TestASilentChildIsKilled(t *testing.T) {
	t.Parallel()
	p := parser("silent")
	p.Silence = 100 * time.Millisecond
	err := p.Parse(t.Context(), labeling.ParseRequest{File: strings.NewReader("x"), Format: labeling.FormatText}, func(labeling.Batch) error { return nil })
	if fault.KindOf(err) != fault.TooLarge {
		t.Errorf("error = %v", err)
	}
}

func TestAChildThatTalksNonsenseIsNotBelieved(t *testing.T) {
	t.Parallel()
	err := parser("garbage").Parse(t.Context(), labeling.ParseRequest{File: strings.NewReader("x"), Format: labeling.FormatText}, func(labeling.Batch) error { return nil })
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("error = %v", err)
	}
}

func TestTheErrorOfWhoTakesTheRecordsComesBack(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	err := parser("parse").Parse(t.Context(), labeling.ParseRequest{File: strings.NewReader("a\nb\n"), Format: labeling.FormatText}, func(labeling.Batch) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("error = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = parser("parse").Parse(ctx, labeling.ParseRequest{File: strings.NewReader("a\nb\n"), Format: labeling.FormatText}, func(labeling.Batch) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error after cancelling = %v", err)
	}
}

func TestAChildOpensNoSocketWritesNoFileAndStartsNoProgram(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("the child is confined on Linux only")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{role + "=dial", "TMPDIR=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}
