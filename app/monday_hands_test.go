//go:build e2e && monday

package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/adjudge/adjudge/backend/web"
	"github.com/adjudge/adjudge/labeling"
)

// morning is what everybody's browsers saw while they labeled.
type morning struct {
	t       *testing.T
	project string
	classes []labeling.ClassID
	until   time.Time // nobody begins another answer after it

	mu       sync.Mutex
	answers  map[string]given // acknowledged, by their ids
	acks     []time.Time
	took     []time.Duration // of the requests that were acknowledged
	waits    []time.Duration // from an answer to its acknowledgement
	retried  int             // sendings after the first one
	signIns  int             // of those: the server said that one is not signed in
	refused  []string        // what an outbox would park
	offers   map[labeling.ItemID]offered
	doubly   []string // what two people were offered at once
	waiting  int      // answers that are not acknowledged yet
	restless []string // what no browser should see
}

// given is an answer as its sender knows it.
type given struct {
	item   labeling.ItemID
	class  labeling.ClassID
	person string
	at     time.Time // when it was acknowledged
}

// offered is who holds an item, as far as their browser knows.
type offered struct {
	hand *hand
	at   time.Time
}

// hand is one person at the labeling page: it works ahead on leased tasks, and
// its outbox sends every answer under the id that it has from the beginning
// until it is acknowledged, six side by side, as the page's does.
type hand struct {
	*seat
	day  *morning
	page string

	mu       sync.Mutex
	beat     time.Time // when the server last took a sign of life
	failures int       // of the outbox, in a row
	flights  chan struct{}
	landing  sync.WaitGroup
}

func (day *morning) hand(b *seat) *hand {
	return &hand{seat: b, day: day, page: newID(), flights: make(chan struct{}, 6)}
}

// label works until the morning is over, and returns when the outbox is empty.
func (h *hand) label(ctx context.Context) {
	day := h.day
	beats, stop := context.WithCancel(ctx)
	defer stop()
	go h.live(beats)
	var ahead []web.TaskBody
	for time.Now().Before(day.until) && ctx.Err() == nil {
		if len(ahead) == 0 {
			if ahead = h.lease(ctx); len(ahead) == 0 {
				time.Sleep(200 * time.Millisecond) // as a page that has nothing to show looks again
				continue
			}
		}
		next := ahead[0]
		ahead = ahead[1:]
		time.Sleep(time.Duration(60+rand.IntN(120)) * time.Millisecond) // a person looks at it
		id, class := newID(), day.classes[rand.IntN(len(day.classes))]
		day.mu.Lock()
		day.waiting++
		day.mu.Unlock()
		h.landing.Go(func() { h.deliver(ctx, id, next.Item, class) })
	}
	h.landing.Wait()
}

// lease asks for tasks, and notes who was offered them.
func (h *hand) lease(ctx context.Context) []web.TaskBody {
	var batch web.LeaseBody
	asked := time.Now()
	status, err := h.try(ctx, http.MethodPost, "/projects/"+h.day.project+"/tasks/lease", map[string]any{"page": h.page, "dataset": "monday", "count": 20}, &batch)
	if err != nil || status != http.StatusOK {
		h.trouble("a lease", status, err)
		return nil
	}
	h.alive(asked)
	day := h.day
	day.mu.Lock()
	defer day.mu.Unlock()
	for _, task := range batch.Tasks {
		before, known := day.offers[task.Item]
		// Who has not been heard of for longer than a lease lasts holds nothing.
		if known && before.hand != h && before.hand.lastBeat().Add(labeling.LeaseTime).After(time.Now()) {
			day.doubly = append(day.doubly, fmt.Sprintf("%s: %s %v after %s", task.Item, h.me.Username, time.Since(before.at).Round(time.Millisecond), before.hand.me.Username))
		}
		day.offers[task.Item] = offered{h, time.Now()}
	}
	return batch.Tasks
}

// live keeps the leases of the page.
func (h *hand) live(ctx context.Context) {
	tick := time.NewTicker(7 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			asked := time.Now()
			status, err := h.try(ctx, http.MethodPost, "/projects/"+h.day.project+"/tasks/heartbeat", map[string]any{"page": h.page, "dataset": "monday"}, nil)
			if err == nil && status == http.StatusOK {
				h.alive(asked)
			} else if ctx.Err() == nil {
				h.trouble("a heartbeat", status, err)
			}
		}
	}
}

func (h *hand) alive(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.beat = at
}

func (h *hand) lastBeat() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.beat
}

// trouble notes what an outage does not explain.
func (h *hand) trouble(what string, status int, err error) {
	if err != nil || status >= http.StatusInternalServerError {
		return
	}
	h.day.mu.Lock()
	defer h.day.mu.Unlock()
	h.day.restless = append(h.day.restless, fmt.Sprintf("%s of %s is answered with %d", what, h.me.Username, status))
}

// deliver sends an answer until the server has it or refuses it.
func (h *hand) deliver(ctx context.Context, id string, item labeling.ItemID, class labeling.ClassID) {
	day, begun := h.day, time.Now()
	defer func() {
		day.mu.Lock()
		day.waiting--
		day.mu.Unlock()
	}()
	body := map[string]any{"person": h.me.ID, "page": h.page, "item": item, "class": class, "seen_ms": 100}
	for try := 0; ctx.Err() == nil; try++ {
		h.flights <- struct{}{}
		sent := time.Now()
		status, err := h.try(ctx, http.MethodPut, "/projects/"+day.project+"/annotations/"+id, body, nil)
		<-h.flights
		now := time.Now()
		h.mu.Lock()
		good := err == nil && status == http.StatusOK
		if h.failures++; good {
			h.failures = 0
		}
		failures := h.failures
		h.mu.Unlock()
		day.mu.Lock()
		if try > 0 {
			day.retried++
		}
		switch {
		case good:
			day.answers[id] = given{item, class, h.me.ID, now}
			day.acks, day.took, day.waits = append(day.acks, now), append(day.took, now.Sub(sent)), append(day.waits, now.Sub(begun))
			day.mu.Unlock()
			return
		case err == nil && status == http.StatusUnauthorized:
			day.signIns++
		case err == nil && status < 500 && status != http.StatusTooManyRequests:
			day.refused = append(day.refused, fmt.Sprintf("%s: %d", id, status))
			day.mu.Unlock()
			return
		}
		day.mu.Unlock()
		pause := min(15*time.Second, 500*time.Millisecond<<min(failures-1, 5))
		time.Sleep(time.Duration(float64(pause) * (0.75 + rand.Float64()/2)))
	}
}

// acknowledged returns how many answers are acknowledged by now.
func (day *morning) acknowledged() int {
	day.mu.Lock()
	defer day.mu.Unlock()
	return len(day.answers)
}

// silence returns the longest time without an acknowledgement, of anybody, that
// began or ended between two moments.
func (day *morning) silence(from, until time.Time) (longest time.Duration) {
	day.mu.Lock()
	defer day.mu.Unlock()
	acks := slices.SortedFunc(slices.Values(day.acks), time.Time.Compare)
	for i := 1; i < len(acks); i++ {
		if acks[i].After(from) && acks[i-1].Before(until) {
			longest = max(longest, acks[i].Sub(acks[i-1]))
		}
	}
	return longest
}

// report prints what the morning came to.
func (day *morning) report(length time.Duration, outages map[string]time.Duration) {
	day.mu.Lock()
	defer day.mu.Unlock()
	share := func(all []time.Duration, part float64) time.Duration {
		if len(all) == 0 {
			return 0
		}
		all = slices.Sorted(slices.Values(all))
		return all[min(len(all)-1, int(float64(len(all))*part))].Round(100 * time.Microsecond)
	}
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(what string, value any) { _, _ = fmt.Fprintf(w, "  %s\t%v\n", what, value) }
	row("labeling", length)
	row("answers acknowledged", fmt.Sprintf("%d (%.0f a second)", len(day.answers), float64(len(day.answers))/length.Seconds()))
	row("sent again", day.retried)
	row("refused", len(day.refused))
	row("acknowledged in, median", share(day.took, 0.5))
	row("acknowledged in, 99 of 100", share(day.took, 0.99))
	row("from answer to acknowledgement, longest", share(day.waits, 1))
	for _, what := range slices.Sorted(func(yield func(string) bool) {
		for what := range outages {
			if !yield(what) {
				return
			}
		}
	}) {
		row("nothing acknowledged around "+what, outages[what].Round(time.Millisecond))
	}
	_ = w.Flush()
	_, _ = fmt.Fprintf(os.Stdout, "\n%s\n", text.String())
	day.t.Logf("the morning:\n%s", text.String())
}
