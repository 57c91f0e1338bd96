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
	acks     []ack
	retried  int      // sendings after the first one
	signIns  int      // of those: the server said that one is not signed in
	refused  []string // what an outbox would park
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

// ack is the acknowledgement of an answer.
type ack struct {
	answered time.Time // by the person
	sent, at time.Time // the request that was acknowledged, and when
}

// part is a while of the morning, by what happened in it.
type part struct {
	name        string
	from, until time.Time
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
	failures int       // of the outbox: rounds that failed, in a row
	resume   time.Time // when the outbox sends again
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
		h.rest()
		sent := time.Now()
		status, err := h.try(ctx, http.MethodPut, "/projects/"+day.project+"/annotations/"+id, body, nil)
		<-h.flights
		now := time.Now()
		good := err == nil && status == http.StatusOK
		h.heard(good)
		day.mu.Lock()
		if try > 0 {
			day.retried++
		}
		switch {
		case good:
			day.answers[id] = given{item, class, h.me.ID, now}
			day.acks = append(day.acks, ack{answered: begun, sent: sent, at: now})
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
	}
}

// rest waits while the outbox does after a failure.
func (h *hand) rest() {
	h.mu.Lock()
	resume := h.resume
	h.mu.Unlock()
	time.Sleep(time.Until(resume))
}

// heard notes an answer to the outbox. It waits longer after each round that
// failed, however many were sent in it.
func (h *hand) heard(good bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch now := time.Now(); {
	case good:
		h.failures = 0
	case now.After(h.resume):
		pause := min(15*time.Second, 500*time.Millisecond<<min(h.failures, 5))
		h.failures++
		h.resume = now.Add(time.Duration(float64(pause) * (0.75 + rand.Float64()/2)))
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
	acks := slices.SortedFunc(slices.Values(day.acks), func(a, b ack) int { return a.at.Compare(b.at) })
	for i := 1; i < len(acks); i++ {
		if acks[i].at.After(from) && acks[i-1].at.Before(until) {
			longest = max(longest, acks[i].at.Sub(acks[i-1].at))
		}
	}
	return longest
}

// report prints what the morning came to, and how each part of it felt: how long
// the request took that was acknowledged, and how long an answer waited for that.
func (day *morning) report(length time.Duration, outages []part, parts []part) {
	silent := make([]time.Duration, len(outages))
	for i, o := range outages {
		silent[i] = day.silence(o.from, o.until)
	}
	day.mu.Lock()
	defer day.mu.Unlock()
	share := func(all []time.Duration, part float64) time.Duration {
		return all[min(len(all)-1, int(float64(len(all))*part))].Round(100 * time.Microsecond)
	}
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(values ...any) {
		for _, value := range values {
			_, _ = fmt.Fprintf(w, "  %v\t", value)
		}
		_, _ = fmt.Fprintln(w)
	}
	row("labeling", length)
	row("answers acknowledged", fmt.Sprintf("%d (%.0f a second)", len(day.answers), float64(len(day.answers))/length.Seconds()))
	row("sent again", day.retried)
	row("refused", len(day.refused))
	for i, o := range outages {
		row("nothing acknowledged around "+o.name, silent[i].Round(time.Millisecond))
	}
	_ = w.Flush()
	text.WriteString("\n")
	row("answered", "answers", "request, median", "99 of 100", "longest", "acknowledged, median", "99 of 100", "longest")
	for _, p := range parts {
		var took, waits []time.Duration
		for _, a := range day.acks {
			if !a.answered.Before(p.from) && a.answered.Before(p.until) {
				took, waits = append(took, a.at.Sub(a.sent)), append(waits, a.at.Sub(a.answered))
			}
		}
		if len(took) == 0 {
			row(p.name, 0)
			continue
		}
		slices.Sort(took)
		slices.Sort(waits)
		row(p.name, len(took), share(took, 0.5), share(took, 0.99), share(took, 1), share(waits, 0.5), share(waits, 0.99), share(waits, 1))
	}
	_ = w.Flush()
	_, _ = fmt.Fprintf(os.Stdout, "\n%s\n", text.String())
	day.t.Logf("the morning:\n%s", text.String())
}
