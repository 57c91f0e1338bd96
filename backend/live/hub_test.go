package live

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/adjudge/adjudge/backend/ledger"
)

// page is a socket as a browser holds it.
type page struct {
	t    *testing.T
	conn *websocket.Conn
}

func serve(t *testing.T) (*Hub, func(person, project string) *page) {
	t.Helper()
	hub := New(nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		hub.Serve(w, r, Viewer{Person: ledger.PersonID(q.Get("person")), Name: q.Get("person"), Project: ledger.ProjectID(q.Get("project")), Place: "label"})
	}))
	t.Cleanup(func() { hub.Close(); server.Close() })
	return hub, func(person, project string) *page {
		t.Helper()
		conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/?person="+person+"&project="+project, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return &page{t, conn}
	}
}

// next reads messages until one satisfies the wish.
func (p *page) next(wish func(Message) bool) Message {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		_, body, err := p.conn.ReadMessage()
		if err != nil {
			p.t.Fatal(err)
		}
		var m Message
		if err := json.Unmarshal(body, &m); err != nil {
			p.t.Fatalf("%s: %v", body, err)
		}
		if wish(m) {
			return m
		}
	}
}

// viewers waits until so many pages are open.
func viewers(t *testing.T, hub *Hub, n int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); hub.Viewers() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d pages are open, not %d", hub.Viewers(), n)
		}
	}
}

func present(names ...string) func(Message) bool {
	return func(m Message) bool {
		var got []string
		for _, p := range m.Present {
			got = append(got, p.Name)
		}
		return m.Type == "presence" && slices.Equal(got, names)
	}
}

func TestEverybodyInAProjectSeesWhoComesAndGoes(t *testing.T) {
	t.Parallel()
	hub, open := serve(t)
	ana := open("ana", "p1")
	ana.next(present("ana"))
	bo := open("bo", "p1")
	open("cy", "p2")
	ana.next(present("ana", "bo"))
	second := open("bo", "p1") // another tab of the same person
	viewers(t, hub, 4)         // it has come before anybody goes
	_ = bo.conn.Close()
	_ = second.conn.Close()
	ana.next(present("ana"))
	if got := hub.Present("p1"); len(got) != 1 || got[0].Places[0] != "label" {
		t.Errorf("present: %+v", got)
	}
}

func TestAnEventReachesThePagesOfItsProjectOnly(t *testing.T) {
	t.Parallel()
	hub, open := serve(t)
	here, there := open("ana", "p1"), open("bo", "p2")
	here.next(present("ana"))
	there.next(present("bo"))
	for i := range 100 {
		hub.Publish([]ledger.Event{{Project: "p1", Kind: "annotation.submitted", Subject: ledger.Subject{Kind: "item", ID: fmt.Sprint(i)}}})
	}
	hub.Publish([]ledger.Event{{Project: "p2", Kind: "model.created", Subject: ledger.Subject{Kind: "model", ID: "m"}}})
	sum := 0
	for sum < 100 {
		m := here.next(func(m Message) bool { return m.Type == "events" })
		if len(m.Events) != 1 || m.Events[0].Kind != "annotation.submitted" {
			t.Fatalf("%+v", m)
		}
		sum += m.Events[0].Count
	}
	if m := there.next(func(m Message) bool { return m.Type == "events" }); m.Events[0] != (Event{"model.created", "model/m", 1}) {
		t.Errorf("%+v", m)
	}
}

func TestAPageThatDoesNotReadIsSentAwayAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	hub, open := serve(t)
	quick := open("quick", "p1")
	quick.next(present("quick"))
	slow := &client{viewer: Viewer{Person: "slow", Name: "slow", Project: "p1"}, send: make(chan *websocket.PreparedMessage, outbox)}
	hub.join(slow) // nobody reads its channel, as when its connection is stuck
	defer hub.done.Done()
	quick.next(present("quick", "slow"))
	for i := range outbox - 1 { // the news of its own coming already waits
		kind := fmt.Sprint("event", i)
		hub.Publish([]ledger.Event{{Project: "p1", Kind: kind}})
		quick.next(func(m Message) bool { return m.Type == "events" && m.Events[0].Kind == kind })
	}
	if hub.Viewers() != 2 {
		t.Error("the slow page was sent away too early")
	}
	hub.Publish([]ledger.Event{{Project: "p1", Kind: "one too many"}})
	quick.next(present("quick"))
	if !slow.dropped || hub.Viewers() != 1 {
		t.Errorf("dropped %v, %d viewers", slow.dropped, hub.Viewers())
	}
}

func TestAPageThatWasSentAwayIsToldToComeBack(t *testing.T) {
	t.Parallel()
	hub, open := serve(t)
	p := open("ana", "p1")
	p.next(present("ana"))
	hub.mu.Lock()
	for c := range hub.rooms["p1"].clients {
		c.dropped = true
		hub.remove(c)
	}
	hub.mu.Unlock()
	if _, _, err := p.conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseTryAgainLater) {
		t.Errorf("told %v", err)
	}
}

func TestAStrangersPageMayNotConnect(t *testing.T) {
	t.Parallel()
	hub := New(nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { hub.Serve(w, r, Viewer{}) }))
	defer server.Close()
	_, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), http.Header{"Origin": {"https://elsewhere.example"}})
	if err == nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("another origin got %v, %v", response, err)
	}
}

func TestCloseSendsEverybodyAway(t *testing.T) {
	t.Parallel()
	hub, open := serve(t)
	p := open("ana", "p1")
	p.next(present("ana"))
	hub.Close()
	if hub.Viewers() != 0 {
		t.Errorf("%d viewers left", hub.Viewers())
	}
	if _, _, err := p.conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("told %v", err)
	}
}

// BenchmarkEventToPage2000Viewers measures how long an event takes to the last
// of 2,000 open pages of one project.
func BenchmarkEventToPage2000Viewers(b *testing.B) { benchmarkEvent(b, 2000) }

func benchmarkEvent(b *testing.B, viewers int) {
	hub := New(nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hub.Serve(w, r, Viewer{Person: ledger.PersonID(r.URL.RawQuery), Project: "p"})
	}))
	defer server.Close()
	defer hub.Close()
	heard := make(chan time.Time, viewers)
	for i := range viewers {
		conn, _, err := websocket.DefaultDialer.Dial(fmt.Sprintf("ws%s/?%d", strings.TrimPrefix(server.URL, "http"), i%200), nil)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		go func() {
			for {
				_, body, err := conn.ReadMessage()
				if err != nil {
					return
				}
				if strings.Contains(string(body), `"events"`) {
					heard <- time.Now()
				}
			}
		}()
	}
	time.Sleep(time.Second) // let the presence messages of the arrivals pass
	var all []time.Duration
	for b.Loop() {
		start := time.Now()
		hub.Publish([]ledger.Event{{Project: "p", Kind: "annotation.submitted"}})
		for range viewers {
			all = append(all, (<-heard).Sub(start))
		}
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(all[len(all)-1].Microseconds())/1000, "max-ms")
}
