package live

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/adjudge/adjudge/backend/ledger"
)

// A socket of somebody who may no longer look ends when the event arrives, long
// before the next regular look.
func TestAnEventAboutAPersonEndsTheirSocketsAtOnce(t *testing.T) {
	t.Parallel()
	about := func(kind, noun, id string, actor ledger.PersonID) ledger.Event {
		return ledger.Event{Kind: kind, Actor: actor, Subject: ledger.Subject{Kind: noun, ID: id}}
	}
	for name, tc := range map[string]struct {
		event ledger.Event
		ends  bool
	}{
		"a lock":                      {about("login.locked", "login", "l1", "bo"), true},
		"a login that was ended":      {about("login.ended", "login", "l1", "bo"), true},
		"a deactivation":              {about("person.changed", "person", "bo", "anna"), true},
		"a new password by a link":    {about("person.welcomed", "person", "bo", "bo"), true},
		"a role that was taken":       {about("role.revoked", "person", "bo", "anna"), true},
		"a group that lost a role":    {about("group.revoked", "group", "g1", "anna"), true},
		"somebody else's lock":        {about("login.locked", "login", "l2", "cy"), false},
		"an answer":                   {about("annotation.submitted", "item", "i1", "bo"), false},
		"a person's first appearance": {about("person.created", "person", "bo", "anna"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := New(nil)
			var gone atomic.Bool
			asked := make(chan struct{}, 10)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				hub.Serve(w, r, Viewer{Person: "bo", Name: "Bo", Project: "p1", Still: func() bool { asked <- struct{}{}; return !gone.Load() }})
			}))
			t.Cleanup(func() { hub.Close(); server.Close() })
			conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, _, err := conn.ReadMessage(); err != nil { // who is here: the socket is in its room
				t.Fatal(err)
			}
			gone.Store(true)
			hub.Publish([]ledger.Event{tc.event})
			if !tc.ends {
				hub.Notify("p1", "log", "attempt/a1")
				if _, body, err := conn.ReadMessage(); err != nil || len(asked) > 0 {
					t.Errorf("asked %d times, %s, %v", len(asked), body, err)
				}
				return
			}
			_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
			for err == nil {
				_, _, err = conn.ReadMessage()
			}
			if closed, ok := errors.AsType[*websocket.CloseError](err); !ok || closed.Code != websocket.ClosePolicyViolation {
				t.Errorf("ended by %v", err)
			}
		})
	}
}

func TestWhoeverDoesNotWantToBeSeenIsNotShown(t *testing.T) {
	t.Parallel()
	r := &room{clients: map[*client]struct{}{{viewer: Viewer{Person: "bo", Name: "Bo", Unseen: true}}: {}, {viewer: Viewer{Person: "cy", Name: "Cy"}}: {}}}
	if seen := r.present(); len(seen) != 1 || seen[0].Person != "cy" {
		t.Errorf("seen: %+v", seen)
	}
}
