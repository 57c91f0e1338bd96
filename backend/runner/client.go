package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/training"
)

// errStale means that the server gave the attempt up: kill the trainer, exit.
var errStale = errors.New("the server gave this attempt up")

// client speaks the attempt protocol with whatever server is there now.
type client struct {
	http   *http.Client
	server func() (string, error) // where the server is, asked again after every failure
	base   string
	token  string
	fence  int64
}

func newClient(server func() (string, error), t training.Ticket) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // the server is ours; a proxy for the world is in the way
	return &client{http: &http.Client{Transport: transport}, server: server, token: t.Token, fence: t.Fence}
}

// refusal is an answer that trying again will not change.
type refusal struct {
	status int
	detail string
	next   int64 // with 416: the offset that is wanted
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the server answered %d: %s", r.status, r.detail)
}

// call sends one request. body is called once and may be nil; into may be nil.
func (c *client) call(ctx context.Context, method, path string, header http.Header, body io.Reader, into any) error {
	if c.base == "" {
		base, err := c.server()
		if err != nil {
			return err
		}
		c.base = strings.TrimRight(base, "/")
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api/v1/attempts/"+strconv.FormatInt(c.fence, 10)+path, body)
	if err != nil {
		return err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.http.Do(req)
	if err != nil {
		c.base = "" // it may have come back on another port
		return err
	}
	defer func() {
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
		_ = res.Body.Close()
	}()
	if res.StatusCode < 300 {
		switch into := into.(type) {
		case nil:
			return nil
		case io.Writer:
			_, err := io.Copy(into, res.Body)
			return err
		default:
			return json.NewDecoder(res.Body).Decode(into)
		}
	}
	var problem struct {
		Detail string `json:"detail"`
	}
	raw, _ := io.ReadAll(io.LimitReader(res.Body, 1<<14))
	if json.Unmarshal(raw, &problem) != nil || problem.Detail == "" {
		problem.Detail = http.StatusText(res.StatusCode)
	}
	switch {
	case res.StatusCode == http.StatusConflict:
		return fmt.Errorf("%w: %s", errStale, problem.Detail)
	case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone:
		// Another installation answers on this port, or this one forgot us. Only
		// the server of our own data directory may end the attempt.
		c.base = ""
		return fmt.Errorf("the server does not know this attempt (%d)", res.StatusCode)
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		_, last, _ := strings.Cut(res.Header.Get("Range"), "-")
		next, err := strconv.ParseInt(last, 10, 64)
		if err != nil {
			return fmt.Errorf("416 with the range %q", res.Header.Get("Range"))
		}
		return &refusal{res.StatusCode, problem.Detail, next}
	case res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusForbidden:
		c.base = ""
		return fmt.Errorf("the server answered %d: %s", res.StatusCode, problem.Detail)
	}
	return &refusal{res.StatusCode, problem.Detail, 0}
}

// insist repeats f until it succeeds, until trying again cannot help, or until
// patience ends. The pauses grow to five seconds, with jitter.
func insist(ctx context.Context, patience time.Duration, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pause := 50 * time.Millisecond
	for {
		err := f()
		if err == nil || errors.Is(err, errStale) {
			return err
		}
		if _, final := errors.AsType[*refusal](err); final {
			return err
		}
		if _, final := errors.AsType[*localError](err); final {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause + time.Duration(rand.Int64N(int64(pause)))):
		}
		pause = min(pause*2, 5*time.Second)
	}
}

// localError is a failure on this machine: asking the server again is no help.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }
func (e *localError) Unwrap() error { return e.err }

func (c *client) start(ctx context.Context) (training.Spec, error) {
	var spec training.Spec
	return spec, c.call(ctx, http.MethodPost, "/start", nil, nil, &spec)
}

func (c *client) beat(ctx context.Context, b training.Beat) (training.Answer, error) {
	var a training.Answer
	return a, c.call(ctx, http.MethodPost, "/heartbeat", jsonHeader, encode(b), &a)
}

// append ships bytes of a stream that begin at offset.
func (c *client) append(ctx context.Context, stream training.Stream, offset int64, chunk []byte) (training.Answer, error) {
	header := http.Header{
		"Content-Type":  {"application/octet-stream"},
		"Content-Range": {fmt.Sprintf("bytes %d-%d/*", offset, offset+int64(len(chunk))-1)},
	}
	var a training.Answer
	return a, c.call(ctx, http.MethodPatch, "/"+string(stream), header, bytes.NewReader(chunk), &a)
}

func (c *client) finish(ctx context.Context, f training.Finish) error {
	return c.call(ctx, http.MethodPost, "/finish", jsonHeader, encode(f), nil)
}

var jsonHeader = http.Header{"Content-Type": {"application/json"}}

func encode(v any) io.Reader {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types always encode
	}
	return bytes.NewReader(raw)
}
