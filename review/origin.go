package review

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Who gave whom a say is read from the history, not from a column: what an event
// says is held against what it commits to, and whether all events are there
// against what this process met when it walked the chain.

// EventConfirmed is the kind of the event by which an admin or lead confirms
// that a person may vote in a project.
const EventConfirmed = "person.confirmed"

// The kinds of events from which it is read who a person is and what a group gives.
var (
	personKinds = []string{"person.created", "person.invited", "person.welcomed", "person.named", "person.changed", "role.granted", "role.revoked", EventConfirmed}
	groupKinds  = []string{"group.granted", "group.revoked", "group.joined", "group.left", "group.mapped"}
)

// pageOfOrigins is how many events are asked for at once.
const pageOfOrigins = 500

// witness is what this process met when it walked the history; zero where nobody
// acts and a page is only shown.
type witness struct {
	met    []ledger.Event
	walked int64
}

// witnessed walks on. It returns Conflict where the history does not verify.
func (s *Service) witnessed(ctx context.Context) (w witness, err error) {
	w.met, w.walked, err = s.Walked(ctx)
	return w, err
}

// confirms returns Conflict unless the events about a subject are those that were
// met on the walk, one for one.
func (w witness) confirms(subject ledger.Subject, kinds []string, found []note) error {
	if w.walked == 0 {
		return nil
	}
	left := map[int64]ledger.Digest{}
	for _, e := range w.met {
		if e.Subject == subject && slices.Contains(kinds, e.Kind) {
			left[e.Seq] = e.Hash
		}
	}
	for _, n := range found {
		if hash, met := left[n.Seq]; n.Seq <= w.walked && (!met || hash != n.Hash) {
			return changedSince(n.Event)
		}
		delete(left, n.Seq)
	}
	for seq := range left {
		return fault.New(fault.Conflict, "Event %d is missing from the history.", seq)
	}
	return nil
}

// changedSince says that an event is not what was written.
func changedSince(e ledger.Event) error {
	return fault.New(fault.Conflict, "Event %d (%s) was changed after it was written.", e.Seq, e.Kind)
}

// past reads what the history says of people and groups, inside a transaction.
type past struct {
	Tx
	witness
	notes map[ledger.Subject][]note
}

func pastIn(tx Tx, w witness) *past {
	return &past{Tx: tx, witness: w, notes: map[ledger.Subject][]note{}}
}

// note is an event with what it says. One whose words were erased says nothing.
type note struct {
	ledger.Event
	said   said
	erased bool
}

// about returns all events of some kinds about a subject, oldest first. It reads
// them page by page: the end of a page is not the end of the history, and
// whoever fills pages with words pushes nothing out. It returns Conflict where one
// of them is not what was written.
func (p *past) about(subject ledger.Subject, kinds []string) ([]note, error) {
	if known, found := p.notes[subject]; found {
		return known, nil
	}
	var notes []note
	for before := int64(0); ; {
		page, more, err := p.EventPage(ledger.Filter{Subject: subject, Kinds: kinds, Before: before, Limit: pageOfOrigins})
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if r.Sum() != r.Hash || r.Salt != nil && ledger.Commit(r.Salt, r.Payload) != r.Commitment {
				return nil, changedSince(r.Event)
			}
			notes = append(notes, note{Event: r.Event, said: saidBy(r), erased: r.Salt == nil})
			before = r.Seq
		}
		if !more || len(page) == 0 {
			break
		}
	}
	slices.Reverse(notes)
	if err := p.confirms(subject, kinds, notes); err != nil {
		return nil, err
	}
	p.notes[subject] = notes
	return notes, nil
}

func (p *past) ofPerson(id ledger.PersonID) ([]note, error) {
	return p.about(ledger.Subject{Kind: "person", ID: string(id)}, personKinds)
}

// proposed is when a candidate was put to the vote, for the last time, as the
// history says; zero where it does not know of it. Nobody signs the column.
func (p *past) proposed(c Candidate) (at time.Time, err error) {
	if c.State == StateDraft {
		return at, nil
	}
	notes, err := p.about(about(c), []string{eventOpened, eventRebased})
	for _, n := range notes {
		at = n.At
	}
	return at, err
}

// said is what this desk reads of payloads about people.
type said struct {
	Role   ledger.Role
	Person ledger.PersonID
	Reason string
	Name   string
	Admin  bool
	Was    changedPerson
	Is     changedPerson
}

// changedPerson is what an event says a person was changed to.
type changedPerson struct {
	Name     string `json:"name"`
	Admin    bool   `json:"admin"`
	Disabled bool   `json:"disabled"`
}

// saidBy reads a payload; what cannot be read says nothing.
func saidBy(r ledger.Record) said {
	var raw struct {
		Role   ledger.Role     `json:"role"`
		Person ledger.PersonID `json:"person"`
		Reason string          `json:"reason"`
		Name   string          `json:"name"`
		Admin  bool            `json:"admin"`
		Was    json.RawMessage `json:"was"` // of a role a word, of a person an object
		Is     json.RawMessage `json:"is"`
	}
	_ = json.Unmarshal(r.Payload, &raw)
	s := said{Role: raw.Role, Person: raw.Person, Reason: raw.Reason, Name: raw.Name, Admin: raw.Admin}
	_ = json.Unmarshal(raw.Was, &s.Was)
	_ = json.Unmarshal(raw.Is, &s.Is)
	return s
}

// peopleOf reads the standings that a decision about a candidate asks for:
// those of the people whose votes stand, of the admins and leads who could
// confirm them, and of everybody by whom they came in.
func peopleOf(tx *past, c Candidate, ask []ledger.PersonID) ([]Standing, error) {
	keepers, err := tx.FindKeepers(c.Project)
	if err != nil {
		return nil, err
	}
	var people []Standing
	seen := map[ledger.PersonID]bool{"": true, ledger.System().Person: true}
	for ask = append(slices.Clone(ask), keepers...); len(ask) > 0; {
		next := ask[0]
		ask = ask[1:]
		if seen[next] {
			continue
		}
		seen[next] = true
		s, err := standingOf(tx, c.Project, next)
		if err != nil {
			return nil, err
		}
		s.Keeper = slices.Contains(keepers, next)
		people = append(people, s)
		for _, o := range s.origins() {
			ask = append(ask, o.By)
		}
		for _, done := range s.Confirmed {
			ask = append(ask, done.By)
		}
	}
	return named(tx, people)
}

// origins are all that a person's say came from.
func (s Standing) origins() []Origin {
	return slices.Concat([]Origin{s.Account, s.Link, s.Back}, given(s.Ways), given(s.Keeps))
}

// named fills in what people are called today.
func named(tx Tx, people []Standing) ([]Standing, error) {
	names := map[ledger.PersonID]string{ledger.System().Person: ledger.System().Name}
	for _, s := range people {
		if s.Name != "" {
			names[s.Person] = s.Name
		}
	}
	name := func(id ledger.PersonID) (string, error) {
		if known, found := names[id]; found || id == "" {
			return known, nil
		}
		who, err := tx.Who("", id)
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		names[id] = who.Name
		return who.Name, err
	}
	var err error
	for i := range people {
		s := &people[i]
		all := []*Origin{&s.Account, &s.Link, &s.Back}
		for j := range s.Ways {
			s.Ways[j].Given = slices.Clone(s.Ways[j].Given)
			for k := range s.Ways[j].Given {
				all = append(all, &s.Ways[j].Given[k])
			}
		}
		if s.Name, err = name(s.Person); err != nil {
			return nil, err
		}
		for _, o := range all {
			if o.Name, err = name(o.By); err != nil {
				return nil, err
			}
		}
		s.Confirmed = slices.Clone(s.Confirmed)
		for j := range s.Confirmed {
			if s.Confirmed[j].Name, err = name(s.Confirmed[j].By); err != nil {
				return nil, err
			}
		}
	}
	return people, nil
}

// everywhere stands for being an admin of the whole installation, which is no role
// of a project.
const everywhere ledger.Role = ""

// standingOf reads what a person's say in a project rests on. Somebody whom the
// database no longer knows is blocked; the history still says by whom they came.
func standingOf(tx *past, project ledger.ProjectID, person ledger.PersonID) (Standing, error) {
	s := Standing{Person: person}
	who, err := tx.Who(project, person)
	if fault.Is(err, fault.NotFound) {
		who, err = Who{Disabled: true}, nil
	}
	if err != nil {
		return s, err
	}
	s.Name, s.Blocked = who.Name, who.Disabled
	notes, err := tx.ofPerson(person)
	if err != nil {
		return s, err
	}
	var link Origin                  // the newest that was made for them
	held := map[ledger.Role]Origin{} // by themselves
	kept := map[ledger.Role]Origin{} // admin or lead, by themselves, now or before
	origin := func(n note) Origin { return Origin{By: n.Actor, At: n.At} }
	for _, r := range notes {
		told := r.said
		switch r.Kind {
		case "person.created":
			s.Account, link = origin(r), origin(r)
			if told.Admin {
				kept[everywhere] = origin(r)
			}
		case "person.invited":
			link = origin(r)
		case "person.welcomed":
			s.Link, s.Came = link, r.At
		case "person.changed":
			if told.Was.Disabled && !told.Is.Disabled {
				s.Back = origin(r)
			}
			if _, had := kept[everywhere]; !told.Was.Admin && told.Is.Admin || !had && r.erased {
				kept[everywhere] = origin(r) // what was erased may have made them one
			}
		case "role.granted", "role.revoked":
			if r.Project != project {
				continue
			}
			if r.Kind == "role.revoked" {
				if delete(held, told.Role); r.erased {
					clear(held) // it may have been any
				}
			} else if _, had := held[told.Role]; !had && !r.erased {
				held[told.Role] = origin(r) // whoever gives it once more changes nothing
				if told.Role == ledger.RoleLead || told.Role == ledger.RoleAdmin {
					kept[told.Role] = origin(r)
				}
			}
		case EventConfirmed:
			if r.Project == project {
				s.Confirmed = append(s.Confirmed, Confirmation{By: r.Actor, At: r.At, Reason: told.Reason})
			}
		}
	}
	if who.Admin || kept[everywhere].Known() {
		s.Keeps = append(s.Keeps, Way{Role: ledger.RoleAdmin, Given: []Origin{kept[everywhere]}})
	}
	for _, role := range []ledger.Role{ledger.RoleLead, ledger.RoleAdmin} {
		if _, holds := held[role]; !holds && kept[role].Known() {
			s.Keeps = append(s.Keeps, Way{Role: role, Given: []Origin{kept[role]}})
		}
	}
	for _, h := range who.Holds {
		votes, keeps := h.Role == ledger.RoleReviewer || h.Role == ledger.RoleApprover, h.Role == ledger.RoleLead || h.Role == ledger.RoleAdmin
		if !votes && !keeps {
			continue
		}
		way := Way{Role: h.Role, Group: h.Group, Given: []Origin{held[h.Role]}}
		if h.Group != "" {
			if way.Given, err = groupOrigins(tx, project, person, h); err != nil {
				return s, err
			}
		}
		if votes {
			s.Ways = append(s.Ways, way)
		} else {
			s.Keeps = append(s.Keeps, way)
		}
	}
	return s, nil
}

// groupOrigins reads who gave a group its role and who put the person into it.
// Whom a provider put there owes it to whoever let its group stand for this one.
func groupOrigins(tx *past, project ledger.ProjectID, person ledger.PersonID, h Hold) ([]Origin, error) {
	notes, err := tx.about(ledger.Subject{Kind: "group", ID: h.Group}, groupKinds)
	if err != nil {
		return nil, err
	}
	var given, joined, mapped Origin
	for _, r := range notes {
		o := Origin{By: r.Actor, At: r.At}
		ours := r.Project == project && r.said.Role == h.Role
		theirs := r.said.Person == person
		switch { // what was erased gives nothing, and may have taken anything
		case r.Kind == "group.granted" && ours && !given.Known():
			given = o
		case r.Kind == "group.revoked" && (ours || r.erased && r.Project == project):
			given = Origin{}
		case r.Kind == "group.joined" && theirs && !joined.Known():
			joined = o
		case r.Kind == "group.left" && (theirs || r.erased):
			joined = Origin{}
		case r.Kind == "group.mapped":
			mapped = o
		}
	}
	origins := []Origin{given, joined}
	if joined.By == person && mapped.Known() {
		origins = append(origins, mapped)
	}
	return origins, nil
}

// printedName is the name that a person signs with on a candidate: the one they
// had when it was proposed. Where they were called otherwise since, both stand
// there, so that nobody signs as somebody whom the others do not know.
func printedName(tx *past, c Candidate, person ledger.PersonID, name string) (string, error) {
	proposed, err := tx.proposed(c)
	if err != nil || proposed.IsZero() {
		return name, err
	}
	notes, err := tx.ofPerson(person)
	if err != nil {
		return name, err
	}
	before, renamed := "", time.Time{}
	for _, n := range notes {
		now := n.said.Name
		if n.Kind == "person.changed" {
			now = n.said.Is.Name
		}
		if now == "" {
			continue
		}
		if n.At.After(proposed) {
			if before == "" {
				before = n.said.Was.Name // what an event before said was erased
			}
			if now != before && renamed.IsZero() {
				renamed = n.At
			}
			continue
		}
		before = now
	}
	if before == "" || strings.TrimSpace(before) == strings.TrimSpace(name) {
		return name, nil
	}
	if renamed.IsZero() {
		return name + " (when this was proposed: " + before + ")", nil
	}
	return name + " (until " + renamed.UTC().Format("2 January 2006") + ": " + before + ")", nil
}
