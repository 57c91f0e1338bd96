package store

import (
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/review"
)

var _ review.Tx = (*Tx)(nil)

const candidateColumns = `SELECT c.id, c.project, c.number, c.subject_kind, c.subject, c.name, c.model, c.environment, c.note, c.state, c.policy,
	c.baseline, c.baseline_number, c.baseline_name, c.baseline_model, c.baseline_subject,
	c.proposed_by, c.trained_by, c.created_at, c.opened_at, c.decided_at FROM candidate c `

func (tx *Tx) candidates(where string, args ...any) ([]review.Candidate, error) {
	var found []review.Candidate
	err := tx.each(candidateColumns+where, args, func(scan func(...any) error) error {
		var c review.Candidate
		var created, opened, decided int64
		err := scan(&c.ID, &c.Project, &c.Number, &c.Subject.Kind, &c.Subject.Digest, &c.Name, &c.Model, &c.Environment, &c.Note, &c.State, &c.Policy,
			&c.Baseline.Candidate, &c.Baseline.Number, &c.Baseline.Name, &c.Baseline.Model, &c.Baseline.Digest,
			&c.ProposedBy, &c.TrainedBy, &created, &opened, &decided)
		c.CreatedAt, c.OpenedAt, c.DecidedAt = fromMicros(created), fromMicros(opened), fromMicros(decided)
		found = append(found, c)
		return err
	})
	return found, err
}

// CreateCandidate stores a candidate and gives it the next number of its project.
func (tx *Tx) CreateCandidate(c review.Candidate) (review.Candidate, error) {
	err := tx.one([]any{&c.Number}, `INSERT INTO candidate (id, project, number, subject_kind, subject, name, model, environment, note, state, policy,
			baseline, baseline_number, baseline_name, baseline_model, baseline_subject, proposed_by, trained_by, created_at, opened_at, decided_at)
		VALUES ($1, $2, (SELECT COALESCE(MAX(number), 0) + 1 FROM candidate WHERE project = $2), $3, $4, $5, $6, $7, $8, $9, $10,
			$11, $12, $13, $14, $15, $16, $17, $18, $19, $20) RETURNING number`,
		string(c.ID), string(c.Project), string(c.Subject.Kind), string(c.Subject.Digest), c.Name, string(c.Model), string(c.Environment), c.Note,
		string(c.State), string(c.Policy), string(c.Baseline.Candidate), c.Baseline.Number, c.Baseline.Name, string(c.Baseline.Model),
		string(c.Baseline.Digest), string(c.ProposedBy), string(c.TrainedBy), micros(c.CreatedAt), micros(c.OpenedAt), micros(c.DecidedAt))
	return c, fault.Wrap(err, "create a candidate")
}

// UpdateCandidate replaces what may change of a candidate.
func (tx *Tx) UpdateCandidate(c review.Candidate) error {
	n, err := tx.exec(`UPDATE candidate SET note = $2, state = $3, policy = $4, baseline = $5, baseline_number = $6, baseline_name = $7,
			baseline_model = $8, baseline_subject = $9, proposed_by = $10, trained_by = $11, opened_at = $12, decided_at = $13 WHERE id = $1`,
		string(c.ID), c.Note, string(c.State), string(c.Policy), string(c.Baseline.Candidate), c.Baseline.Number, c.Baseline.Name,
		string(c.Baseline.Model), string(c.Baseline.Digest), string(c.ProposedBy), string(c.TrainedBy), micros(c.OpenedAt), micros(c.DecidedAt))
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "There is no such candidate.")
	}
	return fault.Wrap(err, "update a candidate")
}

// GetCandidate finds one candidate of a project.
func (tx *Tx) GetCandidate(project ledger.ProjectID, ref review.CandidateRef) (review.Candidate, error) {
	if ref == (review.CandidateRef{}) {
		return review.Candidate{}, fault.New(fault.NotFound, "There is no such candidate.")
	}
	found, err := tx.FindCandidates(review.CandidateFilter{Project: project, ID: ref.ID, Number: ref.Number, Digest: ref.Digest, Limit: 1})
	if err != nil {
		return review.Candidate{}, err
	}
	if len(found) == 0 {
		return review.Candidate{}, fault.New(fault.NotFound, "This project has no such candidate.")
	}
	return found[0], nil
}

// FindCandidates lists candidates, newest first.
func (tx *Tx) FindCandidates(f review.CandidateFilter) ([]review.Candidate, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	found, err := tx.candidates(`
		WHERE (CAST($1 AS TEXT) = '' OR c.project = $1)
		  AND (CAST($2 AS TEXT) = '' OR c.id = $2)
		  AND (CAST($3 AS BIGINT) = 0 OR c.number = $3)
		  AND (CAST($4 AS TEXT) = '' OR c.subject = $4)
		  AND (CAST($5 AS TEXT) = '' OR c.environment = $5)
		  AND (CAST($6 AS TEXT) = '' OR c.state = $6)
		  AND (CAST($7 AS BIGINT) = 0 OR c.number < $7)
		ORDER BY c.project, c.number DESC LIMIT $8`,
		string(f.Project), string(f.ID), f.Number, string(f.Digest), string(f.Environment), string(f.State), f.Before, limit)
	return found, fault.Wrap(err, "find candidates")
}

// FindApproved lists the candidates that were ever approved for an environment,
// the one with the newest approval first.
func (tx *Tx) FindApproved(project ledger.ProjectID, environment review.Environment) ([]review.Candidate, error) {
	found, err := tx.candidates(`JOIN (SELECT candidate, MAX(seq) AS seq FROM sign_off GROUP BY candidate) s ON s.candidate = c.id
		WHERE c.project = $1 AND c.environment = $2 ORDER BY s.seq DESC`, string(project), string(environment))
	return found, fault.Wrap(err, "find what was approved")
}

// RecordsAbout returns all records about a subject, oldest first.
func (tx *Tx) RecordsAbout(subject ledger.Subject) ([]ledger.Record, error) {
	records, err := tx.records(`WHERE e.subject_kind = $1 AND e.subject = $2 ORDER BY e.seq`, subject.Kind, subject.ID)
	return records, fault.Wrap(err, "read the history of a subject")
}

// ofProject and argsOf are the condition on a project and its argument, none
// for all projects.
func ofProject(project ledger.ProjectID) string {
	if project == "" {
		return ""
	}
	return ` WHERE project = $1`
}

func argsOf(project ledger.ProjectID) []any {
	if project == "" {
		return nil
	}
	return []any{string(project)}
}

// EventKinds lists the kinds of the last five thousand events of a project, of
// all of them where it is empty.
func (tx *Tx) EventKinds(project ledger.ProjectID) ([]string, error) {
	var kinds []string
	err := tx.each(`SELECT DISTINCT kind FROM (SELECT kind FROM event`+ofProject(project)+` ORDER BY seq DESC LIMIT 5000) recent ORDER BY kind`,
		argsOf(project), func(scan func(...any) error) error {
			var kind string
			err := scan(&kind)
			kinds = append(kinds, kind)
			return err
		})
	return kinds, fault.Wrap(err, "list kinds of events")
}

// EventActors lists who did something among the last five thousand events of a
// project, of all of them where it is empty.
func (tx *Tx) EventActors(project ledger.ProjectID) ([]ledger.PersonID, error) {
	var actors []ledger.PersonID
	err := tx.each(`SELECT DISTINCT actor FROM (SELECT actor FROM event`+ofProject(project)+` ORDER BY seq DESC LIMIT 5000) recent ORDER BY actor`,
		argsOf(project), func(scan func(...any) error) error {
			var actor ledger.PersonID
			err := scan(&actor)
			actors = append(actors, actor)
			return err
		})
	return actors, fault.Wrap(err, "list who made history")
}

// Whole reports whether the history counts from 1 to its last event without a gap.
func (tx *Tx) Whole() (bool, error) {
	var events, first, last int64
	err := tx.one([]any{&events, &first, &last}, `SELECT COUNT(*), COALESCE(MIN(seq), 1), COALESCE(MAX(seq), 0) FROM event`)
	return first == 1 && last == events, fault.Wrap(err, "count the history")
}

// FindVoters lists the reviewers and approvers of a project by name.
func (tx *Tx) FindVoters(project ledger.ProjectID) ([]review.Voter, error) {
	var found []review.Voter
	err := tx.each(`SELECT p.id, p.name, m.role FROM held_role m JOIN person p ON p.id = m.person
		WHERE m.project = $1 AND m.role IN ('reviewer', 'approver') AND p.disabled = FALSE ORDER BY p.name, p.id, m.role`,
		[]any{string(project)}, func(scan func(...any) error) error {
			var v review.Voter
			err := scan(&v.Person, &v.Name, &v.Role)
			found = append(found, v)
			return err
		})
	return found, fault.Wrap(err, "find voters")
}

// FindKeepers lists the admins of the installation and the leads of a project
// who can come.
func (tx *Tx) FindKeepers(project ledger.ProjectID) ([]ledger.PersonID, error) {
	var found []ledger.PersonID
	err := tx.each(`SELECT p.id FROM person p WHERE p.disabled = FALSE
			AND (p.password <> '' OR p.owner OR EXISTS (SELECT 1 FROM provider_identity i WHERE i.person = p.id))
			AND (p.admin OR EXISTS (SELECT 1 FROM held_role m WHERE m.project = $1 AND m.person = p.id AND m.role IN ('lead', 'admin')))
		ORDER BY p.name, p.id`,
		[]any{string(project)}, func(scan func(...any) error) error {
			var id ledger.PersonID
			err := scan(&id)
			found = append(found, id)
			return err
		})
	return found, fault.Wrap(err, "find who could confirm voters")
}

// Who says what a person is in a project at this moment.
func (tx *Tx) Who(project ledger.ProjectID, person ledger.PersonID) (review.Who, error) {
	var w review.Who
	if err := tx.one([]any{&w.Name, &w.Disabled, &w.Admin}, `SELECT name, disabled, admin FROM person WHERE id = $1`, string(person)); err != nil {
		return w, fault.Wrap(err, "read a person")
	}
	if project == "" {
		return w, nil
	}
	err := tx.each(`SELECT role, '' AS team FROM membership WHERE project = $1 AND person = $2
		UNION ALL SELECT r.role, r.team FROM group_role r JOIN group_member m ON m.team = r.team WHERE r.project = $1 AND m.person = $2
		ORDER BY 1, 2`,
		[]any{string(project), string(person)}, func(scan func(...any) error) error {
			var h review.Hold
			err := scan(&h.Role, &h.Group)
			w.Holds = append(w.Holds, h)
			return err
		})
	return w, fault.Wrap(err, "read what a person holds")
}

// CreatePolicy stores a policy and gives it the next version of its project.
func (tx *Tx) CreatePolicy(p review.Policy) (review.Policy, error) {
	err := tx.one([]any{&p.Version}, `INSERT INTO policy (project, version, digest, text, created_by, created_at)
		VALUES ($1, (SELECT COALESCE(MAX(version), 0) + 1 FROM policy WHERE project = $1), $2, $3, $4, $5) RETURNING version`,
		string(p.Project), string(p.Digest), p.Text, string(p.CreatedBy), micros(p.CreatedAt))
	return p, fault.Wrap(err, "save a policy")
}

// CurrentPolicy returns NotFound where the project never set one.
func (tx *Tx) CurrentPolicy(project ledger.ProjectID) (review.Policy, error) {
	return tx.policy(`WHERE project = $1 ORDER BY version DESC LIMIT 1`, string(project))
}

// GetPolicy returns NotFound for a digest that the project never had.
func (tx *Tx) GetPolicy(project ledger.ProjectID, digest ledger.Digest) (review.Policy, error) {
	return tx.policy(`WHERE project = $1 AND digest = $2 ORDER BY version DESC LIMIT 1`, string(project), string(digest))
}

func (tx *Tx) policy(where string, args ...any) (review.Policy, error) {
	var p review.Policy
	var created int64
	err := tx.one([]any{&p.Project, &p.Version, &p.Digest, &p.Text, &p.CreatedBy, &created},
		`SELECT project, version, digest, text, created_by, created_at FROM policy `+where, args...)
	p.CreatedAt = fromMicros(created)
	return p, fault.Wrap(err, "read a policy")
}
