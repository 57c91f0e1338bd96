package runner

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"
)

// logFile takes what a trainer prints to disk, so that training never waits
// for the network. A carriage return counts as the end of a line, or one
// progress bar would be a single line of megabytes. When the log grows over
// its limit its middle is left out, and the log says so.
type logFile struct {
	mu      sync.Mutex
	file    *os.File
	limit   int64
	size    int64
	crc     uint32
	dropped int64
	tail    []byte
	cr      bool
	grown   chan struct{} // holds one signal that bytes came
}

// tailKept is how much of the end of an overlong log is kept.
const tailKept = 256 << 10

func openLog(path string, limit int64) (*logFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = 64 << 20
	}
	return &logFile{file: f, limit: limit, grown: make(chan struct{}, 1)}, nil
}

// Write implements io.Writer; it never fails, for a full disk must not stop a trainer.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.lines(p)
	if room := l.limit - l.size; int64(len(text)) > room {
		l.put(text[:room])
		text = text[room:]
		l.tail = append(l.tail, text...)
		if over := len(l.tail) - tailKept; over > 0 {
			l.dropped += int64(over)
			l.tail = append(l.tail[:0], l.tail[over:]...)
		}
	} else {
		l.put(text)
	}
	select {
	case l.grown <- struct{}{}:
	default:
	}
	return len(p), nil
}

// lines turns "\r\n" and lone "\r" into "\n", across writes.
func (l *logFile) lines(p []byte) []byte {
	if !l.cr && bytes.IndexByte(p, '\r') < 0 {
		return p
	}
	out := make([]byte, 0, len(p))
	for _, b := range p {
		if l.cr && b == '\n' {
			l.cr = false
			continue
		}
		if l.cr = b == '\r'; l.cr {
			b = '\n'
		}
		out = append(out, b)
	}
	return out
}

func (l *logFile) put(text []byte) {
	n, _ := l.file.Write(text)
	l.size += int64(n)
	l.crc = crc32.Update(l.crc, crc32.IEEETable, text[:n])
}

// close writes the kept tail and returns the size and checksum of the whole.
func (l *logFile) close() (int64, uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tail) > 0 {
		if l.dropped > 0 {
			l.put(fmt.Appendf(nil, "\n[%d bytes of the log were left out here]\n", l.dropped))
		}
		l.put(l.tail)
		l.tail = nil
	}
	_ = l.file.Close()
	return l.size, l.crc
}

// sumLog reads the size and checksum of a log whose runner died.
func sumLog(path string) (int64, uint32) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0
	}
	defer func() { _ = f.Close() }()
	h := crc32.NewIEEE()
	n, _ := io.Copy(h, f)
	return n, h.Sum32()
}
