package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

// Parser parses files in children. It implements labeling.Parser.
type Parser struct {
	// Program is the executable and its first arguments, to which the child's
	// options are added; empty for this executable's hidden command "ingest".
	Program []string
	// Env is added to the child's environment, which is empty otherwise.
	Env []string
	// Silence is how long a child may say nothing; 30 seconds if zero.
	Silence time.Duration
	// Temp is where a file that is not on this machine's disk is put for the
	// child; the system's folder if empty.
	Temp string
	Log  *slog.Logger
}

var _ labeling.Parser = (*Parser)(nil)

// Parse implements labeling.Parser.
func (p *Parser) Parse(ctx context.Context, req labeling.ParseRequest, each func(labeling.Batch) error) error {
	if runtime.GOOS == "windows" { // it hands no open file to a child
		return fault.New(fault.Unavailable, "This server runs on Windows, where it cannot read uploads safely. Import with a server on Linux or macOS.")
	}
	file, done, err := p.onDisk(req.File)
	if err != nil {
		return err
	}
	defer done()
	program := p.Program
	if len(program) == 0 {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find this program: %w", err)
		}
		program = []string{self, "ingest"}
	}
	args := append(append([]string{}, program[1:]...), "--format", string(req.Format), "--header", string(req.Header),
		"--skip", strconv.FormatInt(req.Skip, 10), "--limit", strconv.FormatInt(req.Limit, 10))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, program[0], args...)
	cmd.Env = append([]string{"GOMEMLIMIT=192MiB", "GOTRACEBACK=none", "TZ=UTC"}, p.Env...)
	cmd.ExtraFiles = []*os.File{file} // descriptor 3
	var last tail
	cmd.Stderr = &last
	cmd.WaitDelay = 5 * time.Second
	frames, out, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe to the reader of uploads: %w", err)
	}
	defer frames.Close()
	cmd.Stdout = out
	err = cmd.Start()
	_ = out.Close() // the child has its own
	if err != nil {
		return fmt.Errorf("start the reader of uploads: %w", err)
	}
	ended, err := p.receive(ctx, frames, each)
	cancel() // what it still does is of no use
	waited := cmd.Wait()
	if ended || ctx.Err() == nil && err == nil {
		return err
	}
	return p.explain(err, waited, last.String())
}

// receive takes frames until the last one. ended is true when err is the whole
// answer: nil, a fault of the child's, or an error of each.
func (p *Parser) receive(ctx context.Context, frames *os.File, each func(labeling.Batch) error) (ended bool, err error) {
	silence := p.Silence
	if silence == 0 {
		silence = 30 * time.Second
	}
	in := &patient{file: frames, silence: silence}
	var batch labeling.Batch
	var values []labeling.Value
	var buf []byte
	for {
		kind, payload, err := readFrame(in, buf)
		buf = payload
		if err != nil {
			if ctx.Err() != nil {
				return true, ctx.Err()
			}
			return false, err
		}
		switch kind {
		case frameColumns:
			d := decoder{s: string(payload)}
			for range d.count(len(payload)) {
				batch.Columns = append(batch.Columns, d.text())
			}
			if d.failed || len(batch.Columns) > 2000 {
				return false, errFrame
			}
		case frameBatch:
			if values, err = decodeBatch(payload, &batch, values); err != nil {
				return false, err
			}
			if err := each(batch); err != nil {
				return true, err
			}
		case frameProgress, frameDone:
			d := decoder{s: string(payload)}
			batch.Read, batch.Passed = d.number(), d.number()
			batch.Records, batch.Errors = nil, nil
			if d.failed {
				return false, errFrame
			}
			if err := each(batch); err != nil {
				return true, err
			}
			if kind == frameDone {
				return true, nil
			}
		case frameFailed:
			d := decoder{s: string(payload)}
			kind, message := fault.Kind(d.text()), d.text()
			if d.failed || labeling.CheckText(message) != nil {
				return false, errFrame
			}
			if kind != fault.TooLarge {
				kind = fault.Invalid
			}
			return true, fault.New(kind, "%s", message)
		default:
			return false, errFrame
		}
	}
}

// explain says why a child ended without its last frame.
func (p *Parser) explain(err, waited error, said string) error {
	cause := errors.Join(err, waited, errors.New(strings.TrimSpace(said)))
	if p.Log != nil {
		p.Log.Warn("reading an upload failed", "error", cause)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.As(fault.TooLarge, cause, "Reading the file was given up because it made no progress. It may be damaged.")
	case strings.Contains(said, "out of memory") || strings.Contains(said, "cannot allocate memory"):
		return fault.As(fault.TooLarge, cause, "Reading the file took more memory than is allowed. It may be damaged.")
	case strings.Contains(said, "SIGXCPU"):
		return fault.As(fault.TooLarge, cause, "Reading the file took more time than is allowed. Split it into smaller files.")
	}
	if strings.Contains(said, "SIGSEGV") { // either, where the runtime itself found no memory
		return fault.As(fault.Invalid, cause, "The file is damaged, or reading it takes more memory than is allowed.")
	}
	return fault.As(fault.Invalid, cause, "The file is damaged: reading it failed.")
}

// onDisk returns the bytes as a file of this machine, from the start.
func (p *Parser) onDisk(in io.ReadSeeker) (file *os.File, done func(), err error) {
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return nil, nil, fmt.Errorf("rewind upload: %w", err)
	}
	if named, ok := in.(interface{ Name() string }); ok {
		// A descriptor of its own, so that the child's reading moves nobody else's place.
		if file, err := os.Open(named.Name()); err == nil {
			return file, func() { _ = file.Close() }, nil
		}
	}
	file, err = os.CreateTemp(p.Temp, "adjudge-upload-*")
	if err != nil {
		return nil, nil, fmt.Errorf("put upload on disk: %w", err)
	}
	_ = os.Remove(file.Name()) // it lives as long as it is open
	done = func() { _ = file.Close() }
	if _, err = io.Copy(file, in); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("put upload on disk: %w", err)
	}
	return file, done, nil
}

// patient reads with a limit on how long nothing comes.
type patient struct {
	file    *os.File
	silence time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.file.SetReadDeadline(time.Now().Add(p.silence)); err != nil {
		return 0, err
	}
	return p.file.Read(b)
}

// tail keeps the first bytes that a child writes to its standard error.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p[:min(len(p), 4096-len(t.b))]...)
	return len(p), nil
}

func (t *tail) String() string { return string(t.b) }
