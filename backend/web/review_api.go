package web

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/review"
)

// CandidateBody is a candidate as the API shows it.
type CandidateBody struct {
	ID           string            `json:"id"`
	Number       int               `json:"number"`
	Project      ledger.ProjectID  `json:"project"`
	Name         string            `json:"name" doc:"Of the subject, such as intents@3"`
	Subject      review.Subject    `json:"subject"`
	Model        string            `json:"model,omitempty"`
	Environment  string            `json:"environment"`
	State        review.State      `json:"state" enum:"draft,open,approved,rejected,withdrawn"`
	Note         string            `json:"note,omitempty"`
	Policy       ledger.Digest     `json:"policy,omitempty"`
	Baseline     *review.Baseline  `json:"baseline,omitempty" doc:"What was approved last for its environment when it was proposed, or measured anew; its approval may have been taken back since"`
	ProposedBy   ledger.PersonID   `json:"proposed_by"`
	TrainedBy    ledger.PersonID   `json:"trained_by,omitempty"`
	CreatedAt    time.Time         `json:"created_at"`
	OpenedAt     *time.Time        `json:"opened_at,omitempty"`
	DecidedAt    *time.Time        `json:"decided_at,omitempty"`
	ExpiresAt    *time.Time        `json:"expires_at,omitempty"`
	Requirements []review.Result   `json:"requirements,omitempty"`
	Evidence     []review.Evidence `json:"evidence,omitempty" doc:"Comparisons with the baseline, with where the answers come from"`
	OtherSets    int               `json:"other_sets,omitempty" doc:"Sets of answers that no comparison in sight reads"`
	Makers       []MakerBody       `json:"makers,omitempty" doc:"Whose votes count for nothing: who made these bytes, in any project"`
	Votes        []review.Vote     `json:"votes,omitempty" doc:"Those that stand"`
	Comments     []review.Comment  `json:"comments,omitempty"`
}

// MakerBody is a person whose vote for a candidate counts for nothing.
type MakerBody struct {
	Person    ledger.PersonID `json:"person"`
	Name      string          `json:"name,omitempty"`
	How       compare.Made    `json:"how" enum:"trained,registered,uploaded,took,proposed"`
	At        time.Time       `json:"at"`
	Elsewhere bool            `json:"elsewhere,omitempty" doc:"In another project"`
	Late      bool            `json:"late,omitempty" doc:"After the approval that stands, which keeps to those who were makers when it was given"`
}

func makerBodies(c review.Case) []MakerBody {
	var all []MakerBody
	for i, m := range slices.Concat(c.Makers, c.Late) {
		all = append(all, MakerBody{Person: m.Person, Name: m.Name, How: m.How, At: m.At, Elsewhere: m.Elsewhere, Late: i >= len(c.Makers)})
	}
	return all
}

func some(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

func candidateBody(c review.Candidate) CandidateBody {
	b := CandidateBody{
		ID: string(c.ID), Number: c.Number, Project: c.Project, Name: c.Name, Subject: c.Subject, Model: string(c.Model), Environment: string(c.Environment),
		State: c.State, Note: c.Note, Policy: c.Policy, ProposedBy: c.ProposedBy, TrainedBy: c.TrainedBy, CreatedAt: c.CreatedAt,
		OpenedAt: some(c.OpenedAt), DecidedAt: some(c.DecidedAt),
	}
	if !c.Baseline.None() {
		b.Baseline = &c.Baseline
	}
	return b
}

// GateBody is the answer of the gate. Data is what provider.web of Argo
// Rollouts reads with jsonPath {$.data.ok}.
type GateBody struct {
	Data GateData `json:"data"`
}

// GateData says whether a subject may ship.
type GateData struct {
	OK           bool            `json:"ok"`
	State        string          `json:"state" doc:"approved, open, rejected, withdrawn, draft, expired, signing, broken or unknown"`
	Decided      bool            `json:"decided" doc:"Waiting cannot change the answer soon"`
	Reason       string          `json:"reason"`
	Candidate    string          `json:"candidate,omitempty"`
	Number       int             `json:"number,omitempty"`
	Name         string          `json:"name,omitempty"`
	Subject      ledger.Digest   `json:"subject,omitempty"`
	Environment  string          `json:"environment"`
	Requirements []review.Result `json:"requirements,omitempty"`
	Problems     []string        `json:"problems,omitempty" doc:"What does not match the history, the files or the signatures"`
	Notes        []string        `json:"notes,omitempty" doc:"What is worth knowing and changes nothing"`
	ApprovedAt   *time.Time      `json:"approved_at,omitempty"`
	ExpiresAt    *time.Time      `json:"expires_at,omitempty"`
	CheckedAt    time.Time       `json:"checked_at"`
}

// GateInput asks the gate.
type GateInput struct {
	Subject     string `query:"subject" doc:"Digest of the model directory or snapshot: sha256:…" maxLength:"100"`
	Candidate   string `query:"candidate" doc:"Number or id of a candidate, instead of subject" maxLength:"100"`
	Environment string `query:"environment" doc:"production if absent" maxLength:"100"`
	Project     string `query:"project" doc:"Slug or id; needed where several projects have such a candidate" maxLength:"100"`
}

// CandidateInput names a candidate by number, id or digest.
type CandidateInput struct {
	InProject
	Candidate string `path:"candidate" doc:"Number, id or digest of the subject" maxLength:"100"`
}

// CandidatesInput asks for a list of candidates.
type CandidatesInput struct {
	InProject
	State       string `query:"state" enum:"draft,open,approved,rejected,withdrawn"`
	Environment string `query:"environment" maxLength:"100"`
	After       string `query:"after" doc:"next of the page before" maxLength:"20"`
}

// ProposeInput proposes a model or a snapshot.
type ProposeInput struct {
	InProject
	Body struct {
		Model       string `json:"model,omitempty" doc:"Name, name@version, id or digest" maxLength:"300"`
		Snapshot    string `json:"snapshot,omitempty" doc:"Digest of a snapshot, instead of a model" maxLength:"100"`
		Environment string `json:"environment,omitempty" doc:"production if absent" maxLength:"100"`
		Note        string `json:"note,omitempty"`
	}
}

// VoteInput casts a vote. By token it is stored as a comment.
type VoteInput struct {
	CandidateInput
	Body struct {
		Label    string `json:"label,omitempty" doc:"The policy's only one if absent" maxLength:"100"`
		Value    int    `json:"value" minimum:"-2" maximum:"2"`
		Role     string `json:"role,omitempty" enum:"reviewer,approver"`
		Comment  string `json:"comment,omitempty"`
		Password string `json:"password,omitempty" doc:"Needed for a vote that counts"`
		TimeZone string `json:"time_zone,omitempty" maxLength:"100"`
		Sentence string `json:"sentence,omitempty" doc:"What the person was shown; refused if it is not what would be signed"`
	}
}

// ConfirmInput repeats one's own vote now that the comparison is there.
type ConfirmInput struct {
	CandidateInput
	Body struct {
		Label    string `json:"label,omitempty" doc:"The policy's only one if absent" maxLength:"100"`
		Password string `json:"password"`
		TimeZone string `json:"time_zone,omitempty" maxLength:"100"`
		Sentence string `json:"sentence,omitempty" doc:"What the person was shown; refused if it is not what would be signed"`
	}
}

// VotedBody says what became of a vote.
type VotedBody struct {
	Counts    bool            `json:"counts"`
	Vote      *review.Vote    `json:"vote,omitempty"`
	Comment   *review.Comment `json:"comment,omitempty" doc:"What came by token, stored without weight"`
	Candidate CandidateBody   `json:"candidate"`
}

// CommentInput adds to the conversation.
type CommentInput struct {
	CandidateInput
	Body struct {
		Text string             `json:"text"`
		Kind review.CommentKind `json:"kind,omitempty" enum:"ask,recusal" doc:"A request for evidence, or a recusal; words if left out"`
	}
}

// WithdrawInput takes an approval back; it needs a login.
type WithdrawInput struct {
	CandidateInput
	Body struct {
		Reason   string `json:"reason"`
		Password string `json:"password"`
		TimeZone string `json:"time_zone,omitempty" maxLength:"100"`
	}
}

// FileBody is a file inside a JSON answer.
type FileBody struct {
	Name    string `json:"name"`
	Content string `json:"content" doc:"Base64"`
}

// EvidenceBody are the files of a candidate's evidence.
type EvidenceBody struct {
	Items   []FileBody    `json:"items" nullable:"false"`
	LeftOut []LeftOutBody `json:"left_out,omitempty" doc:"Files that belong to it and are not among items"`
}

// LeftOutBody is a file that is left out, and why.
type LeftOutBody struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// PolicyBody is a policy as the API shows it.
type PolicyBody struct {
	Version   int           `json:"version" doc:"0 for the default that ships with the product"`
	Digest    ledger.Digest `json:"digest"`
	Text      string        `json:"text"`
	Sentences []string      `json:"sentences" nullable:"false" doc:"What it means"`
	CreatedAt *time.Time    `json:"created_at,omitempty"`
}

// SavePolicyInput supersedes the policy.
type SavePolicyInput struct {
	InProject
	Body struct {
		Text string        `json:"text" maxLength:"100000"`
		Base ledger.Digest `json:"base,omitempty" doc:"Digest of the policy that was edited"`

		Reason string `json:"reason,omitempty" doc:"Why it changes; needed where it does" maxLength:"4000"`
	}
}

// EventBody is an event of the history.
type EventBody struct {
	Seq        int64           `json:"seq"`
	At         time.Time       `json:"at"`
	Actor      ledger.PersonID `json:"actor"`
	Via        ledger.Via      `json:"via"`
	Kind       string          `json:"kind"`
	Subject    string          `json:"subject" doc:"kind:id"`
	Commitment ledger.Digest   `json:"commitment"`
	Prev       ledger.Digest   `json:"prev"`
	Hash       ledger.Digest   `json:"hash"`
	Payload    string          `json:"payload,omitempty" doc:"JSON, for whoever may export data"`
	Changes    []ledger.Change `json:"changes,omitempty" doc:"What stood there and what stands there now"`
	Reason     string          `json:"reason,omitempty" doc:"Why, in the words of who did it"`
	Erased     bool            `json:"erased,omitempty" doc:"The payload was erased"`
	Withheld   bool            `json:"withheld,omitempty" doc:"The payload is what others said about an item that you may still be asked for"`
	Problem    string          `json:"problem,omitempty" doc:"What does not verify"`
}

// ChainBody is what came of the last check of the chain of events.
type ChainBody struct {
	Running bool            `json:"running" doc:"Another check is under way; ask again for what comes of it"`
	By      ledger.PersonID `json:"by,omitempty" doc:"Who asked for the last one"`
	Begun   *time.Time      `json:"begun_at,omitempty"`
	Ended   *time.Time      `json:"ended_at,omitempty" doc:"Absent where none has ended yet"`
	Events  int64           `json:"events" doc:"How many there were, up to the last that verifies"`
	Problem string          `json:"problem,omitempty" doc:"What does not verify; absent if all does"`
}

func (s *Server) chainChecked(ctx context.Context, project ledger.ProjectID) (*Answer[ChainBody], error) {
	c, err := s.Review.CheckHistory(ctx, actorIn(ctx), project, true)
	if err != nil {
		return nil, err
	}
	body := ChainBody{Running: c.Running, By: c.By, Begun: some(c.Begun), Ended: some(c.Ended), Events: c.Events}
	if c.Problem != nil {
		body.Problem = fault.Message(c.Problem)
	}
	return &Answer[ChainBody]{body}, nil
}

// HistoryInput filters the history of a project.
type HistoryInput struct {
	InProject
	HistoryQuery
}

// HistoryQuery filters the history.
type HistoryQuery struct {
	Kind   string `query:"kind" maxLength:"100"`
	Actor  string `query:"actor" maxLength:"100"`
	Record string `query:"record" maxLength:"200" doc:"Only events about this, as kind:id"`
	From   string `query:"from" maxLength:"10" doc:"First day, as 2026-03-01"`
	Until  string `query:"until" maxLength:"10" doc:"Last day, as 2026-03-31"`
	Before int64  `query:"before" doc:"Only events before this one"`
	Limit  int    `query:"limit" minimum:"0" maximum:"1000"`
}

// reviewAPI registers the operations about candidates, votes, policy and gate.
func (s *Server) reviewAPI() {
	operation(s, api{GET, "/gate", "ask-gate", "May this ship?", either, ledger.ActionGate}, s.askGate)
	operation(s, api{GET, "/candidates/{candidate}", "locate-candidate", "Find a candidate in whichever project has it", either, ledger.ActionRead},
		func(ctx context.Context, in *struct {
			Candidate string `path:"candidate" maxLength:"100"`
		}) (*Answer[CandidateBody], error) {
			ref, err := review.ParseCandidateRef(in.Candidate)
			if err != nil {
				return nil, err
			}
			c, err := s.Review.Locate(ctx, actorIn(ctx), ref)
			return &Answer[CandidateBody]{candidateBody(c)}, err
		})
	operation(s, api{GET, "/projects/{project}/candidates", "list-candidates", "List candidates", either, ledger.ActionRead}, s.listCandidates)
	operation(s, api{POST, "/projects/{project}/candidates", "create-candidate", "Propose a model or a snapshot", either, ledger.ActionPropose}, s.proposeCandidate)
	operation(s, api{GET, "/projects/{project}/candidates/{candidate}", "get-candidate", "Get a candidate with its requirements and votes", either, ledger.ActionRead}, s.candidateCase)
	operation(s, api{POST, "/projects/{project}/candidates/{candidate}/votes", "cast-vote", "Vote on a candidate", either, ledger.ActionVote}, s.castVote)
	operation(s, api{POST, "/projects/{project}/candidates/{candidate}/confirm", "confirm-vote", "Confirm your vote now that the comparison is there", either, ledger.ActionVote}, s.confirmVote)
	operation(s, api{POST, "/projects/{project}/candidates/{candidate}/comments", "create-comment", "Comment on a candidate", either, ledger.ActionComment},
		func(ctx context.Context, in *CommentInput) (*Answer[review.Comment], error) {
			ref, err := review.ParseCandidateRef(in.Candidate)
			if err != nil {
				return nil, err
			}
			c, err := s.Review.Comment(ctx, actorIn(ctx), review.CommentRequest{Project: projectIn(ctx).ID, Candidate: ref, Kind: in.Body.Kind, Text: in.Body.Text})
			return &Answer[review.Comment]{c}, err
		})
	operation(s, api{POST, "/projects/{project}/candidates/{candidate}/rebase", "rebase-candidate", "Measure a candidate against what was approved last", either, ledger.ActionPropose},
		func(ctx context.Context, in *CandidateInput) (*Answer[CandidateBody], error) {
			ref, err := review.ParseCandidateRef(in.Candidate)
			if err != nil {
				return nil, err
			}
			c, err := s.Review.Rebase(ctx, actorIn(ctx), projectIn(ctx).ID, ref)
			return &Answer[CandidateBody]{candidateBody(c)}, err
		})
	operation(s, api{POST, "/projects/{project}/candidates/{candidate}/measurements", "measure-candidate", "Compare a candidate with its baseline once more", either, ledger.ActionCompare},
		func(ctx context.Context, in *CandidateInput) (*Answer[CandidateBody], error) {
			ref, err := review.ParseCandidateRef(in.Candidate)
			if err != nil {
				return nil, err
			}
			if err := s.Review.Measure(ctx, actorIn(ctx), projectIn(ctx).ID, ref); err != nil {
				return nil, err
			}
			c, err := s.Review.Case(ctx, actorIn(ctx), projectIn(ctx).ID, ref)
			return &Answer[CandidateBody]{candidateBody(c.Candidate)}, err
		})
	operation(s, api{POST, "/projects/{project}/candidates/{candidate}/withdrawal", "withdraw-approval", "Take an approval back", either, ledger.ActionWithdraw},
		func(ctx context.Context, in *WithdrawInput) (*Answer[CandidateBody], error) {
			ref, err := review.ParseCandidateRef(in.Candidate)
			if err != nil {
				return nil, err
			}
			c, err := s.Review.Withdraw(ctx, actorIn(ctx), review.WithdrawRequest{Project: projectIn(ctx).ID, Candidate: ref,
				Reason: in.Body.Reason, Password: in.Body.Password, TimeZone: in.Body.TimeZone, Address: addressIn(ctx)})
			return &Answer[CandidateBody]{candidateBody(c)}, err
		})
	operation(s, api{GET, "/projects/{project}/candidates/{candidate}/evidence", "list-evidence", "Get the attestations of a candidate and the public key", either, ledger.ActionRead},
		func(ctx context.Context, in *CandidateInput) (*Answer[EvidenceBody], error) {
			ref, err := review.ParseCandidateRef(in.Candidate)
			if err != nil {
				return nil, err
			}
			files, left, err := s.Review.EvidenceFiles(ctx, actorIn(ctx), projectIn(ctx).ID, ref)
			list := EvidenceBody{Items: []FileBody{}}
			for _, f := range files {
				list.Items = append(list.Items, FileBody{f.Name, base64.StdEncoding.EncodeToString(f.Content)})
			}
			for _, f := range left {
				list.LeftOut = append(list.LeftOut, LeftOutBody{f.Name, f.Reason})
			}
			return &Answer[EvidenceBody]{list}, err
		})
	operation(s, api{GET, "/projects/{project}/policy", "get-policy", "Get the policy for new candidates", either, ledger.ActionRead},
		func(ctx context.Context, _ *InProject) (*Answer[PolicyBody], error) {
			policy, err := s.Review.Policy(ctx, actorIn(ctx), projectIn(ctx).ID)
			return &Answer[PolicyBody]{policyBody(policy)}, err
		})
	operation(s, api{PUT, "/projects/{project}/policy", "save-policy", "Supersede the policy", there, ledger.ActionManage},
		func(ctx context.Context, in *SavePolicyInput) (*Answer[PolicyBody], error) {
			policy, err := s.Review.SavePolicy(ctx, actorIn(ctx), review.SavePolicyRequest{Project: projectIn(ctx).ID, Text: in.Body.Text, Base: in.Body.Base, Reason: in.Body.Reason})
			return &Answer[PolicyBody]{policyBody(policy)}, err
		})
	operation(s, api{GET, "/projects/{project}/history", "list-events", "Read the history, newest first", either, ledger.ActionRead}, s.listEvents)
	operation(s, api{GET, "/history", "list-all-events", "Read the history of the whole installation, newest first", either, ledger.ActionAdminister}, s.listAllEvents)
	operation(s, api{POST, "/projects/{project}/history/check", "check-history", "Have the whole chain of events checked, and wait a moment for what comes of it", either, ledger.ActionManage},
		func(ctx context.Context, _ *InProject) (*Answer[ChainBody], error) {
			return s.chainChecked(ctx, projectIn(ctx).ID)
		})
	operation(s, api{POST, "/history/check", "check-whole-history", "The same for the admins of the installation", either, ledger.ActionAdminister},
		func(ctx context.Context, _ *struct{}) (*Answer[ChainBody], error) { return s.chainChecked(ctx, "") })
}

// addressIn returns the address a request came from, for the rate limit of
// passwords.
func addressIn(ctx context.Context) string { return callIn(ctx).address }

func (s *Server) askGate(ctx context.Context, in *GateInput) (*Answer[GateBody], error) {
	text := in.Subject
	if (in.Subject == "") == (in.Candidate == "") {
		return nil, fault.Field("subject", "Give either subject (sha256:…) or candidate (a number or an id).")
	}
	if text == "" {
		text = in.Candidate
	}
	ref, err := review.ParseCandidateRef(text)
	if err != nil {
		return nil, err
	}
	if in.Subject != "" && ref.Digest == "" {
		return nil, fault.Field("subject", "%.80q is not a digest; it looks like sha256: and 64 hexadecimal digits", in.Subject)
	}
	environment, err := review.ParseEnvironment(in.Environment)
	if err != nil {
		return nil, err
	}
	req := review.GateRequest{Candidate: ref, Environment: environment}
	if in.Project != "" {
		place, err := s.Place(ctx, in.Project)
		if err != nil {
			return nil, err
		}
		req.Project = place.ID
	}
	a, err := s.Review.Gate(ctx, actorIn(ctx), req)
	if err == nil && s.Meter != nil {
		s.Meter.Gate(a.OK)
	}
	return &Answer[GateBody]{GateBody{GateData{
		OK: a.OK, State: a.State, Decided: a.Decided(), Reason: a.Reason, Candidate: string(a.Candidate), Number: a.Number, Name: a.Name,
		Subject: a.Subject.Digest, Environment: string(a.Environment), Requirements: a.Results, Problems: a.Problems, Notes: a.Notes,
		ApprovedAt: some(a.ApprovedAt), ExpiresAt: some(a.ExpiresAt), CheckedAt: a.CheckedAt,
	}}}, err
}

func (s *Server) listCandidates(ctx context.Context, in *CandidatesInput) (*Answer[List[CandidateBody]], error) {
	const page = 50
	before, _ := strconv.Atoi(in.After) // what is no number starts at the top
	found, err := s.Review.Candidates(ctx, actorIn(ctx), review.CandidateFilter{
		Project: projectIn(ctx).ID, State: review.State(in.State), Environment: review.Environment(in.Environment), Before: before, Limit: page,
	})
	return &Answer[List[CandidateBody]]{pageOf(found, candidateBody, func(c review.Candidate) string { return strconv.Itoa(c.Number) }, len(found) == page)}, err
}

func (s *Server) proposeCandidate(ctx context.Context, in *ProposeInput) (*Answer[CandidateBody], error) {
	environment, err := review.ParseEnvironment(in.Body.Environment)
	if err != nil {
		return nil, err
	}
	req := review.ProposeRequest{Project: projectIn(ctx).ID, Environment: environment, Note: in.Body.Note}
	switch {
	case (in.Body.Model == "") == (in.Body.Snapshot == ""):
		return nil, fault.Field("model", "Give either a model or the digest of a snapshot.")
	case in.Body.Model != "":
		req.Model, err = compare.ParseModelRef(in.Body.Model)
	default:
		req.Subject.Kind = review.SubjectSnapshot
		req.Subject.Digest, err = ledger.ParseDigest(in.Body.Snapshot)
	}
	if err != nil {
		return nil, err
	}
	c, err := s.Review.Propose(ctx, actorIn(ctx), req)
	return &Answer[CandidateBody]{candidateBody(c)}, err
}

func (s *Server) candidateCase(ctx context.Context, in *CandidateInput) (*Answer[CandidateBody], error) {
	ref, err := review.ParseCandidateRef(in.Candidate)
	if err != nil {
		return nil, err
	}
	c, err := s.Review.Case(ctx, actorIn(ctx), projectIn(ctx).ID, ref)
	if err != nil {
		return nil, err
	}
	b := candidateBody(c.Candidate)
	b.Makers, b.Evidence, b.OtherSets = makerBodies(c), c.Evidence, c.Unread.Others
	b.Requirements, b.Votes, b.Comments = c.Results, c.Votes, c.Comments
	if signed, stands := c.SignOff(); stands {
		b.ExpiresAt = some(signed.ExpiresAt)
	}
	return &Answer[CandidateBody]{b}, nil
}

func (s *Server) castVote(ctx context.Context, in *VoteInput) (*Answer[VotedBody], error) {
	ref, err := review.ParseCandidateRef(in.Candidate)
	if err != nil {
		return nil, err
	}
	voted, err := s.Review.Vote(ctx, actorIn(ctx), review.VoteRequest{
		Project: projectIn(ctx).ID, Candidate: ref, Label: in.Body.Label, Value: in.Body.Value, Role: ledger.Role(in.Body.Role), Comment: in.Body.Comment,
		Password: in.Body.Password, TimeZone: in.Body.TimeZone, Sentence: in.Body.Sentence, Address: addressIn(ctx),
	})
	return &Answer[VotedBody]{VotedBody{Counts: voted.Vote != nil, Vote: voted.Vote, Comment: voted.Comment, Candidate: candidateBody(voted.Candidate)}}, err
}

func (s *Server) confirmVote(ctx context.Context, in *ConfirmInput) (*Answer[VotedBody], error) {
	ref, err := review.ParseCandidateRef(in.Candidate)
	if err != nil {
		return nil, err
	}
	voted, err := s.Review.Confirm(ctx, actorIn(ctx), review.ConfirmRequest{
		Project: projectIn(ctx).ID, Candidate: ref, Label: in.Body.Label, Password: in.Body.Password, TimeZone: in.Body.TimeZone, Sentence: in.Body.Sentence, Address: addressIn(ctx),
	})
	return &Answer[VotedBody]{VotedBody{Counts: voted.Vote != nil, Vote: voted.Vote, Candidate: candidateBody(voted.Candidate)}}, err
}

func policyBody(p review.Policy) PolicyBody {
	b := PolicyBody{Version: p.Version, Digest: p.Digest, Text: p.Text, Sentences: []string{}, CreatedAt: some(p.CreatedAt)}
	if rules, err := p.Rules(); err == nil {
		for _, q := range rules.Requirements {
			b.Sentences = append(b.Sentences, rules.Says(q))
		}
	}
	return b
}

func (s *Server) listEvents(ctx context.Context, in *HistoryInput) (*Answer[List[EventBody]], error) {
	return s.eventsIn(ctx, projectIn(ctx).ID, in.HistoryQuery)
}

func (s *Server) listAllEvents(ctx context.Context, in *HistoryQuery) (*Answer[List[EventBody]], error) {
	return s.eventsIn(ctx, "", *in)
}

func (s *Server) eventsIn(ctx context.Context, project ledger.ProjectID, in HistoryQuery) (*Answer[List[EventBody]], error) {
	q := url.Values{"kind": {in.Kind}, "actor": {in.Actor}, "record": {in.Record}, "from": {in.From}, "until": {in.Until}}
	if err := checkHistoryQuery(q); err != nil {
		return nil, err
	}
	filter := historyFilter(q, project)
	filter.Before, filter.Limit = in.Before, cmp.Or(in.Limit, 100)
	traces, more, err := s.Review.History(ctx, actorIn(ctx), filter)
	list := pageOf(traces, func(t review.Trace) EventBody {
		changes, reason := ledger.Changes(t.Payload)
		return EventBody{Seq: t.Seq, At: t.At, Actor: t.Actor, Via: t.Via, Kind: t.Kind, Subject: t.Subject.Kind + ":" + t.Subject.ID,
			Commitment: t.Commitment, Prev: t.Prev, Hash: t.Hash, Payload: string(t.Payload), Changes: changes, Reason: reason, Erased: t.Erased(), Withheld: t.Withheld, Problem: t.Problem}
	}, func(t review.Trace) string { return strconv.FormatInt(t.Seq, 10) }, more)
	return &Answer[List[EventBody]]{list}, err
}
