package review

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// Ballot is what a person is asked before they vote: the roles they may vote
// in, the labels, and for every answer the sentence that would be signed.
type Ballot struct {
	Actor     ledger.PersonID
	Name      string // which the actor signs with: the one they had when it was proposed stands beside another
	Candidate Candidate
	Rules     Rules
	Roles     []ledger.Role   // in which the actor may vote; empty: none
	Maker     bool            // the actor trained or proposed it, so only a vote against it counts
	Mine      []Vote          // the actor's votes that stand
	Evidence  []ledger.Digest // comparisons with the baseline that a vote names
	Seen      []Evidence      // what those comparisons are of
	Others    int             // sets of answers that they do not read
	Awaits    bool            // a vote for it must name a comparison to count, and there is none yet
	Early     []Vote          // of Mine, those that a comparison came after: they count once they are confirmed
	Recused   bool            // the actor stepped back
	Looked    Looked          // what the actor had opened of it
}

// Sentence returns what a vote of the actor would sign.
func (b Ballot) Sentence(actor ledger.Actor, role ledger.Role, label Label, value Value) string {
	name := b.Name
	if name == "" {
		name = actor.Name
	}
	return Sentence(name, role, b.Candidate, b.Seen, b.Others, label, value) + b.Looked.Clause()
}

// votingRoles returns in which roles an actor may vote. An admin of the
// installation holds no voting role.
func votingRoles(actor ledger.Actor, project ledger.ProjectID) []ledger.Role {
	var roles []ledger.Role
	for _, role := range []ledger.Role{ledger.RoleReviewer, ledger.RoleApprover} {
		if actor.Has(project, role) {
			roles = append(roles, role)
		}
	}
	return roles
}

// VoteRequest casts a vote.
type VoteRequest struct {
	Project   ledger.ProjectID
	Candidate CandidateRef
	Label     string      // the policy's only one if empty
	Role      ledger.Role // the actor's only voting role if empty
	Value     int
	Comment   string
	Password  string    // asked again for every vote
	TimeZone  string    // IANA name, UTC if empty
	Sentence  string    // what the person was shown; must be what is signed
	Looked    time.Time // until when the sentence says what they opened; now if zero
	Address   string    // where the request came from
}

// Voted is what became of a vote: a vote that counts, or a comment.
type Voted struct {
	Candidate Candidate
	Vote      *Vote
	Comment   *Comment // what came by API token, stored without weight
	Results   []Result
}

// Vote casts a vote. What did not come from a signed-in person, an API token's
// or the command line's, is stored as a comment and satisfies nothing. It
// returns Unauthenticated for a wrong password, Conflict where the sentence is
// no longer what would be signed, and Denied for a vote of the person who
// trained the candidate in its favour.
func (s *Service) Vote(ctx context.Context, actor ledger.Actor, req VoteRequest) (Voted, error) {
	if err := actor.Must(req.Project, ledger.ActionVote); err != nil {
		return Voted{}, err
	}
	zone, err := timeZone(req.TimeZone)
	if err != nil {
		return Voted{}, err
	}
	read, err := s.read(ctx, req.Project, req.Candidate, actor)
	if err != nil {
		return Voted{}, err
	}
	c := read.Candidate
	switch c.State {
	case StateDraft:
		return Voted{}, fault.New(fault.Conflict, "Candidate %d is a draft. Whoever trained it proposes it first.", c.Number)
	case StateWithdrawn:
		return Voted{}, fault.New(fault.Conflict, "The approval of candidate %d was withdrawn. Propose the %s again to vote anew.", c.Number, c.Subject.Kind)
	case StateOpen, StateApproved, StateRejected:
	}
	if read.RulesErr != nil {
		return Voted{}, read.RulesErr
	}
	label, found := read.Rules.Label(req.Label)
	if !found {
		return Voted{}, fault.Field("label", "The policy has no label %.40q; it has %s.", req.Label, strings.Join(labelNames(read.Rules), ", "))
	}
	value, found := label.Value(req.Value)
	if !found {
		return Voted{}, fault.Field("value", "The label %s has no value %+d; choose one of %s.", label.Name, req.Value, valueNames(label))
	}
	if err := signedText(actor, "comment", req.Comment, false); err != nil {
		return Voted{}, err
	}
	if actor.Via != ledger.ViaLogin {
		text := fmt.Sprintf("%s: %+d, “%s” (by %s, so it counts for nothing).", label.Title, value.Value, value.Words, actor.Via)
		if req.Comment != "" {
			text += "\n\n" + req.Comment
		}
		comment, err := s.Comment(ctx, actor, CommentRequest{Project: req.Project, Candidate: CandidateRef{ID: c.ID}, Text: text})
		return Voted{Candidate: c, Comment: &comment}, err
	}
	if value.NeedsNote && strings.TrimSpace(req.Comment) == "" {
		return Voted{}, fault.Field("comment", "Write the note that goes with “%s”.", value.Words)
	}
	role, err := chooseRole(actor, req.Project, req.Role)
	if err != nil {
		return Voted{}, err
	}
	if value.Value > 0 && !read.Rules.may(read.Facts, actor.Person) {
		return Voted{}, errMaker(read.Facts, actor.Person, role)
	}
	if slices.Contains(read.Facts.Recused, actor.Person) {
		return Voted{}, errRecused(c)
	}
	name := read.Names[actor.Person]
	until := moment(req.Looked, s.now())
	looked, err := s.lookedBy(ctx, actor, c, until)
	if err != nil {
		return Voted{}, err
	}
	sentence := Sentence(name, role, c, read.Facts.Evidence, read.Facts.Unread.Others, label, value) + looked.Clause()
	if req.Sentence != "" && req.Sentence != sentence {
		return Voted{}, errOtherSentence()
	}
	assurance, err := s.Passwords.Prove(ctx, actor, req.Password, req.Address)
	if err != nil {
		return Voted{}, err
	}
	vote := Vote{
		ID: VoteID(s.NewID()), Candidate: c.ID, Subject: c.Subject, Environment: c.Environment, Policy: c.Policy, Baseline: c.Baseline.Digest,
		Person: actor.Person, PrintedName: name, Role: role, Label: label.Name, Value: value.Value, Words: value.Words,
		Comment: req.Comment, Sentence: sentence, Assurance: Assurance(assurance), TimeZone: zone, Evidence: read.Facts.digests(), At: s.now(),
	}
	return s.cast(ctx, actor, read, vote, until, eventVoted)
}

// ConfirmRequest repeats one's own vote now that more was compared.
type ConfirmRequest struct {
	Project   ledger.ProjectID
	Candidate CandidateRef
	Label     string // the policy's only one if empty
	Password  string
	TimeZone  string
	Sentence  string // what the person was shown; must be what is signed
	Looked    time.Time
	Address   string
}

// Confirm repeats a vote that the actor cast before the comparison that decides
// was there: the same answer in the same role, with a sentence that names the
// comparison. It returns NotFound where no vote of theirs stands, Conflict where
// there is nothing to confirm or nothing to see yet.
func (s *Service) Confirm(ctx context.Context, actor ledger.Actor, req ConfirmRequest) (Voted, error) {
	if err := actor.Must(req.Project, ledger.ActionVote); err != nil {
		return Voted{}, err
	}
	if err := byLogin(actor); err != nil {
		return Voted{}, err
	}
	read, err := s.read(ctx, req.Project, req.Candidate, actor)
	if err != nil {
		return Voted{}, err
	}
	if read.RulesErr != nil {
		return Voted{}, read.RulesErr
	}
	c := read.Candidate
	label, found := read.Rules.Label(req.Label)
	i := slices.IndexFunc(read.Facts.Votes, func(v Vote) bool { return v.Person == actor.Person && v.Label == label.Name })
	switch {
	case !found || i < 0:
		return Voted{}, fault.New(fault.NotFound, "No vote of yours stands on candidate %d.", c.Number)
	case !read.Rules.early(read.Facts, read.Facts.Votes[i]):
		return Voted{}, fault.New(fault.Conflict, "Your vote on candidate %d names every comparison there is, so there is nothing to confirm.", c.Number)
	case len(read.Facts.Evidence) == 0:
		return Voted{}, fault.New(fault.Conflict, "The comparison with %s is not there yet. Confirm your vote when it is.", c.Baseline.Name)
	}
	v := read.Facts.Votes[i]
	return s.Vote(ctx, actor, VoteRequest{
		Project: req.Project, Candidate: CandidateRef{ID: c.ID}, Label: v.Label, Role: v.Role, Value: v.Value, Comment: v.Comment,
		Password: req.Password, TimeZone: req.TimeZone, Sentence: req.Sentence, Looked: req.Looked, Address: req.Address,
	})
}

// WithdrawVoteRequest takes one's own vote back.
type WithdrawVoteRequest struct {
	Project   ledger.ProjectID
	Candidate CandidateRef
	Label     string
	Comment   string
	Password  string
	TimeZone  string
	Sentence  string // what the person was shown; must be what is signed
	Address   string
}

// WithdrawVote takes the actor's own vote back. It returns NotFound where none
// stands, Conflict where the sentence is no longer what would be signed, and Denied
// for an objection of somebody whom others let in since; see mayWeaken.
func (s *Service) WithdrawVote(ctx context.Context, actor ledger.Actor, req WithdrawVoteRequest) (Voted, error) {
	if err := actor.Must(req.Project, ledger.ActionVote); err != nil {
		return Voted{}, err
	}
	if err := byLogin(actor); err != nil {
		return Voted{}, err
	}
	zone, err := timeZone(req.TimeZone)
	if err != nil {
		return Voted{}, err
	}
	if err := signedText(actor, "comment", req.Comment, false); err != nil {
		return Voted{}, err
	}
	read, err := s.read(ctx, req.Project, req.Candidate, actor)
	if err != nil {
		return Voted{}, err
	}
	c := read.Candidate
	name := req.Label // of a label that the policy of today may not have any more
	if label, found := read.Rules.Label(req.Label); found {
		name = label.Name
	}
	i := slices.IndexFunc(read.Facts.Votes, func(v Vote) bool { return v.Person == actor.Person && v.Label == name })
	if i < 0 || c.State == StateWithdrawn {
		return Voted{}, fault.New(fault.NotFound, "No vote of yours stands on candidate %d.", c.Number)
	}
	sentence := WithdrawalSentence(read.Names[actor.Person], c, read.Facts.Votes[i])
	if req.Sentence != "" && req.Sentence != sentence {
		return Voted{}, errOtherSentence()
	}
	assurance, err := s.Passwords.Prove(ctx, actor, req.Password, req.Address)
	if err != nil {
		return Voted{}, err
	}
	vote := read.Facts.Votes[i]
	vote.ID, vote.Withdrawn, vote.Comment, vote.At, vote.TimeZone = VoteID(s.NewID()), true, req.Comment, s.now(), zone
	vote.Assurance = Assurance(assurance)
	vote.PrintedName, vote.Sentence = read.Names[actor.Person], sentence
	return s.cast(ctx, actor, read, vote, vote.At, eventUnvoted)
}

// cast writes a vote, with what its person had opened at a time, and decides the
// candidate anew in the same transaction.
func (s *Service) cast(ctx context.Context, actor ledger.Actor, read reading, vote Vote, until time.Time, event string) (Voted, error) {
	var out Voted
	if event == eventVoted {
		if _, _, err := s.Walked(ctx); err != nil {
			return out, err
		}
	}
	wrong, err := s.wrongRows(ctx)
	if err != nil {
		return out, err
	}
	if len(wrong) > 0 && event == eventVoted { // a vote may always be taken back
		return out, fault.New(fault.Conflict, "Nobody can vote while the database does not agree with the history. %s", strings.Join(wrong, " "))
	}
	signOff, revocation := SignOffID(s.NewID()), RevocationID(s.NewID())
	seen, err := s.witnessed(ctx)
	if err != nil {
		return out, err
	}
	err = s.Update(ctx, func(tx Tx) error {
		past := pastIn(tx, seen)
		c, err := tx.GetCandidate(read.Candidate.Project, CandidateRef{ID: read.Candidate.ID})
		if err != nil {
			return err
		}
		if c.Terms() != read.Candidate.Terms() || c.State == StateWithdrawn {
			return fault.New(fault.Conflict, "Candidate %d changed while you voted. Read it again and vote again.", c.Number)
		}
		// A password takes its time to check: who lost the role meanwhile does not vote.
		actor, err := asItStands(tx, actor, c.Project)
		if err != nil {
			return err
		}
		if err := actor.Must(c.Project, ledger.ActionVote); err != nil {
			return err
		}
		if !vote.Withdrawn {
			if _, err := chooseRole(actor, c.Project, vote.Role); err != nil {
				return err
			}
		}
		if name, err := printedName(past, c, actor.Person, actor.Name); err != nil || name != vote.PrintedName {
			if err == nil {
				err = fault.New(fault.Conflict, "Your name changed while you voted. Read what you sign again and vote again.")
			}
			return err
		}
		if err := mayWeaken(past, c, read.Rules, vote); err != nil {
			return err
		}
		vote, err := withLooked(tx, actor, c, vote, until)
		if err != nil {
			return err
		}
		if err := tx.CreateVote(vote); err != nil {
			return err
		}
		if err := tx.Record(ledger.Entry{Actor: actor, Project: c.Project, Kind: event, Subject: about(c), Payload: vote}); err != nil {
			return err
		}
		facts, err := factsOf(past, c)
		if err != nil {
			return err
		}
		if slices.Contains(facts.Recused, vote.Person) {
			return errRecused(c)
		}
		if !vote.Withdrawn && vote.Value > 0 && !read.Rules.may(facts, vote.Person) {
			return errMaker(facts, vote.Person, vote.Role)
		}
		shown, unread, err := exhibitsOf(tx, c)
		if err != nil {
			return err
		}
		facts.Unread = unread
		if !vote.Withdrawn && slices.ContainsFunc(shown, func(e exhibit) bool { return !slices.Contains(vote.Evidence, e.digest) }) && read.Facts.EvidenceErr == nil {
			return fault.New(fault.Conflict, "A comparison of candidate %d arrived while you voted. Read it and vote again.", c.Number)
		}
		facts.Evidence, facts.EvidenceErr = read.Facts.Evidence, read.Facts.EvidenceErr
		out, err = decide(tx, actor, read.Rules, facts, decision{vote: vote, signOff: signOff, revocation: revocation, unproven: len(wrong) > 0})
		if err != nil {
			return err
		}
		out.Vote = &vote
		return tx.Enqueue(work.Order{Kind: WorkSign, Payload: SignOrder{Project: c.Project, Candidate: c.ID}})
	})
	return out, err
}

// decision names what a change of state would write.
type decision struct {
	vote       Vote
	signOff    SignOffID
	revocation RevocationID
	// unproven says that rows do not agree with the history: nothing is approved on
	// them, whatever they say by now, and whatever becomes of them afterwards.
	unproven bool
}

// decide evaluates the policy after a vote and writes what follows from it: a
// sign-off where everything holds now, a revocation where it no longer does.
func decide(tx Tx, actor ledger.Actor, rules Rules, facts Facts, d decision) (Voted, error) {
	c, at := facts.Candidate, d.vote.At
	if facts.PeopleErr != nil {
		return Voted{}, facts.PeopleErr
	}
	if c.State == StateApproved {
		// An approval stands on what shipped when it was given.
		facts.Current, facts.CurrentErr = c.Baseline, nil
	}
	results := rules.Evaluate(facts)
	was := c.State
	switch {
	case rules.Vetoed(c, facts.Votes):
		c.State = StateRejected
	case Pass(results) && (was == StateApproved || !d.unproven):
		c.State = StateApproved
	default:
		c.State = StateOpen
	}
	out := Voted{Candidate: c, Results: results}
	if c.State == was {
		return out, nil
	}
	record := func(kind string, payload any) error {
		return tx.Record(ledger.Entry{Actor: actor, Project: c.Project, Kind: kind, Subject: about(c), Payload: payload})
	}
	if was == StateApproved {
		if err := revoke(tx, record, c, d, fault.Say("The requirements no longer hold.")+" "+Unmet(results)); err != nil {
			return out, err
		}
	}
	c.DecidedAt = time.Time{}
	var err error
	switch c.State {
	case StateApproved:
		c.DecidedAt = at
		signed := SignOff{
			ID: d.signOff, Candidate: c.ID, Subject: c.Subject, Environment: c.Environment, Policy: c.Policy, Results: results,
			Votes: []VoteID{}, Evidence: facts.digests(), Makers: facts.Makers, People: facts.People, At: at, ExpiresAt: at.AddDate(0, 0, rules.ValidDays),
		}
		for _, v := range facts.Votes {
			signed.Votes = append(signed.Votes, v.ID)
		}
		if err = tx.CreateSignOff(signed); err == nil {
			err = record(eventApproved, signed)
		}
	case StateRejected:
		c.DecidedAt = at
		err = record(eventRejected, results)
	default:
		if was == StateRejected {
			err = record(eventReopened, results)
		}
	}
	if err != nil {
		return out, err
	}
	out.Candidate = c
	return out, tx.UpdateCandidate(c)
}

// revoke takes the sign-off that stands back in the name of whoever voted last.
func revoke(tx Tx, record func(string, any) error, c Candidate, d decision, reason string) error {
	signed, err := tx.FindSignOffs(c.ID)
	if err != nil {
		return err
	}
	if len(signed) == 0 {
		return fault.New(fault.Internal, "candidate %d is approved without a sign-off", c.Number)
	}
	revocation := Revocation{
		ID: d.revocation, SignOff: signed[len(signed)-1].ID, Candidate: c.ID, Subject: c.Subject, Environment: c.Environment,
		Person: d.vote.Person, PrintedName: d.vote.PrintedName, Reason: reason, Sentence: RevocationSentence(d.vote.PrintedName, c, reason),
		Assurance: d.vote.Assurance, TimeZone: d.vote.TimeZone, At: d.vote.At,
	}
	if err := tx.CreateRevocation(revocation); err != nil {
		return err
	}
	return record(eventRevoked, revocation)
}

// WithdrawRequest takes an approval back.
type WithdrawRequest struct {
	Project   ledger.ProjectID
	Candidate CandidateRef
	Reason    string
	Name      string // with which the person was shown that they sign; any where it is empty
	Password  string
	TimeZone  string
	Address   string
}

// Withdraw takes an approval back at once: the gate closes with the commit, and
// a signed revocation follows. It returns Conflict where nothing is approved.
func (s *Service) Withdraw(ctx context.Context, actor ledger.Actor, req WithdrawRequest) (Candidate, error) {
	if err := actor.Must(req.Project, ledger.ActionWithdraw); err != nil {
		return Candidate{}, err
	}
	if err := byLogin(actor); err != nil {
		return Candidate{}, err
	}
	if err := signedText(actor, "reason", req.Reason, true); err != nil {
		return Candidate{}, err
	}
	zone, err := timeZone(req.TimeZone)
	if err != nil {
		return Candidate{}, err
	}
	assurance, err := s.Passwords.Prove(ctx, actor, req.Password, req.Address)
	if err != nil {
		return Candidate{}, err
	}
	var out Candidate
	d := decision{revocation: RevocationID(s.NewID()), vote: Vote{
		Person: actor.Person, PrintedName: actor.Name, Assurance: Assurance(assurance), TimeZone: zone, At: s.now(),
	}}
	err = s.Update(ctx, func(tx Tx) error {
		c, err := tx.GetCandidate(req.Project, req.Candidate)
		if err != nil {
			return err
		}
		if c.State != StateApproved {
			return fault.New(fault.Conflict, "Candidate %d is %s; only an approval can be withdrawn.", c.Number, c.State)
		}
		actor, err := stillMay(tx, actor, c.Project, ledger.ActionWithdraw)
		if err != nil {
			return err
		}
		d.vote.PrintedName, err = printedName(pastIn(tx, witness{}), c, actor.Person, actor.Name)
		if err != nil && !fault.Is(err, fault.Conflict) { // a gate can be closed whatever the history says
			return err
		}
		if req.Name != "" && req.Name != d.vote.PrintedName {
			return fault.New(fault.Conflict, "Your name changed while you wrote. Read what you sign again, and withdraw the approval again.")
		}
		record := func(kind string, payload any) error {
			return tx.Record(ledger.Entry{Actor: actor, Project: c.Project, Kind: kind, Subject: about(c), Payload: payload})
		}
		if err := revoke(tx, record, c, d, req.Reason); err != nil {
			return err
		}
		c.State, c.DecidedAt = StateWithdrawn, d.vote.At
		if err := tx.UpdateCandidate(c); err != nil {
			return err
		}
		out = c
		return tx.Enqueue(work.Order{Kind: WorkSign, Payload: SignOrder{Project: c.Project, Candidate: c.ID}})
	})
	return out, err
}

// errOtherSentence refuses to sign what nobody was shown.
func errOtherSentence() error {
	return fault.New(fault.Conflict, "What you would sign has changed since the page was shown. Read it again and vote again.")
}

func errRecused(c Candidate) error {
	return fault.New(fault.Denied, "You recused yourself from candidate %d, so no vote of yours counts for or against it. Comment instead.", c.Number)
}

// asItStands returns an actor with the name and the roles that they have in this
// transaction, or Unauthenticated where they may not sign in any more. What was
// asked before a transaction was asked before a password was checked.
func asItStands(tx Tx, actor ledger.Actor, project ledger.ProjectID) (ledger.Actor, error) {
	if actor.Via == ledger.ViaSystem || actor.Via == ledger.ViaAttempt {
		return actor, nil
	}
	who, err := tx.Who(project, actor.Person)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return actor, err
	}
	if err != nil || who.Disabled {
		return actor, fault.New(fault.Unauthenticated, "You may not sign in any more.")
	}
	actor.Name, actor.Admin, actor.Roles = who.Name, who.Admin, map[ledger.ProjectID][]ledger.Role{}
	for _, h := range who.Holds {
		if !slices.Contains(actor.Roles[project], h.Role) {
			actor.Roles[project] = append(actor.Roles[project], h.Role)
		}
	}
	return actor, nil
}

// stillMay is Must inside a transaction.
func stillMay(tx Tx, actor ledger.Actor, project ledger.ProjectID, action ledger.Action) (ledger.Actor, error) {
	now, err := asItStands(tx, actor, project)
	if err != nil {
		return actor, err
	}
	return now, now.Must(project, action)
}

// byLogin refuses what must be a person's own act.
func byLogin(actor ledger.Actor) error {
	if actor.Via == ledger.ViaLogin {
		return nil
	}
	return fault.New(fault.Denied, "Only a person who is signed in can do this. Open the candidate in a browser.")
}

// chooseRole returns the role in which a vote is cast.
func chooseRole(actor ledger.Actor, project ledger.ProjectID, wanted ledger.Role) (ledger.Role, error) {
	roles := votingRoles(actor, project)
	switch {
	case wanted == "" && len(roles) == 1:
		return roles[0], nil
	case slices.Contains(roles, wanted):
		return wanted, nil
	case len(roles) == 0:
		return "", fault.New(fault.Denied, "You are neither reviewer nor approver in this project. Ask a lead.")
	}
	return "", fault.Field("role", "Say in which role you vote: reviewer or approver.")
}

func timeZone(name string) (string, error) {
	if name == "" {
		return "UTC", nil
	}
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		return "", fault.Field("time_zone", "There is no time zone %.60q. Choose one by its name, for example Europe/Berlin.", name)
	}
	return name, nil
}

func labelNames(r Rules) []string {
	var names []string
	for _, l := range r.Labels {
		names = append(names, l.Name)
	}
	return names
}

func valueNames(l Label) string {
	var names []string
	for _, v := range l.Values {
		names = append(names, fmt.Sprintf("%+d “%s”", v.Value, v.Words))
	}
	return strings.Join(names, ", ")
}
