package review

import (
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Standing is what the votes of a person rest on: which voting roles they hold
// and by whom, who made their account and the link they came in by, and who
// confirmed all that. An approval keeps the standings it was decided on, without
// names, so that the gate decides anew on the same.
type Standing struct {
	Person  ledger.PersonID `json:"person"`
	Name    string          `json:"-"`
	Blocked bool            `json:"blocked,omitempty"` // may not sign in any more
	Keeper  bool            `json:"keeper,omitempty"`  // admin or lead who can come and confirm others
	Account Origin          `json:"account,omitzero"`
	Link    Origin          `json:"link,omitzero"` // the newest that they followed; zero for none
	Back    Origin          `json:"back,omitzero"` // who let them in again after they were blocked; zero for nobody
	Came    time.Time       `json:"-"`             // when they followed Link
	Ways    []Way           `json:"ways,omitempty"`
	// Keeps says by whom they are admin or lead, or last were: what they give and
	// confirm is worth what that is worth.
	Keeps []Way `json:"keeps,omitempty"`
	// Confirmed are the confirmations of other people that they may vote.
	Confirmed []Confirmation `json:"confirmed,omitempty"`
	// Unasked stands for what an approval was decided on by a version that did not
	// ask any of this: it keeps standing.
	Unasked bool `json:"-"`
}

// Origin is who did something that gives a person a say, and when.
type Origin struct {
	By   ledger.PersonID `json:"by,omitempty"`
	At   time.Time       `json:"at,omitzero"`
	Name string          `json:"-"` // of By, as it is today
}

// Known reports whether the history says who.
func (o Origin) Known() bool { return o.By != "" }

// Way is one way in which a person holds a voting role: by themselves, or by a
// group, where being in the group and the group's role have an origin each.
type Way struct {
	Role  ledger.Role `json:"role"`
	Group string      `json:"group,omitempty"`
	Given []Origin    `json:"given"`
}

// since is from when on a role is held in a way.
func (w Way) since() (at time.Time) {
	for _, o := range w.Given {
		if o.At.After(at) {
			at = o.At
		}
	}
	return at
}

// Confirmation is another admin's or lead's word that a person may vote here.
type Confirmation struct {
	By     ledger.PersonID `json:"by"`
	At     time.Time       `json:"at"`
	Reason string          `json:"-"` // stands in the history
	Name   string          `json:"-"`
}

// Backing says, in a result and so in what is signed, who stands behind a vote
// that counts: who made the account, the link and the role, when, and who
// confirmed it.
type Backing struct {
	Person    ledger.PersonID `json:"person"`
	Role      ledger.Role     `json:"role"`
	Account   Origin          `json:"account"`
	Link      *Origin         `json:"link,omitempty"`
	Given     []Origin        `json:"given"`
	Confirmed *Confirmation   `json:"confirmed,omitempty"`
}

// Standing finds the standing of a person.
func (f Facts) Standing(person ledger.PersonID) (Standing, bool) {
	i := slices.IndexFunc(f.People, func(s Standing) bool { return s.Person == person })
	if i < 0 {
		return Standing{}, false
	}
	return f.People[i], true
}

// ways are those in which a person holds a role now that they held when they
// voted. A role that was taken away and given back is another one: whoever it
// was given back to votes again.
func (s Standing) ways(v Vote) (held []Way) {
	if s.Blocked || s.Back.At.After(v.At) {
		return nil
	}
	for _, w := range s.Ways {
		if w.Role == v.Role && !w.since().After(v.At) {
			held = append(held, w)
		}
	}
	return held
}

// Lost reports whether a vote does not count because its person no longer holds
// the role in which it was cast, or may not sign in. It asks only for what is
// not decided: an approval keeps the standings it was decided on.
func (f Facts) Lost(v Vote) bool {
	s, known := f.Standing(v.Person)
	return !known || !s.Unasked && len(s.ways(v)) == 0
}

// weight is what a vote for the candidate weighs.
type weight struct {
	counts  bool
	lost    bool // the role, or the right to come in, is gone
	backing *Backing
	doubts  []string          // why another person has to confirm, in sentences
	asked   []Standing        // who can
	rests   []ledger.PersonID // who alone stands behind the vote, where nobody can
}

// weigh holds a vote against who gave its person a say.
func (r Rules) weigh(f Facts, v Vote) weight {
	s, known := f.Standing(v.Person)
	if known && s.Unasked {
		return weight{counts: true}
	}
	if f.Lost(v) {
		return weight{lost: true}
	}
	var best weight
	for i, way := range s.ways(v) {
		w := r.weighWay(f, s, way)
		if i == 0 || w.counts && (!best.counts || len(w.rests) < len(best.rests)) {
			best = w
		}
	}
	return best
}

// origin is one origin of a say, with the words for what came from it.
type origin struct {
	Origin
	kind originKind
}

type originKind int

const (
	fromAccount originKind = iota
	fromLink
	fromBack
	fromRole
)

func (r Rules) weighWay(f Facts, s Standing, way Way) weight {
	given := []origin{{s.Account, fromAccount}}
	if s.Link.Known() {
		given = append(given, origin{s.Link, fromLink})
	}
	if s.Back.Known() {
		given = append(given, origin{s.Back, fromBack})
	}
	for _, o := range way.Given {
		given = append(given, origin{o, fromRole})
	}
	w := weight{backing: &Backing{Person: s.Person, Role: way.Role, Account: s.Account, Given: way.Given}}
	if s.Link.Known() {
		w.backing.Link = &s.Link
	}
	var newest time.Time
	var givers []ledger.PersonID
	var unknown bool
	for _, o := range given {
		doubt := r.doubt(f, s, way, o)
		if doubt == "" {
			continue
		}
		w.doubts = append(w.doubts, doubt)
		unknown = unknown || !o.Known()
		if o.At.After(newest) {
			newest = o.At
		}
		if !slices.Contains(givers, o.By) {
			givers = append(givers, o.By)
		}
	}
	if len(w.doubts) == 0 {
		w.counts = true
		return w
	}
	if unknown {
		return w // nobody can confirm what nobody did: it is given anew
	}
	makers := r.Makers(f)
	independent, keepers := r.keepers(f, s.Person, givers)
	for _, c := range s.Confirmed {
		if c.By == s.Person || c.At.Before(newest) || slices.Contains(givers, c.By) || isMaker(makers, c.By) {
			continue
		}
		by, _ := f.Standing(c.By)
		led := !r.independent(f, by)
		if led && len(independent) > 0 {
			continue
		}
		w.counts, w.backing.Confirmed = true, &c
		if led {
			w.rests = givers
		}
		return w
	}
	switch {
	case len(independent) > 0:
		w.asked = independent
	case len(keepers) > 0:
		w.asked = keepers
	default:
		w.counts, w.rests = true, givers
	}
	return w
}

// keepers are the admins and leads who could confirm a person: no maker, not
// the person, and nobody who gave what is to be confirmed. The first are those
// of them who owe neither their way in nor being one to a maker, and who were one
// before the candidate was put to the vote.
func (r Rules) keepers(f Facts, person ledger.PersonID, givers []ledger.PersonID) (independent, all []Standing) {
	makers := r.Makers(f)
	for _, k := range f.People {
		if !k.Keeper || k.Blocked || k.Person == person || slices.Contains(givers, k.Person) || isMaker(makers, k.Person) {
			continue
		}
		all = append(all, k)
		if r.independent(f, k) {
			independent = append(independent, k)
		}
	}
	return independent, all
}

// led reports whether a person is a maker of the candidate, or came in by one:
// by an account or link that a maker made, by somebody whom a maker let in, or as
// an admin or lead whom nobody else made one. Of whom the history does not know
// who made the account, anybody may have.
func (r Rules) led(f Facts, person ledger.PersonID) bool {
	makers := r.Makers(f)
	system := ledger.System().Person
	led := map[ledger.PersonID]bool{}
	var reached []Standing // beside the person, everybody by whom they came
	for ask := []ledger.PersonID{person}; len(ask) > 0; ask = ask[1:] {
		if _, seen := led[ask[0]]; seen {
			continue
		}
		s, _ := f.Standing(ask[0])
		led[ask[0]] = isMaker(makers, ask[0]) || ask[0] != system && !s.Account.Known()
		reached = append(reached, s)
		for _, o := range slices.Concat([]Origin{s.Account, s.Link, s.Back}, given(s.Keeps)) {
			if o.Known() {
				ask = append(ask, o.By)
			}
		}
	}
	// What leads to one leads to the next, until nothing is added.
	for more := true; more; {
		more = false
		for _, s := range reached {
			if !led[s.Person] && s.Person != "" && ledBy(s, func(by ledger.PersonID) bool { return led[by] }) {
				led[s.Person], more = true, true
			}
		}
	}
	return led[person]
}

// ledBy reports whether one of those is led by whom a person came in, or all by
// whom they are admin or lead.
func ledBy(s Standing, led func(ledger.PersonID) bool) bool {
	others := func(o Origin) bool { return o.Known() && o.By != s.Person && led(o.By) }
	if slices.ContainsFunc([]Origin{s.Account, s.Link, s.Back}, others) {
		return true
	}
	return len(s.Keeps) > 0 && !slices.ContainsFunc(s.Keeps, func(w Way) bool {
		return !slices.ContainsFunc(w.Given, func(o Origin) bool { return !o.Known() || others(o) })
	})
}

// independent reports whether an admin or lead is nobody's whom a maker let in, and
// was one before the candidate was put to the vote.
func (r Rules) independent(f Facts, k Standing) bool {
	if r.led(f, k.Person) {
		return false
	}
	return slices.ContainsFunc(k.Keeps, func(w Way) bool {
		return !w.since().After(f.Proposed) && !slices.ContainsFunc(w.Given, func(o Origin) bool {
			return !o.Known() || o.By != k.Person && r.led(f, o.By)
		})
	})
}

// given are the origins of some ways.
func given(ways []Way) (all []Origin) {
	for _, w := range ways {
		all = append(all, w.Given...)
	}
	return all
}

// doubt says why what came from an origin has to be confirmed; "" for nothing.
func (r Rules) doubt(f Facts, s Standing, way Way, o origin) string {
	late := o.At.After(f.Proposed)
	led := o.By != s.Person && r.led(f, o.By)
	day := o.At.UTC().Format("2 January 2006")
	switch {
	case !o.Known() && o.kind == fromRole:
		return fault.Say("The history does not know who gave %s the role %s; take it away and give it anew.", s.Name, way.Role)
	case !o.Known():
		return fault.Say("The history does not know who made the account of %s; invite them anew.", s.Name)
	case led && o.kind == fromRole:
		return fault.Say("%s got the role %s from %s, %s, on %s.", s.Name, way.Role, o.Name, r.tie(f, o.By), day)
	case led && o.kind == fromAccount:
		return fault.Say("The account of %s was made by %s, %s, on %s.", s.Name, o.Name, r.tie(f, o.By), day)
	case led && o.kind == fromLink:
		return fault.Say("%s came in by a link of %s, %s, of %s.", s.Name, o.Name, r.tie(f, o.By), day)
	case led:
		return fault.Say("%s was let in again by %s, %s, on %s.", s.Name, o.Name, r.tie(f, o.By), day)
	case late && o.kind == fromRole:
		return fault.Say("%s got the role %s from %s on %s, after this was proposed.", s.Name, way.Role, o.Name, day)
	case late && o.kind == fromAccount:
		return fault.Say("The account of %s was made by %s on %s, after this was proposed.", s.Name, o.Name, day)
	case late && o.kind == fromLink:
		return fault.Say("%s came in by a link of %s of %s, after this was proposed.", s.Name, o.Name, day)
	case late:
		return fault.Say("%s was let in again by %s on %s, after this was proposed.", s.Name, o.Name, day)
	}
	return ""
}

// tie says what ties a person to a candidate.
func (r Rules) tie(f Facts, person ledger.PersonID) string {
	switch {
	case person == f.Candidate.TrainedBy:
		return fault.Say("who trained this")
	case isMaker(r.Makers(f), person):
		return fault.Say("a maker of this")
	}
	return fault.Say("whom a maker of this let in")
}

// called is what a person is called today.
func (f Facts) called(person ledger.PersonID) string {
	if s, found := f.Standing(person); found && s.Name != "" {
		return s.Name
	}
	return string(person)
}

// caveat says that nobody but some people stands behind the votes that count.
func (f Facts) caveat(rests []ledger.PersonID) string {
	if len(rests) == 0 {
		return ""
	}
	var names []string
	for _, p := range rests {
		names = append(names, f.called(p))
	}
	return fault.Say("Everything rests on %s: whoever voted came in or got the role by them, and no admin or lead who came in without them confirmed it.", strings.Join(names, ", "))
}

// confirmers names at most four people, for sentences.
func confirmers(asked []Standing) string {
	var names []string
	for _, k := range asked[:min(4, len(asked))] {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}
