package review

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// GateRequest asks whether a candidate may ship.
type GateRequest struct {
	Project     ledger.ProjectID // empty: the one project that has such a candidate
	Candidate   CandidateRef
	Environment Environment
}

// Answer is what the gate says. OK is true only when everything was computed
// anew and held.
type Answer struct {
	OK          bool
	State       string // approved, open, rejected, withdrawn, draft, expired, signing, broken, unknown
	Reason      string
	Project     ledger.ProjectID
	Candidate   CandidateID
	Number      int
	Name        string
	Subject     Subject
	Environment Environment
	Results     []Result
	Problems    []string // what does not match
	Notes       []string // what is worth knowing and changes nothing
	ApprovedAt  time.Time
	ExpiresAt   time.Time
	CheckedAt   time.Time
}

// States of an answer that are no states of a candidate.
const (
	AnswerExpired = "expired" // it was approved, for a time that is over
	AnswerSigning = "signing" // approved, and the signatures are being written
	AnswerBroken  = "broken"  // something does not match the history, the files or the signatures
	AnswerUnknown = "unknown" // nobody proposed this
)

// Decided reports whether waiting cannot change the answer soon.
func (a Answer) Decided() bool {
	return a.OK || a.State != string(StateDraft) && a.State != string(StateOpen) && a.State != AnswerSigning && a.State != AnswerUnknown
}

// Gate answers whether a candidate may ship to an environment now. It trusts no
// stored verdict: it holds every vote against the history and its signature,
// every file of the model against its digest, and evaluates the policy again.
// A subject that nobody proposed is answered with no, not with an error.
func (s *Service) Gate(ctx context.Context, actor ledger.Actor, req GateRequest) (Answer, error) {
	if req.Project != "" {
		if err := actor.Must(req.Project, ledger.ActionGate); err != nil {
			return Answer{}, err
		}
	}
	if req.Environment == "" {
		req.Environment = Production
	}
	answer := Answer{Environment: req.Environment, CheckedAt: s.now(), State: AnswerUnknown}
	c, err := s.meant(ctx, actor, req)
	if fault.Is(err, fault.NotFound) {
		answer.Subject.Digest = req.Candidate.Digest
		answer.Reason = fault.Message(err)
		return answer, nil
	}
	if err != nil {
		return Answer{}, err
	}
	answer.Project, answer.Candidate, answer.Number, answer.Name, answer.Subject = c.Project, c.ID, c.Number, c.Name, c.Subject
	if c.Environment != req.Environment {
		answer.State = string(StateOpen)
		answer.Reason = fault.Say("Candidate %d is proposed for %s, not for %s.", c.Number, c.Environment, req.Environment)
		return answer, nil
	}
	return s.recompute(ctx, c, answer)
}

// Recompute answers for one candidate and the environment it is proposed for,
// to whoever may read the project.
func (s *Service) Recompute(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, ref CandidateRef) (Answer, error) {
	if err := actor.Must(project, ledger.ActionRead); err != nil {
		return Answer{}, err
	}
	var c Candidate
	if err := s.View(ctx, func(tx Tx) (err error) {
		c, err = candidateFor(tx, actor, project, ref)
		return err
	}); err != nil {
		return Answer{}, err
	}
	return s.recompute(ctx, c, Answer{Environment: c.Environment, CheckedAt: s.now(), Project: c.Project, Candidate: c.ID, Number: c.Number, Name: c.Name, Subject: c.Subject})
}

// meant finds the candidate that a request is about: of several for one digest
// and environment the one that is approved, else the newest.
func (s *Service) meant(ctx context.Context, actor ledger.Actor, req GateRequest) (Candidate, error) {
	filter := CandidateFilter{Project: req.Project, ID: req.Candidate.ID, Number: req.Candidate.Number, Digest: req.Candidate.Digest, Limit: 1000}
	if req.Candidate.Digest != "" {
		filter.Environment = req.Environment
	}
	var found []Candidate
	if err := s.View(ctx, func(tx Tx) (err error) {
		found, err = tx.FindCandidates(filter)
		return err
	}); err != nil {
		return Candidate{}, err
	}
	var best Candidate
	for _, c := range found {
		switch {
		case !actor.May(c.Project, ledger.ActionGate):
		case best.ID == "":
			best = c
		case best.Project != c.Project:
			return Candidate{}, fault.Field("project", "Several projects have such a candidate. Say which with --project.")
		case best.State != StateApproved && c.State == StateApproved:
			best = c
		}
	}
	if best.ID == "" {
		return best, fault.New(fault.NotFound, "Nobody proposed this for %s, so nothing approves it.", req.Environment)
	}
	return best, nil
}

// recompute answers for a candidate from its votes, the history, the files and
// the signatures.
func (s *Service) recompute(ctx context.Context, c Candidate, answer Answer) (Answer, error) {
	var d dossier
	var policy Policy
	var policyErr error
	var voters []Voter
	var base ground
	var shown []exhibit
	var measured []Measurement
	var recused []ledger.PersonID
	var makers []Maker
	var unread Unread
	var people []Standing
	var proposed time.Time
	var peopleErr error
	var rows []string
	passed, walked, walkErr := s.Walked(ctx) // first: what comes meanwhile is in the dossier all the more
	if walkErr != nil && !fault.Is(walkErr, fault.Conflict) {
		return answer, walkErr
	}
	err := s.proven(ctx, func(tx Tx, wrong []string) (err error) {
		rows = wrong
		if c, err = tx.GetCandidate(c.Project, CandidateRef{ID: c.ID}); err != nil {
			return err
		}
		if d, err = loadDossier(tx, c); err != nil {
			return err
		}
		if voters, err = tx.FindVoters(c.Project); err != nil {
			return err
		}
		policy, policyErr = policyOf(tx, c)
		if shown, unread, err = exhibitsOf(tx, c); err != nil {
			return err
		}
		if measured, err = measurementsOf(tx, c); err != nil {
			return err
		}
		comments, err := tx.FindComments(c.ID)
		if err != nil {
			return err
		}
		recused = recusedIn(comments)
		if makers, err = makersOf(tx, c); err != nil {
			return err
		}
		if c.State != StateDraft {
			given, _ := d.standing()
			past := pastIn(tx, witness{})
			if walkErr == nil {
				past.witness = witness{passed, walked}
			}
			if proposed, peopleErr = past.proposed(c); peopleErr == nil {
				people, peopleErr = standingsOf(past, c, Live(d.Votes), given)
			}
			if peopleErr != nil && !fault.Is(peopleErr, fault.Conflict) {
				return peopleErr
			}
		}
		base, err = loadGround(tx, c)
		return err
	})
	if err != nil {
		return answer, err
	}
	d.Signer, d.Passed, d.Walked = s.Signer, passed, walked
	answer.State = string(c.State)
	if c.State == StateDraft {
		answer.Reason = fault.Say("Candidate %d is a draft: it is not proposed yet.", c.Number)
		return answer, nil
	}
	signed, stands := d.standing()
	if waiting := d.unsigned(); waiting != "" && s.fresh(d) {
		answer.State, answer.Reason = AnswerSigning, waiting
		return answer, nil
	}
	if walkErr != nil {
		d.Records, answer.Problems = nil, []string{fault.Message(walkErr)} // nothing that they say can be believed
	} else {
		answer.Problems, answer.Notes = d.check(), d.notes()
		d.checkGround(base, func(problem string) { answer.Problems = append(answer.Problems, problem) })
	}
	if len(answer.Problems) == 0 {
		answer.Problems = rows // where more is known, that says it better
	}
	if stands {
		if problem := d.signedApproval(signed); problem != "" && !slices.Contains(answer.Problems, problem) {
			answer.Problems = append(answer.Problems, problem)
		}
		waiting, err := s.uncovered(ctx, d, &answer)
		if err != nil {
			return answer, err
		}
		if waiting && len(answer.Problems) == 0 {
			answer.State, answer.Reason = AnswerSigning, fault.Say("The checkpoint that covers the decision is being made. Ask again in a moment.")
			return answer, nil
		}
	}
	if policyErr != nil {
		answer.Problems = append(answer.Problems, fault.Say("The policy that it was judged by is gone."))
	}
	rules, err := policy.Rules()
	if err != nil && policyErr == nil {
		answer.Problems = append(answer.Problems, fault.Message(err))
	}
	if c.Subject.Kind == SubjectModel {
		if err := s.checkFiles(ctx, c, base.Model); err != nil {
			if ctx.Err() != nil {
				return answer, ctx.Err()
			}
			answer.Problems = append(answer.Problems, fault.Message(err))
		}
	}
	if peopleErr != nil && !slices.Contains(answer.Problems, fault.Message(peopleErr)) {
		answer.Problems = append(answer.Problems, fault.Message(peopleErr))
	}
	facts := Facts{Candidate: c, Proposed: proposed, PeopleErr: peopleErr, Votes: Live(d.Votes), Voters: voters, People: people, Current: c.Baseline, Measured: measured, Recused: recused, Makers: makers, Unread: unread}
	if stands {
		facts.Makers, facts.Late = atDecision(makers, signed)
		shown, facts.Approval = these(signed.Evidence, shown), signed.Evidence // what the approval rests on, not what was compared since
	}
	facts.Evidence, facts.EvidenceErr = s.evidence(ctx, c, shown)
	answer.Results = rules.Evaluate(facts)
	s.conclude(&answer, d, signed, stands)
	return answer, nil
}

// proveTries is how often a look at the rows is repeated because the history went on.
const proveTries = 5

// proven is View, and holds the rows that an answer rests on against the history in
// the same look. f hears what does not agree; it may run more than once.
func (s *Service) proven(ctx context.Context, f func(tx Tx, wrong []string) error) (err error) {
	for range proveTries {
		err = s.View(ctx, func(tx Tx) error {
			wrong, err := s.Proved(tx)
			switch {
			case fault.Is(err, fault.Conflict):
				return f(tx, []string{fault.Message(err)})
			case err != nil:
				return err
			}
			return f(tx, shortened(wrong))
		})
		if !fault.Is(err, fault.Unavailable) {
			break
		}
	}
	return err
}

// wrongRows says which rows that verdicts rest on do not agree with the history.
func (s *Service) wrongRows(ctx context.Context) (wrong []string, err error) {
	err = s.proven(ctx, func(_ Tx, found []string) error {
		wrong = found
		return nil
	})
	return wrong, err
}

// mostNamed is how many rows an answer names; doctor names all.
const mostNamed = 3

// shortened shortens a list of what is wrong with rows, and says how to find out more.
func shortened(wrong []string) []string {
	if len(wrong) == 0 {
		return nil
	}
	more := len(wrong) - mostNamed
	wrong = slices.Clone(wrong[:min(len(wrong), mostNamed)])
	if more > 0 {
		wrong = append(wrong, fault.Say("%d more rows do not agree with the history.", more))
	}
	return append(wrong, fault.Say("Somebody wrote into the database. Run adjudge doctor where the server runs; it names every such row."))
}

// conclude turns what was found into the answer.
func (s *Service) conclude(answer *Answer, d dossier, signed SignOff, stands bool) {
	c := d.Candidate
	switch {
	case len(answer.Problems) > 0:
		answer.State, answer.Reason = AnswerBroken, strings.Join(answer.Problems, " ")
	case !stands && len(d.Revocations) > 0 && c.State == StateWithdrawn:
		r := d.Revocations[len(d.Revocations)-1]
		answer.State, answer.Reason = string(StateWithdrawn), fault.Say("%s withdrew the approval on %s: %s", r.PrintedName, When(r.At, r.TimeZone), r.Reason)
	case !stands && c.State == StateApproved:
		answer.State, answer.Reason = AnswerBroken, fault.Say("It is marked as approved, but the history knows no approval that stands.")
	case !stands:
		answer.Reason = Unmet(answer.Results)
		if answer.Reason == "" {
			answer.Reason = fault.Say("No sign-off stands. Vote again.")
		}
	case !Pass(answer.Results):
		answer.State, answer.Reason = AnswerBroken, Unmet(answer.Results)
	case !s.now().Before(signed.ExpiresAt):
		answer.State = AnswerExpired
		answer.Reason = fault.Say("The approval ended on %s. Propose the %s again.", rfc3339(signed.ExpiresAt), c.Subject.Kind)
	default:
		answer.OK, answer.State = true, string(StateApproved)
		answer.ApprovedAt, answer.ExpiresAt = signed.At, signed.ExpiresAt
		answer.Reason = fault.Say("%s may ship to %s until %s.", c.Name, c.Environment, signed.ExpiresAt.Format("2 January 2006"))
		for _, r := range answer.Results {
			if r.Caveat != "" && !strings.Contains(answer.Reason, r.Caveat) {
				answer.Reason += " " + r.Caveat
			}
		}
	}
}

// signingTime is how long signatures may take before their absence is a problem.
const signingTime = 2 * time.Minute

// fresh reports whether something happened so recently that its signature may
// still be on its way.
func (s *Service) fresh(d dossier) bool {
	if len(d.Records) == 0 {
		return false
	}
	return s.now().Sub(d.Records[len(d.Records)-1].At) < signingTime
}

// uncovered looks for the checkpoint behind the newest decision about the
// candidate: without it whoever can write the database could cut the decision off
// and leave the one before. It reports whether the checkpoint may still come, and
// adds to the problems where it is missing for too long or the history does not
// hold one that was made.
func (s *Service) uncovered(ctx context.Context, d dossier, answer *Answer) (waiting bool, err error) {
	decided, found := d.last(slices.Collect(maps.Keys(Decisions()))...)
	if !found {
		return false, nil
	}
	covered, err := s.Covers(ctx, decided.Seq)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case err != nil:
		answer.Problems = append(answer.Problems, fault.Message(err))
	case covered:
	case s.now().Sub(decided.At) < signingTime:
		return true, nil
	default:
		answer.Problems = append(answer.Problems, fault.Say("No checkpoint covers the decision of %s, so it could be cut from the history unseen. An admin makes one under Checkpoints.", rfc3339(decided.At)))
	}
	return false, nil
}

// unsigned says that a signature is missing.
func (d dossier) unsigned() string {
	have := map[string]bool{}
	for _, a := range d.Attestations {
		have[string(a.Kind)+a.Ref] = true
	}
	missing := 0
	for _, v := range d.Votes {
		if !have[string(AttestsVote)+string(v.ID)] {
			missing++
		}
	}
	if signed, stands := d.standing(); stands && !have[string(AttestsApproval)+string(signed.ID)] {
		missing++
	}
	if missing == 0 {
		return ""
	}
	return fault.Say("The signatures are being written. Ask again in a moment.")
}

// checkFiles holds the files of a model against the digest that people voted on.
func (s *Service) checkFiles(ctx context.Context, c Candidate, model compare.Model) error {
	if model.Digest != c.Subject.Digest {
		return fault.New(fault.Conflict, "The model was changed: its digest is no longer the one that was voted on.")
	}
	if len(model.Files) == 0 {
		return nil // it lives elsewhere; whoever holds its bytes digests them
	}
	if root, err := ledger.TreeRoot(treeFiles(model)); err != nil || root != c.Subject.Digest {
		return fault.As(fault.Conflict, err, "The list of the model's files was changed: it no longer has the digest that was voted on.")
	}
	for _, f := range model.Files {
		if err := s.checkFile(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) checkFile(ctx context.Context, f compare.File) (err error) {
	file, err := s.Files.Open(ctx, f.Digest)
	if err != nil {
		return fault.As(fault.Conflict, err, "The model's file %s cannot be read.", f.Path)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	h := sha256.New()
	_, err = io.Copy(h, file)
	switch {
	case fault.Is(err, fault.Conflict): // files may check what they read themselves
		return fault.As(fault.Conflict, err, "The model's file %s was changed after it was voted on.", f.Path)
	case err != nil:
		return fault.As(fault.Conflict, err, "The model's file %s cannot be read.", f.Path)
	case ledger.DigestFrom([sha256.Size]byte(h.Sum(nil))) != f.Digest:
		return fault.New(fault.Conflict, "The model's file %s was changed after it was voted on.", f.Path)
	}
	return nil
}

func treeFiles(model compare.Model) []ledger.TreeFile {
	files := make([]ledger.TreeFile, len(model.Files))
	for i, f := range model.Files {
		files[i] = ledger.TreeFile{Path: f.Path, Size: f.Size, Digest: f.Digest}
	}
	return files
}
