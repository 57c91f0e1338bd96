package review

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Who gave whom a say is read from the history, not from a column: nobody can
// change it there without breaking the chain, and it is there for people who
// came before anybody asked.

// EventConfirmed is the kind of the event by which an admin or lead confirms
// that a person may vote in a project.
const EventConfirmed = "person.confirmed"

// mostOrigins bounds how many events of a person or group are read.
const mostOrigins = 5000

// originsOf returns events about a person or group, oldest first.
func originsOf(tx Tx, subject ledger.Subject, kinds ...string) ([]ledger.Record, error) {
	found, err := tx.Events(ledger.Filter{Subject: subject, Kinds: kinds, Limit: mostOrigins})
	slices.Reverse(found)
	return found, err
}

// said is what this desk reads of payloads about people.
type said struct {
	Role   ledger.Role     `json:"role"`
	Person ledger.PersonID `json:"person"`
	Reason string          `json:"reason"`
	Name   string          `json:"name"`
	Was    json.RawMessage `json:"was"`
	Is     json.RawMessage `json:"is"`
}

// saidBy reads a payload; one that was erased says nothing.
func saidBy(r ledger.Record) (s said) {
	_ = json.Unmarshal(r.Payload, &s) // what cannot be read says nothing
	return s
}

// changedPerson is what an event says a person was changed to.
type changedPerson struct {
	Name     string `json:"name"`
	Disabled bool   `json:"disabled"`
}

func (s said) changed() (was, is changedPerson) {
	_ = json.Unmarshal(s.Was, &was) // a role here is a word, not an object
	_ = json.Unmarshal(s.Is, &is)
	return was, is
}

// peopleOf reads the standings that a decision about a candidate asks for:
// those of the people whose votes stand, of the admins and leads who could
// confirm them, and of everybody by whom they came in.
func peopleOf(tx Tx, c Candidate, ask []ledger.PersonID) ([]Standing, error) {
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
	all := []Origin{s.Account, s.Link, s.Back}
	for _, w := range s.Ways {
		all = append(all, w.Given...)
	}
	return all
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

// standingOf reads what a person's say in a project rests on. Somebody whom the
// database does not know is blocked.
func standingOf(tx Tx, project ledger.ProjectID, person ledger.PersonID) (Standing, error) {
	s := Standing{Person: person}
	who, err := tx.Who(project, person)
	if fault.Is(err, fault.NotFound) {
		s.Blocked = true
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Name, s.Blocked = who.Name, who.Disabled
	records, err := originsOf(tx, ledger.Subject{Kind: "person", ID: string(person)},
		"person.created", "person.invited", "person.welcomed", "person.changed", "role.granted", "role.revoked", EventConfirmed)
	if err != nil {
		return s, err
	}
	var link Origin                  // the newest that was made for them
	held := map[ledger.Role]Origin{} // by themselves
	origin := func(r ledger.Record) Origin { return Origin{By: r.Actor, At: r.At} }
	for _, r := range records {
		told := saidBy(r)
		switch r.Kind {
		case "person.created":
			s.Account, link = origin(r), origin(r)
		case "person.invited":
			link = origin(r)
		case "person.welcomed":
			s.Link = link
		case "person.changed":
			if was, is := told.changed(); was.Disabled && !is.Disabled {
				s.Back = origin(r)
			}
		case "role.granted", "role.revoked":
			if r.Project != project {
				continue
			}
			for _, role := range votingRolesOf(told.Role) {
				_, had := held[role]
				if r.Kind == "role.revoked" {
					delete(held, role)
				} else if !had {
					held[role] = origin(r) // whoever gives it once more changes nothing
				}
			}
		case EventConfirmed:
			if r.Project == project {
				s.Confirmed = append(s.Confirmed, Confirmation{By: r.Actor, At: r.At, Reason: told.Reason})
			}
		}
	}
	for _, h := range who.Holds {
		if h.Role != ledger.RoleReviewer && h.Role != ledger.RoleApprover {
			continue
		}
		way := Way{Role: h.Role, Group: h.Group, Given: []Origin{held[h.Role]}}
		if h.Group != "" {
			if way.Given, err = groupOrigins(tx, project, person, h); err != nil {
				return s, err
			}
		}
		s.Ways = append(s.Ways, way)
	}
	return s, nil
}

// votingRolesOf is the role that an event names, where it is one that votes; all
// of them where its words were erased, for it may have been any.
func votingRolesOf(role ledger.Role) []ledger.Role {
	switch role {
	case "":
		return []ledger.Role{ledger.RoleReviewer, ledger.RoleApprover}
	case ledger.RoleReviewer, ledger.RoleApprover:
		return []ledger.Role{role}
	}
	return nil
}

// groupOrigins reads who gave a group its role and who put the person into it.
// Whom a provider put there owes it to whoever let its group stand for this one.
func groupOrigins(tx Tx, project ledger.ProjectID, person ledger.PersonID, h Hold) ([]Origin, error) {
	records, err := originsOf(tx, ledger.Subject{Kind: "group", ID: h.Group}, "group.granted", "group.revoked", "group.joined", "group.left", "group.mapped")
	if err != nil {
		return nil, err
	}
	var given, joined, mapped Origin
	for _, r := range records {
		told := saidBy(r)
		o := Origin{By: r.Actor, At: r.At}
		ours := r.Project == project && (told.Role == h.Role || told.Role == "")
		theirs := told.Person == person || told.Person == ""
		switch {
		case r.Kind == "group.granted" && ours && !given.Known():
			given = o
		case r.Kind == "group.revoked" && ours:
			given = Origin{}
		case r.Kind == "group.joined" && theirs && !joined.Known():
			joined = o
		case r.Kind == "group.left" && theirs:
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
func printedName(tx Tx, c Candidate, person ledger.PersonID, name string) (string, error) {
	records, err := originsOf(tx, ledger.Subject{Kind: "person", ID: string(person)}, "person.created", "person.named", "person.welcomed", "person.changed")
	if err != nil || c.OpenedAt.IsZero() {
		return name, err
	}
	before, renamed := "", time.Time{}
	for _, r := range records {
		told := saidBy(r)
		was, is := told.changed()
		now := told.Name
		if r.Kind == "person.changed" {
			now = is.Name
		}
		if now == "" {
			continue
		}
		if r.At.After(c.OpenedAt) {
			if before == "" {
				before = was.Name // what an event before said was erased
			}
			if now != before && renamed.IsZero() {
				renamed = r.At
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
