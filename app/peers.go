package app

import (
	"context"
	"encoding/json"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/live"
)

// whatIsTold travels between servers that share a database and is kept nowhere.
type whatIsTold struct {
	Project ledger.ProjectID `json:"project"`
	// Who has a page of the project open on the server that tells.
	Present []live.Presence `json:"present,omitempty"`
	// Something that changed and is no event of the history.
	Kind    string `json:"kind,omitempty"`
	Subject string `json:"subject,omitempty"`
}

// mostPresent is how many people of one server the others are told of; with more
// the list would not fit into a note of PostgreSQL.
const mostPresent = 40

// joinPeers lets the pages of this server see what happens on the others.
func (h *house) joinPeers() {
	if !h.store.Shared() {
		return
	}
	tell := func(t whatIsTold) {
		body, err := json.Marshal(t)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := h.store.Tell(ctx, string(body)); err != nil {
			h.Log.Warn("the other servers are not told who is here", "error", err)
		}
	}
	h.hub.OnPresence(func(project ledger.ProjectID, present []live.Presence) {
		tell(whatIsTold{Project: project, Present: present[:min(len(present), mostPresent)]})
	})
	h.hub.OnNotify(func(project ledger.ProjectID, kind, subject string) {
		tell(whatIsTold{Project: project, Kind: kind, Subject: subject})
	})
	h.store.OnTold(func(from, text string) {
		var t whatIsTold
		switch {
		case json.Unmarshal([]byte(text), &t) != nil: // a newer server's words
		case t.Kind != "":
			h.hub.Heard(t.Project, t.Kind, t.Subject)
		default:
			h.hub.Elsewhere(from, t.Project, t.Present)
		}
	})
}
