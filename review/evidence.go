package review

import (
	"bytes"
	"context"
	"errors"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/labeling"
)

// File is something to hand out.
type File struct {
	Name    string
	Content []byte
}

// maxBeside bounds a document that goes out beside what was signed; a larger one
// is fetched where it lies.
const maxBeside = 16 << 20

// EvidenceFiles returns what was signed about a candidate and what that rests on,
// so that somebody without a server can check it: the attestations, each as a
// DSSE envelope and as a sigstore bundle, the public keys that verify them, the
// policy's text, the documents that votes name, and the manifests of the
// snapshots behind them. Documents go to whoever may read the project, and
// manifests, which hold accepted answers, to whoever may export data.
func (s *Service) EvidenceFiles(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, ref CandidateRef) ([]File, error) {
	reads := actor.May(project, ledger.ActionRead)
	if !reads && !actor.May(project, ledger.ActionGate) {
		return nil, actor.Must(project, ledger.ActionRead)
	}
	var c Candidate
	var found []Attestation
	var policy Policy
	var votes []Vote
	err := s.Update(ctx, func(tx Tx) (err error) {
		if c, err = tx.GetCandidate(project, ref); err != nil {
			return err
		}
		if found, err = tx.FindAttestations(c.ID); err != nil {
			return err
		}
		if votes, err = tx.FindVotes(c.ID); err != nil {
			return err
		}
		if policy, err = policyOf(tx, c); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: eventTaken, Subject: ledger.Subject{Kind: "evidence", ID: string(c.ID)}, Payload: map[string]int{"attestations": len(found)}})
	})
	if err != nil {
		return nil, err
	}
	files, err := s.publicKeys(found)
	if err != nil {
		return nil, err
	}
	for _, a := range found {
		bundle, err := s.Signer.Bundle(a.Key, a.Envelope)
		if err != nil {
			return nil, err
		}
		files = append(files, File{a.File() + ".dsse.json", a.Envelope}, File{a.File() + ".sigstore.json", bundle})
	}
	if policy.Text != "" {
		files = append(files, File{"policy-" + policy.Digest.Hex()[:12] + ".json", []byte(policy.Text)})
	}
	if !reads {
		return files, nil
	}
	documents, err := s.documents(ctx, actor, c, votes)
	return append(files, documents...), err
}

// documents returns what the votes on a candidate name, as far as it is there
// unchanged: what is not has to be asked for, and whoever verifies sees by the
// digest that it is missing.
func (s *Service) documents(ctx context.Context, actor ledger.Actor, c Candidate, votes []Vote) ([]File, error) {
	var files []File
	var snapshots []ledger.Digest
	if c.Subject.Kind == SubjectSnapshot {
		snapshots = append(snapshots, c.Subject.Digest)
	}
	seen := map[ledger.Digest]bool{}
	for _, v := range votes {
		for _, digest := range v.Evidence {
			if seen[digest] {
				continue
			}
			seen[digest] = true
			content, err := s.content(ctx, digest)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil || len(content) > maxBeside {
				continue
			}
			files = append(files, File{"comparison-" + digest.Hex()[:12] + ".json", content})
			if doc, err := compare.DecodeComparison(content, digest); err == nil {
				snapshots = append(snapshots, doc.Base.Snapshot)
			}
		}
	}
	if !actor.May(c.Project, ledger.ActionExport) {
		return files, nil
	}
	for _, digest := range snapshots {
		if seen[digest] {
			continue
		}
		seen[digest] = true
		manifest, err := s.manifest(ctx, c.Project, digest)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			files = append(files, File{"snapshot-" + digest.Hex()[:12] + ".manifest.jsonl", manifest})
		}
	}
	return files, nil
}

// manifest returns the lines that the digest of a snapshot is over.
func (s *Service) manifest(ctx context.Context, project ledger.ProjectID, digest ledger.Digest) (manifest []byte, err error) {
	var snap labeling.Snapshot
	if err := s.View(ctx, func(tx Tx) (err error) {
		snap, err = tx.SnapshotDigested(project, digest)
		return err
	}); err != nil {
		return nil, err
	}
	rows, err := s.Files.Open(ctx, snap.Rows)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var out bytes.Buffer
	got, err := labeling.WriteManifest(&limited{&out, maxBeside}, snap.Schema, rows)
	if err == nil && got != digest {
		err = fault.New(fault.Conflict, "The rows of the snapshot %s are no longer those that were frozen.", digest.Short())
	}
	return out.Bytes(), err
}

// limited takes so many bytes and then no more.
type limited struct {
	to   *bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, fault.New(fault.TooLarge, "The manifest has more than %d bytes.", maxBeside)
	}
	return l.to.Write(p)
}
