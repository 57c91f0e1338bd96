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

// LeftOut is a file that does not go out with the others, and why.
type LeftOut struct {
	Name   string
	Reason string
}

// Bounds of what goes out of documents: of one by itself, and of all together. A
// file that does not fit is asked for by its name.
const (
	maxAlone    = 256 << 20
	maxTogether = 64 << 20
)

// signedFile is a file of the evidence whose bytes are not read yet.
type signedFile struct {
	name   string
	denied error // why the actor does not get it
	read   func(ctx context.Context, most int) ([]byte, error)
}

// EvidenceFiles returns what was signed about a candidate and what that rests on,
// so that somebody without a server can check it: the attestations, each as a
// DSSE envelope and as a sigstore bundle, the public keys that verify them, the
// policy's text, the documents that votes name, and the manifests of the
// snapshots behind them. Documents go to whoever may read the project, and
// manifests, which hold accepted answers, to whoever may export data; of neither
// goes out what would tell the actor about items that they judge blind. It says
// which files it leaves out: whoever verifies without them sees by the digest that
// they are missing.
func (s *Service) EvidenceFiles(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, ref CandidateRef) ([]File, []LeftOut, error) {
	all, err := s.signedFiles(ctx, actor, project, ref)
	if err != nil {
		return nil, nil, err
	}
	var files []File
	var left []LeftOut
	room := maxTogether
	for _, f := range all {
		content, err := f.content(ctx, room)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if fault.Is(err, fault.TooLarge) {
			err = fault.New(fault.TooLarge, "All files together would be too large. Get this one by its name.")
		}
		if err != nil {
			left = append(left, LeftOut{f.name, fault.Message(err)})
			continue
		}
		room -= len(content)
		files = append(files, File{f.name, content})
	}
	return files, left, nil
}

// EvidenceFile returns one of the files that EvidenceFiles returns or leaves out,
// by its name, and reads no other. It returns NotFound where there is none.
func (s *Service) EvidenceFile(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, ref CandidateRef, name string) (File, error) {
	all, err := s.signedFiles(ctx, actor, project, ref)
	if err != nil {
		return File{}, err
	}
	for _, f := range all {
		if f.name == name {
			content, err := f.content(ctx, maxAlone)
			return File{name, content}, err
		}
	}
	return File{}, fault.New(fault.NotFound, "This candidate has no such signed file.")
}

func (f signedFile) content(ctx context.Context, most int) ([]byte, error) {
	if f.denied != nil {
		return nil, f.denied
	}
	content, err := f.read(ctx, most)
	if err == nil && len(content) > most {
		err = tooLarge(most)
	}
	return content, err
}

func tooLarge(most int) error {
	return fault.New(fault.TooLarge, "This file has more than %d bytes.", most)
}

// known is a file whose bytes are there.
func known(name string, content []byte) signedFile {
	return signedFile{name: name, read: func(context.Context, int) ([]byte, error) { return content, nil }}
}

// signedFiles lists the evidence of a candidate and notes that the actor takes it.
func (s *Service) signedFiles(ctx context.Context, actor ledger.Actor, project ledger.ProjectID, ref CandidateRef) ([]signedFile, error) {
	reads := actor.May(project, ledger.ActionRead)
	if !reads && !actor.May(project, ledger.ActionGate) {
		return nil, actor.Must(project, ledger.ActionRead)
	}
	var found []Attestation
	var policy Policy
	var c Candidate
	var votes []Vote
	err := s.Update(ctx, func(tx Tx) (err error) {
		if c, err = candidateFor(tx, actor, project, ref); err != nil {
			return err
		}
		if found, err = tx.FindAttestations(c.ID); err != nil {
			return err
		}
		if policy, err = policyOf(tx, c); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if votes, err = tx.FindVotes(c.ID); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: project, Kind: eventTaken, Subject: ledger.Subject{Kind: "evidence", ID: string(c.ID)}, Payload: map[string]int{"attestations": len(found)}})
	})
	if err != nil {
		return nil, err
	}
	keys, err := s.publicKeys(found)
	if err != nil {
		return nil, err
	}
	var files []signedFile
	for _, k := range keys {
		files = append(files, known(k.Name, k.Content))
	}
	for _, a := range found {
		files = append(files, known(a.File()+".dsse.json", a.Envelope), signedFile{name: a.File() + ".sigstore.json", read: func(context.Context, int) ([]byte, error) {
			return s.Signer.Bundle(a.Key, a.Envelope)
		}})
	}
	if policy.Text != "" {
		files = append(files, known("policy-"+policy.Digest.Hex()[:12]+".json", []byte(policy.Text)))
	}
	if !reads {
		return files, nil
	}
	documents, err := s.documents(ctx, actor, c, votes)
	return append(files, documents...), err
}

// documents lists what the votes on a candidate name, and the manifests of the
// snapshots behind that. It reads no bytes of them.
func (s *Service) documents(ctx context.Context, actor ledger.Actor, c Candidate, votes []Vote) ([]signedFile, error) {
	var files, manifests []signedFile
	err := s.View(ctx, func(tx Tx) error {
		files, manifests = nil, nil
		sight, err := labeling.SightOf(tx, actor, c.Project)
		if err != nil {
			return err
		}
		seen := map[ledger.Digest]bool{}
		manifest := func(snapshot labeling.Snapshot) {
			if snapshot.Digest != "" && !seen[snapshot.Digest] && actor.May(c.Project, ledger.ActionExport) {
				seen[snapshot.Digest] = true
				manifests = append(manifests, signedFile{name: "snapshot-" + snapshot.Digest.Hex()[:12] + ".manifest.jsonl", denied: sight.Rows(snapshot),
					read: func(ctx context.Context, most int) ([]byte, error) { return s.manifest(ctx, snapshot, most) }})
			}
		}
		if c.Subject.Kind == SubjectSnapshot {
			snapshot, err := snapshotDigested(tx, c.Project, c.Subject.Digest)
			if err != nil {
				return err
			}
			manifest(snapshot)
		}
		for _, v := range votes {
			if v.Looked != "" && !seen[v.Looked] {
				seen[v.Looked] = true
				file := known("looked-"+v.Looked.Hex()[:12]+".json", v.Opened)
				file.denied = sight.Rows(unknownSnapshot()) // it names snapshots by their digests
				files = append(files, file)
			}
			for _, digest := range v.Evidence {
				if seen[digest] {
					continue
				}
				seen[digest] = true
				snapshot, err := s.measuredOn(ctx, tx, c.Project, digest)
				if err != nil {
					return err
				}
				files = append(files, signedFile{name: "comparison-" + digest.Hex()[:12] + ".json", denied: sight.Rows(snapshot),
					read: func(ctx context.Context, most int) ([]byte, error) { return s.content(ctx, digest, most) }})
				manifest(snapshot)
			}
		}
		return nil
	})
	return append(files, manifests...), err
}

// measuredOn finds the snapshot that a comparison measured on: by what stands for
// the comparison, or by what the document says where that is in the trash.
func (s *Service) measuredOn(ctx context.Context, tx Tx, project ledger.ProjectID, digest ledger.Digest) (labeling.Snapshot, error) {
	records, err := tx.FindComparisons(compare.ComparisonFilter{Project: project, Digest: digest, Limit: 1})
	if err != nil {
		return labeling.Snapshot{}, err
	}
	if len(records) > 0 {
		snapshot, err := tx.Snapshot(records[0].Snapshot)
		if fault.Is(err, fault.NotFound) {
			return unknownSnapshot(), nil
		}
		return snapshot, err
	}
	content, err := s.content(ctx, digest, maxAlone)
	if err != nil {
		return unknownSnapshot(), ctx.Err() // it is named, and reading it says why it does not go out
	}
	doc, err := compare.DecodeComparison(content, digest)
	if err != nil {
		return unknownSnapshot(), nil //nolint:nilerr // likewise
	}
	return snapshotDigested(tx, project, doc.Base.Snapshot)
}

// manifest returns the lines that the digest of a snapshot is over.
func (s *Service) manifest(ctx context.Context, snapshot labeling.Snapshot, most int) (manifest []byte, err error) {
	rows, err := s.Files.Open(ctx, snapshot.Rows)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var out bytes.Buffer
	got, err := labeling.WriteManifest(&limited{&out, most}, snapshot.Schema, rows)
	if err == nil && got != snapshot.Digest {
		err = fault.New(fault.Conflict, "The rows of the snapshot %s are no longer those that were frozen.", snapshot.Digest.Short())
	}
	return out.Bytes(), err
}

// limited takes so many bytes and then no more.
type limited struct {
	to   *bytes.Buffer
	most int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.to.Len()+len(p) > l.most {
		return 0, tooLarge(l.most)
	}
	return l.to.Write(p)
}
