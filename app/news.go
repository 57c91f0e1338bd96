package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/adjudge/adjudge/backend/outbound"
	"github.com/adjudge/adjudge/backend/trace"
	"github.com/adjudge/adjudge/frontend/page"
)

// news looks once a day whether there is a newer version, at an address that
// the operator names. Without one nothing is ever fetched.
//
// The address answers with a JSON object that `make package` writes as
// latest.json: {"version": "v1.4.0", "url": "https://…", "changes": ["…"]}.
type news struct {
	address string
	client  *http.Client

	mu    sync.Mutex
	state page.News
}

// newsEvery is how often the address is asked.
const newsEvery = 24 * time.Hour

// newNews prepares looking; an empty address is never to look.
func newNews(address string, t *trace.Tracer) (*news, error) {
	n := &news{address: address, state: page.News{Here: version()}}
	if address == "" {
		return n, nil
	}
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" {
		return nil, usage{fmt.Errorf("--news %q is no address; it looks like https://example.org/latest.json", address)}
	}
	n.client = outbound.New(calls(t, outbound.Config{Allow: []string{at.Host, at.Hostname()}, Agent: "Adjudge/" + version(), MaxBody: 256 << 10}))
	n.state.Asks = at.Host
	return n, nil
}

// run looks now and every day until the context ends.
func (n *news) run(ctx context.Context, failed func(error)) {
	if n.client == nil {
		return
	}
	for tick := time.NewTicker(newsEvery); ; {
		if err := n.look(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}

// look asks the address once.
func (n *news) look(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.address, nil)
	if err != nil {
		return err
	}
	answer, err := n.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	var latest struct {
		Version, URL string
		Changes      []string
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", n.state.Asks, answer.Status)
	}
	if err := json.Unmarshal(text, &latest); err != nil {
		return err
	}
	theirs, known := releaseOf(latest.Version)
	if !known || len(latest.Version) > 40 || len(latest.Changes) > 200 {
		return errors.New("what answers there names no version")
	}
	ours, released := releaseOf(version())
	n.mu.Lock()
	defer n.mu.Unlock()
	n.state.Looked = now()
	n.state.Version, n.state.URL, n.state.Changes = "", "", nil
	if !released || newerRelease(theirs, ours) { // a build from the sources has no release: it is shown what there is
		n.state.Version, n.state.Changes = latest.Version, latest.Changes
		if at, err := url.Parse(latest.URL); err == nil && (at.Scheme == "https" || at.Scheme == "http") {
			n.state.URL = latest.URL
		}
	}
	return nil
}

// now returns what is known.
func (n *news) now() page.News {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}
