package live

import (
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
)

// Several servers may show the pages of one project. Each tells the others who
// has a page open there, when that changes and now and then; what was told by a
// server that fell silent is forgotten.
const (
	tellEvery = 20 * time.Second
	tellLasts = 3 * tellEvery
	tellQueue = 256 // words that may wait to be told; the next round says them again
)

// words is what this server has for the others.
type words struct {
	present  func(ledger.ProjectID, []Presence)
	notified func(project ledger.ProjectID, kind, subject string)
	queue    chan func()
	stop     chan struct{}
}

// heard is who another server said is there.
type heard struct {
	present []Presence
	at      time.Time
}

// OnPresence calls f with who has a page of a project open on this server, when
// that changed and every 20 seconds. It may block: it runs beside the hub.
func (h *Hub) OnPresence(f func(ledger.ProjectID, []Presence)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.words.present = f
	h.speak()
}

// OnNotify calls f with every Notify of this server. It may block.
func (h *Hub) OnNotify(f func(project ledger.ProjectID, kind, subject string)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.words.notified = f
	h.speak()
}

// speak starts the goroutine that tells the others, once.
func (h *Hub) speak() {
	if h.words.queue != nil || h.closed {
		return
	}
	h.words.queue, h.words.stop = make(chan func(), tellQueue), make(chan struct{})
	h.done.Go(func() {
		again := time.NewTicker(tellEvery)
		defer again.Stop()
		for {
			select {
			case <-h.words.stop:
				return
			case say := <-h.words.queue:
				say()
			case <-again.C:
				h.mu.Lock()
				for project, r := range h.rooms {
					h.tellPresence(project, r.present())
				}
				h.mu.Unlock()
			}
		}
	})
}

// say queues what is to be told; the hub's lock is held.
func (h *Hub) say(f func()) {
	select {
	case h.words.queue <- f:
	default: // nobody to tell, or too much to tell now
	}
}

func (h *Hub) tellPresence(project ledger.ProjectID, present []Presence) {
	if f := h.words.present; f != nil {
		h.say(func() { f(project, present) })
	}
}

// Elsewhere notes who has a page of a project open on another server.
func (h *Hub) Elsewhere(server string, project ledger.ProjectID, present []Presence) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.elsewhere[project] == nil {
		h.elsewhere[project] = map[string]heard{}
	}
	before := h.elsewhere[project][server].present
	if len(present) == 0 {
		delete(h.elsewhere[project], server)
	} else {
		h.elsewhere[project][server] = heard{present, time.Now()}
	}
	if r := h.rooms[project]; r != nil && !samePeople(before, present) {
		r.presence = true
		h.flushSoon(project, r)
	}
}

func samePeople(before, now []Presence) bool {
	return slices.EqualFunc(before, now, func(a, b Presence) bool {
		return a.Person == b.Person && a.Name == b.Name && slices.Equal(a.Places, b.Places)
	})
}

// Heard passes a Notify of another server on to the pages of this one.
func (h *Hub) Heard(project ledger.ProjectID, kind, subject string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notify(project, kind, subject)
}

// together lists who is in a project on all servers, each person once.
func (h *Hub) together(project ledger.ProjectID, here []Presence) []Presence {
	all := here
	for server, there := range h.elsewhere[project] {
		if time.Since(there.at) > tellLasts {
			delete(h.elsewhere[project], server)
			continue
		}
		for _, p := range there.present {
			if i := slices.IndexFunc(all, func(x Presence) bool { return x.Person == p.Person }); i >= 0 {
				places := slices.Concat(all[i].Places, p.Places)
				slices.Sort(places)
				all[i].Places = slices.Compact(places)
			} else {
				all = append(all, p)
			}
		}
	}
	slices.SortFunc(all, byName)
	return all
}
