package review

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// dossier is everything the store holds about a candidate, as it is held
// against the history and the signatures before anybody believes it.
type dossier struct {
	Candidate    Candidate
	Votes        []Vote
	SignOffs     []SignOff
	Revocations  []Revocation
	Attestations []Attestation
	Records      []ledger.Record           // about the candidate, oldest first
	Keys         []ledger.Record           // about the keys that signed, oldest first
	Beside       map[int64][2]ledger.Event // the events before and after each of them
	Whole        bool                      // the history has no gap
	Signer       Signer
	Passed       []ledger.Event // the events that were met on the way along the chain; only where the gate asks
	Walked       int64          // how many events that way had
}

// loadDossier reads a candidate's rows and its part of the history.
func loadDossier(tx Tx, c Candidate) (dossier, error) {
	d := dossier{Candidate: c, Beside: map[int64][2]ledger.Event{}}
	var errs [7]error
	d.Votes, errs[0] = tx.FindVotes(c.ID)
	d.SignOffs, errs[1] = tx.FindSignOffs(c.ID)
	d.Revocations, errs[2] = tx.FindRevocations(c.ID)
	d.Attestations, errs[3] = tx.FindAttestations(c.ID)
	d.Records, errs[4] = tx.RecordsAbout(about(c))
	d.Whole, errs[5] = tx.Whole()
	d.Keys, errs[6] = tx.RecordsAbout(ledger.KeySubject())
	if err := errors.Join(errs[:]...); err != nil {
		return d, err
	}
	for _, r := range slices.Concat(d.Records, d.Keys) {
		near, err := tx.Events(ledger.Filter{Before: r.Seq + 2, Limit: 3})
		if err != nil {
			return d, err
		}
		var beside [2]ledger.Event
		for _, n := range near {
			switch n.Seq {
			case r.Seq - 1:
				beside[0] = n.Event
			case r.Seq + 1:
				beside[1] = n.Event
			}
		}
		d.Beside[r.Seq] = beside
	}
	return d, nil
}

// check returns what does not match: rows against the commitments of their
// events, events against their neighbours, signatures against rows. Nothing
// means that the rows are what people did.
func (d dossier) check() []string {
	var problems []string
	found := func(problem string) {
		if !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	if !d.Whole {
		found(fault.Say("Events are missing from the history."))
	}
	d.checkPassed(found)
	for _, r := range slices.Concat(d.Records, d.Keys) {
		// A comment may be forgotten: its event still stands in the chain.
		if r.Salt == nil && rests(r.Kind) {
			found(fault.Say("The payload of event %d (%s) was erased, so nothing shows what it said.", r.Seq, r.Kind))
			continue
		}
		beside := d.Beside[r.Seq]
		if err := r.Check(beside[0], r.Salt, r.Payload); err != nil {
			found(sentence(err) + ".")
		}
		if next := beside[1]; next.Seq != 0 && next.Prev != r.Hash {
			found(fault.Say("Event %d does not follow event %d: the chain is cut there.", next.Seq, r.Seq))
		}
	}
	d.checkTerms(found)
	d.checkKeys(found)
	d.checkVotes(found)
	d.checkApproval(found)
	return problems
}

// checkPassed holds the events that were found by what they say they are about
// against those that were met on the way along the chain: an event that was made
// another's, or one that was put in, is in one of the two alone.
func (d dossier) checkPassed(found func(string)) {
	met := map[int64]ledger.Event{}
	for _, e := range d.Passed {
		if e.Subject == about(d.Candidate) || e.Subject == ledger.KeySubject() {
			met[e.Seq] = e
		}
	}
	for _, r := range slices.Concat(d.Records, d.Keys) {
		if e, ok := met[r.Seq]; r.Seq <= d.Walked && (!ok || e.Hash != r.Hash) {
			found(fault.Say("Event %d (%s) was changed after it was written.", r.Seq, r.Kind))
		}
		delete(met, r.Seq)
	}
	for _, seq := range slices.Sorted(maps.Keys(met)) { // no longer found under what it is about
		found(fault.Say("Event %d (%s) was changed after it was written.", seq, met[seq].Kind))
	}
}

// rests reports whether an approval rests on what an event of a kind says.
func rests(kind string) bool {
	return kind != eventCommented && kind != eventAsked && kind != eventRecused
}

func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// commits reports whether a record commits to a payload.
func commits(r ledger.Record, payload any) bool {
	encoded, err := ledger.Entry{Kind: r.Kind, Payload: payload}.EncodePayload()
	return err == nil && ledger.Commit(r.Salt, encoded) == r.Commitment
}

// last returns the latest record of one of some kinds.
func (d dossier) last(kinds ...string) (ledger.Record, bool) {
	for _, r := range slices.Backward(d.Records) {
		if slices.Contains(kinds, r.Kind) {
			return r, true
		}
	}
	return ledger.Record{}, false
}

func (d dossier) checkTerms(found func(string)) {
	opened, ok := d.last(eventOpened, eventRebased)
	if !ok {
		found(fault.Say("The history does not know that candidate %d was proposed.", d.Candidate.Number))
	} else if !commits(opened, d.Candidate.Terms()) {
		found(fault.Say("What candidate %d puts to the vote was changed after it was proposed.", d.Candidate.Number))
	}
}

// checkVotes holds every vote against exactly one event, in order.
func (d dossier) checkVotes(found func(string)) {
	var events []ledger.Record
	for _, r := range d.Records {
		if r.Kind == eventVoted || r.Kind == eventUnvoted {
			events = append(events, r)
		}
	}
	if len(events) != len(d.Votes) {
		found(fault.Say("The history knows %d votes on candidate %d, the database %d.", len(events), d.Candidate.Number, len(d.Votes)))
	}
	for i, vote := range d.Votes[:min(len(events), len(d.Votes))] {
		event := events[i]
		if !commits(event, vote) || event.Actor != vote.Person || (event.Kind == eventUnvoted) != vote.Withdrawn {
			found(fault.Say("The vote of %s of %s does not match the history: it was changed after it was cast.", vote.PrintedName, rfc3339(event.At)))
			continue
		}
		if problem := d.signedVote(vote, event.Event); problem != "" {
			found(problem)
		}
	}
}

// signedVote holds a vote against its attestation: the database alone could be
// rewritten together with its history, but not without the key.
func (d dossier) signedVote(vote Vote, event ledger.Event) string {
	var said votePredicate
	if problem := d.attested(AttestsVote, string(vote.ID), &said); problem != "" {
		return problem
	}
	if said.Vote != vote.ID || said.History.Event != event.Seq || said.History.Hash != event.Hash || said.Value != vote.Value {
		return fault.Say("The signed vote of %s is not the one in the history.", vote.PrintedName)
	}
	return ""
}

// attested reads the predicate of an attestation of this candidate, or says
// what is wrong with it.
func (d dossier) attested(kind AttestationKind, ref string, predicate any) string {
	i := slices.IndexFunc(d.Attestations, func(a Attestation) bool { return a.Kind == kind && a.Ref == ref })
	if i < 0 {
		return fault.Say("The %s %s has no signature.", kind, ref)
	}
	a := d.Attestations[i]
	payload, err := d.Signer.Verify(a.Key, a.Envelope)
	if fault.Is(err, fault.NotFound) {
		return fault.Say("Candidate %d has signatures that were made under the key %.12s…, which this server no longer holds, nor its public half. "+
			"Put the public key into the folder keys/known of the data directory and start the server again, or restore a backup that was made with keys.", d.Candidate.Number, a.Key)
	}
	if err != nil {
		return fault.Say("The signature of the %s %s does not hold. %s", kind, ref, fault.Message(err))
	}
	var s Statement
	dec := json.NewDecoder(bytes.NewReader(payload))
	if err := dec.Decode(&s); err != nil || s.Type != StatementType || len(s.Subject) == 0 || json.Unmarshal(s.Predicate, predicate) != nil {
		return fault.Say("The signed %s %s is not readable.", kind, ref)
	}
	if s.Subject[0].Digest["sha256"] != d.Candidate.Subject.Digest.Hex() || s.PredicateType != a.Predicate || ledger.DigestOf(a.Envelope) != a.Digest {
		return fault.Say("The signed %s %s is about something else.", kind, ref)
	}
	return ""
}

// checkApproval holds sign-offs and revocations against their events.
func (d dossier) checkApproval(found func(string)) {
	var approved, revoked []ledger.Record
	for _, r := range d.Records {
		switch r.Kind {
		case eventApproved:
			approved = append(approved, r)
		case eventRevoked:
			revoked = append(revoked, r)
		}
	}
	if len(approved) != len(d.SignOffs) || len(revoked) != len(d.Revocations) {
		found(fault.Say("The history knows %d approvals and %d withdrawals, the database %d and %d.", len(approved), len(revoked), len(d.SignOffs), len(d.Revocations)))
		return
	}
	for i, r := range approved {
		if !commits(r, d.SignOffs[i]) {
			found(fault.Say("The approval of %s was changed after it was given.", rfc3339(r.At)))
		}
	}
	for i, r := range revoked {
		if !commits(r, d.Revocations[i]) {
			found(fault.Say("The withdrawal of %s was changed after it was made.", rfc3339(r.At)))
		}
	}
}

// standing returns the sign-off that stands by the history: given, and not
// taken back since.
func (d dossier) standing() (SignOff, bool) {
	last, ok := d.last(eventApproved, eventRevoked)
	if !ok || last.Kind != eventApproved || len(d.SignOffs) == 0 {
		return SignOff{}, false
	}
	return d.SignOffs[len(d.SignOffs)-1], true
}

// signedApproval holds a sign-off against its attestation.
func (d dossier) signedApproval(s SignOff) string {
	var said summaryPredicate
	if problem := d.attested(AttestsApproval, string(s.ID), &said); problem != "" {
		return problem
	}
	if said.SignOff != s.ID || said.ResourceURI != ResourceURI(d.Candidate) || said.VerificationResult != "PASSED" || said.ExpiresAt != rfc3339(s.ExpiresAt) {
		return fault.Say("The signed approval is not the one in the history.")
	}
	return ""
}
