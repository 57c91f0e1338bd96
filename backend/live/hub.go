// Package live tells open pages what happened, over one WebSocket per page:
// who else is in the project, and which kinds of things changed, so that the
// page fetches the marked parts again. Nothing of substance travels here: a
// page that missed a message, or all of them, is merely stale until it looks.
//
// Messages to a project are gathered for a few milliseconds and encoded once
// for all its viewers. A viewer that does not keep up is cut off with status
// 1013 (try again later); its page connects again and fetches everything.
package live

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/adjudge/adjudge/backend/ledger"
)

// The pace of the hub.
const (
	gather     = 40 * time.Millisecond // events of a project that share a message
	outbox     = 32                    // messages that may wait for one viewer
	writeWait  = 5 * time.Second       // for one message to leave
	pongWait   = 30 * time.Second      // silence after which a viewer is gone
	pingEvery  = pongWait * 9 / 10
	readLimit  = 4 << 10 // pages have little to say
	checkEvery = 20 * time.Second
)

// Viewer is an open page.
type Viewer struct {
	Person  ledger.PersonID
	Name    string
	Project ledger.ProjectID
	Place   string // which page it is: "label", "items" …
	// Still reports whether the person may still look; asked every checkEvery and
	// at once where an event speaks of their logins or roles, so that a login that
	// ended or was locked ends the socket too. Nil means yes.
	Still func() bool
	// Unseen says that others are not told of this page.
	Unseen bool
}

// Message is what a page receives. Type is "presence" or "events".
type Message struct {
	Type    string     `json:"type"`
	Present []Presence `json:"present,omitempty"` // presence: everybody here, by name
	Events  []Event    `json:"events,omitempty"`  // events: what changed, newest last
}

// Presence is one person and where they are.
type Presence struct {
	Person ledger.PersonID `json:"person"`
	Name   string          `json:"name"`
	Places []string        `json:"places"`
}

// Event says that something of a kind changed. Of many events of one kind in
// one message only the last is named; Count says how many there were.
type Event struct {
	Kind    string `json:"kind"`
	Subject string `json:"subject"` // "<kind>/<id>"
	Count   int    `json:"count"`
}

// Hub knows all open pages of this server. The zero value does not work; see New.
type Hub struct {
	log      *slog.Logger
	upgrader websocket.Upgrader

	mu     sync.Mutex
	rooms  map[ledger.ProjectID]*room
	closed bool
	done   sync.WaitGroup

	words     words                                 // for other servers
	elsewhere map[ledger.ProjectID]map[string]heard // by server
}

// room is the open pages of one project and what will be told to them next.
type room struct {
	clients  map[*client]struct{}
	events   []Event
	told     []Presence // what the other servers were told last
	presence bool       // somebody came or went
	due      bool       // a flush is on its way
}

// client is one socket. Its channel is written by the hub under the hub's lock
// and read by the one goroutine that writes to the connection.
type client struct {
	viewer  Viewer
	conn    *websocket.Conn
	send    chan *websocket.PreparedMessage
	again   chan struct{} // asks write to ask Still; holds one
	dropped bool
}

// New returns a hub without viewers.
func New(log *slog.Logger) *Hub {
	if log == nil {
		log = slog.Default()
	}
	return &Hub{
		log:   log,
		rooms: map[ledger.ProjectID]*room{}, elsewhere: map[ledger.ProjectID]map[string]heard{},
		// A nil CheckOrigin refuses every Origin but our own host.
		upgrader: websocket.Upgrader{HandshakeTimeout: 5 * time.Second, ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &sync.Pool{}},
	}
}

// Serve turns a request into a socket and holds it until the page leaves, falls
// behind or the hub closes. The caller has checked who is asking.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, viewer Viewer) {
	conn, err := h.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	c := &client{viewer: viewer, conn: conn, send: make(chan *websocket.PreparedMessage, outbox), again: make(chan struct{}, 1)}
	if !h.join(c) {
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseServiceRestart, ""), time.Now().Add(writeWait))
		_ = conn.Close()
		return
	}
	defer h.done.Done()
	var writer sync.WaitGroup
	writer.Go(func() { h.write(c) })
	h.read(c)
	h.leave(c)
	writer.Wait()
}

// read waits for the connection to end; what pages say is ignored but for pongs.
func (h *Hub) read(c *client) {
	c.conn.SetReadLimit(readLimit)
	extend := func(string) error { return c.conn.SetReadDeadline(time.Now().Add(pongWait)) }
	_ = extend("")
	c.conn.SetPongHandler(extend)
	for {
		if _, _, err := c.conn.ReadMessage(); err != nil {
			return
		}
	}
}

// write owns the connection's write side until the channel is closed.
func (h *Hub) write(c *client) {
	defer func() { _ = c.conn.Close() }() // ends read
	ping, check := time.NewTicker(pingEvery), time.NewTicker(checkEvery)
	defer ping.Stop()
	defer check.Stop()
	for {
		select {
		case message, open := <-c.send:
			_ = c.conn.SetWriteDeadline(time.Now().Add(writeWait))
			if !open {
				code, reason := websocket.CloseGoingAway, "the server is stopping"
				if c.dropped {
					code, reason = websocket.CloseTryAgainLater, "the page did not keep up"
				}
				_ = c.conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason))
				return
			}
			if c.conn.WritePreparedMessage(message) != nil {
				return
			}
		case <-ping.C:
			if c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWait)) != nil {
				return
			}
		case <-check.C:
			if !c.still() {
				return
			}
		case <-c.again:
			if !c.still() {
				return
			}
		}
	}
}

// still asks whether the person may still look, and sends the page away if not.
func (c *client) still() bool {
	if c.viewer.Still == nil || c.viewer.Still() {
		return true
	}
	_ = c.conn.WriteControl(websocket.CloseMessage,
		websocket.FormatCloseMessage(websocket.ClosePolicyViolation, "signed out"), time.Now().Add(writeWait))
	return false
}

// doubted returns whose pages an event gives reason to ask about again: one
// person's, or everybody's for "" with true.
func doubted(e ledger.Event) (ledger.PersonID, bool) {
	noun, what, _ := strings.Cut(e.Kind, ".")
	switch noun {
	case "login":
		return e.Actor, what != "created" && what != "refused"
	case "person", "password", "role":
		return ledger.PersonID(e.Subject.ID), e.Subject.Kind == "person" && what != "created"
	case "group":
		return "", what != "created" && what != "renamed"
	}
	return "", false
}

// recheck asks about the pages of a person, of everybody for "".
func (h *Hub) recheck(person ledger.PersonID) {
	for _, r := range h.rooms {
		for c := range r.clients {
			if person == "" || c.viewer.Person == person {
				select {
				case c.again <- struct{}{}:
				default: // asked already, not yet answered
				}
			}
		}
	}
}

func (h *Hub) join(c *client) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.done.Add(1)
	r := h.rooms[c.viewer.Project]
	if r == nil {
		r = &room{clients: map[*client]struct{}{}}
		h.rooms[c.viewer.Project] = r
	}
	r.clients[c] = struct{}{}
	r.presence = true
	h.flushSoon(c.viewer.Project, r)
	return true
}

// leave forgets a client and closes its channel; it may be called twice.
func (h *Hub) leave(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(c)
}

func (h *Hub) remove(c *client) {
	r := h.rooms[c.viewer.Project]
	if r == nil {
		return
	}
	if _, here := r.clients[c]; !here {
		return
	}
	delete(r.clients, c)
	close(c.send)
	if len(r.clients) == 0 {
		delete(h.rooms, c.viewer.Project)
		h.tellPresence(c.viewer.Project, nil)
		return
	}
	r.presence = true
	h.flushSoon(c.viewer.Project, r)
}

// Publish tells the pages of each event's project that it happened. It never
// blocks and is meant to be called after every commit.
func (h *Hub) Publish(events []ledger.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range events {
		if person, reason := doubted(e); reason {
			h.recheck(person)
		}
		r := h.rooms[e.Project]
		if r == nil {
			continue
		}
		subject := e.Subject.Kind + "/" + e.Subject.ID
		if i := slices.IndexFunc(r.events, func(x Event) bool { return x.Kind == e.Kind }); i >= 0 {
			r.events[i].Subject = subject
			r.events[i].Count++
		} else {
			r.events = append(r.events, Event{Kind: e.Kind, Subject: subject, Count: 1})
		}
		h.flushSoon(e.Project, r)
	}
}

// Notify tells the pages of a project that something changed which is no event
// of the history, as the length of a log.
func (h *Hub) Notify(project ledger.ProjectID, kind, subject string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notify(project, kind, subject)
	if f := h.words.notified; f != nil {
		h.say(func() { f(project, kind, subject) })
	}
}

func (h *Hub) notify(project ledger.ProjectID, kind, subject string) {
	r := h.rooms[project]
	if r == nil {
		return
	}
	// Unlike events of the history these are told apart by subject: a page shows
	// the log of one attempt.
	if i := slices.IndexFunc(r.events, func(x Event) bool { return x.Kind == kind && x.Subject == subject }); i >= 0 {
		r.events[i].Count++
	} else {
		r.events = append(r.events, Event{Kind: kind, Subject: subject, Count: 1})
	}
	h.flushSoon(project, r)
}

// flushSoon arranges one message for what gathers until then.
func (h *Hub) flushSoon(project ledger.ProjectID, r *room) {
	if r.due || h.closed {
		return
	}
	r.due = true
	time.AfterFunc(gather, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		r.due = false
		if h.rooms[project] == r {
			h.flush(project, r)
		}
	})
}

func (h *Hub) flush(project ledger.ProjectID, r *room) {
	if r.presence {
		r.presence = false
		here := r.present()
		if !samePeople(here, r.told) {
			r.told = here
			h.tellPresence(project, here)
		}
		h.broadcast(r, Message{Type: "presence", Present: h.together(project, slices.Clone(here))})
	}
	if len(r.events) > 0 {
		events := r.events
		r.events = nil
		h.broadcast(r, Message{Type: "events", Events: events})
	}
}

func (h *Hub) broadcast(r *room, m Message) {
	body, err := json.Marshal(m)
	if err != nil {
		h.log.Error("encode a live message", "error", err)
		return
	}
	prepared, err := websocket.NewPreparedMessage(websocket.TextMessage, body)
	if err != nil {
		h.log.Error("prepare a live message", "error", err)
		return
	}
	for c := range r.clients {
		select {
		case c.send <- prepared:
		default:
			c.dropped = true
			h.remove(c)
		}
	}
}

// present lists who is in the room, each person once, by name.
func (r *room) present() []Presence {
	people := map[ledger.PersonID]*Presence{}
	for c := range r.clients {
		if c.viewer.Unseen {
			continue
		}
		p := people[c.viewer.Person]
		if p == nil {
			p = &Presence{Person: c.viewer.Person, Name: c.viewer.Name}
			people[c.viewer.Person] = p
		}
		if c.viewer.Place != "" && !slices.Contains(p.Places, c.viewer.Place) {
			p.Places = append(p.Places, c.viewer.Place)
		}
	}
	list := make([]Presence, 0, len(people))
	for _, p := range people {
		slices.Sort(p.Places)
		list = append(list, *p)
	}
	slices.SortFunc(list, byName)
	return list
}

func byName(a, b Presence) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.Person), string(b.Person)))
}

// Present lists who has a page of the project open, on any server.
func (h *Hub) Present(project ledger.ProjectID) []Presence {
	h.mu.Lock()
	defer h.mu.Unlock()
	var here []Presence
	if r := h.rooms[project]; r != nil {
		here = r.present()
	}
	return h.together(project, here)
}

// Viewers returns how many pages are open.
func (h *Hub) Viewers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, r := range h.rooms {
		n += len(r.clients)
	}
	return n
}

// Close sends every page away and waits until all are gone. http.Server's
// Shutdown knows nothing of sockets, so call it from RegisterOnShutdown.
func (h *Hub) Close() {
	h.mu.Lock()
	if !h.closed && h.words.stop != nil {
		close(h.words.stop)
	}
	h.closed = true
	for _, r := range h.rooms {
		for c := range r.clients {
			h.remove(c)
		}
	}
	h.mu.Unlock()
	h.done.Wait()
}
