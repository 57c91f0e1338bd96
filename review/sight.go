package review

import (
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// The digest of a snapshot tells its accepted answers to whoever knows the texts:
// they try which answers give it. So a candidate that is a snapshot is not for
// those who judge its items blind, nor anything that names the digest.

// unknownSnapshot stands for one of which nobody knows any more what it held.
func unknownSnapshot() labeling.Snapshot {
	return labeling.Snapshot{Purpose: labeling.PurposeEvaluation}
}

// snapshotDigested finds a snapshot by its digest, also where it is gone.
func snapshotDigested(tx Tx, project ledger.ProjectID, digest ledger.Digest) (labeling.Snapshot, error) {
	snapshot, err := tx.SnapshotDigested(project, digest)
	if fault.Is(err, fault.NotFound) {
		return unknownSnapshot(), nil
	}
	return snapshot, err
}

// hidden returns Denied where a candidate would tell the actor about items that
// they judge blind.
func hidden(tx Tx, actor ledger.Actor, c Candidate) error {
	if c.Subject.Kind != SubjectSnapshot {
		return nil
	}
	sight, err := labeling.SightOf(tx, actor, c.Project)
	if err != nil {
		return err
	}
	snapshot, err := snapshotDigested(tx, c.Project, c.Subject.Digest)
	if err != nil {
		return err
	}
	return sight.Rows(snapshot)
}

// candidateFor finds a candidate for an actor. One that would tell them about
// items that they judge blind is Denied, and there is none for who asks by its
// digest: otherwise they would learn by asking which digest it is.
func candidateFor(tx Tx, actor ledger.Actor, project ledger.ProjectID, ref CandidateRef) (Candidate, error) {
	c, err := tx.GetCandidate(project, ref)
	if err != nil {
		return c, err
	}
	err = hidden(tx, actor, c)
	if fault.Is(err, fault.Denied) && ref.Digest != "" {
		err = fault.New(fault.NotFound, "This project has no such candidate.")
	}
	if err != nil {
		return Candidate{}, err
	}
	return c, nil
}

// veiled takes out of a list what would tell the actor about items that they
// judge blind: the digest, or the candidate where it was asked for by that.
func veiled(tx Tx, actor ledger.Actor, all []Candidate, byDigest bool) ([]Candidate, error) {
	var list []Candidate
	for _, c := range all {
		err := hidden(tx, actor, c)
		switch {
		case fault.Is(err, fault.Denied):
			if byDigest {
				continue
			}
			c.Subject.Digest = ""
		case err != nil:
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}
