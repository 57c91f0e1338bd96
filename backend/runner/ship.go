package runner

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/adjudge/adjudge/backend/training"
)

// shipper carries one growing file to the server by byte offset.
type shipper struct {
	client *client
	stream training.Stream
	path   string
	offset int64 // the server has everything before it
	buffer []byte
}

// ship sends what is there now, in chunks. Unless final, it keeps back a last
// line without an end, so that the server sees whole lines. It returns the
// server's last answer and whether it sent anything.
func (s *shipper) ship(ctx context.Context, final bool) (answer training.Answer, sent bool, err error) {
	f, err := os.Open(s.path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return answer, false, nil
		}
		return answer, false, &localError{err}
	}
	defer func() { _ = f.Close() }()
	if s.buffer == nil {
		s.buffer = make([]byte, training.MaxChunk)
	}
	for {
		n, err := f.ReadAt(s.buffer, s.offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return answer, sent, &localError{err}
		}
		chunk, full := s.buffer[:n], n == len(s.buffer)
		switch cut := bytes.LastIndexByte(chunk, '\n') + 1; {
		case final && !full: // all that is left, whole line or not
		case cut > 0:
			chunk = chunk[:cut]
		case !full:
			chunk = nil
		}
		if len(chunk) == 0 {
			return answer, sent, nil
		}
		answer, err = s.client.append(ctx, s.stream, s.offset, chunk)
		if r, ok := errors.AsType[*refusal](err); ok && r.status == 416 && r.next != s.offset {
			s.offset = r.next // the server remembers less, or more, than we thought
			continue
		}
		if err != nil {
			return answer, sent, err
		}
		s.offset, sent = answer.Next, true
	}
}

// reporter sends log, metrics and heartbeats until its context ends.
type reporter struct {
	client  *client
	log     *shipper
	metrics *shipper
	grown   <-chan struct{}
	host    training.Host
	stop    func(training.Stop) // the server asks to stop
	stale   func()              // the server gave the attempt up
}

// shipEvery bounds how often the log travels while a trainer prints.
const shipEvery = 250 * time.Millisecond

func (r *reporter) run(ctx context.Context, beat time.Duration) {
	if beat <= 0 {
		beat = 5 * time.Second
	}
	next := time.Now() // the first heartbeat says that the trainer runs
	tick := time.NewTicker(shipEvery)
	defer tick.Stop()
	var pause time.Time
	for ctx.Err() == nil {
		if now := time.Now(); now.After(pause) {
			err := r.once(ctx, !now.Before(next))
			switch {
			case errors.Is(err, errStale):
				r.stale()
				return
			case err != nil:
				pause = time.Now().Add(time.Second) // the server is away; the trainer goes on
			case !now.Before(next):
				next = now.Add(beat)
			}
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// once ships what is new, and a heartbeat when one is due.
func (r *reporter) once(ctx context.Context, beat bool) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	heed := func(a training.Answer) {
		if a.Stop != nil {
			r.stop(*a.Stop)
		}
	}
	if beat {
		a, err := r.client.beat(ctx, training.Beat{Phase: training.PhaseRunning, Host: &r.host})
		if err != nil {
			return err
		}
		heed(a)
	}
	for _, s := range []*shipper{r.log, r.metrics} {
		a, sent, err := s.ship(ctx, false)
		if err != nil {
			return err
		}
		if sent {
			heed(a)
		}
	}
	return nil
}
