package web

import (
	"context"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// InSnapshot names a snapshot.
type InSnapshot struct {
	InProject
	Snapshot string `path:"snapshot" doc:"Id, number, digest or name" maxLength:"200"`
}

// SnapshotBody is a snapshot as the API shows it.
type SnapshotBody struct {
	ID        labeling.SnapshotID        `json:"id"`
	Number    int                        `json:"number"`
	Name      string                     `json:"name,omitempty"`
	State     labeling.SnapshotState     `json:"state" enum:"building,ready,failed"`
	Failure   string                     `json:"failure,omitempty"`
	Purpose   labeling.Purpose           `json:"purpose"`
	Digest    ledger.Digest              `json:"digest,omitempty"`
	Withheld  bool                       `json:"withheld,omitempty" doc:"You judge these items without knowing what others said, so digests and classes are not shown"`
	Schema    ledger.Digest              `json:"schema,omitempty"`
	Items     int64                      `json:"items"`
	Datasets  []labeling.SnapshotDataset `json:"datasets" nullable:"false"`
	Classes   []labeling.ClassCount      `json:"classes" nullable:"false"`
	Answerers []labeling.PersonCount     `json:"answerers" nullable:"false"`
	Merged    int64                      `json:"merged" doc:"Items that stood in several datasets and count once"`
	HeldOut   int64                      `json:"held_out" doc:"Items left out because an evaluation dataset holds the same content"`
	Files     map[string]ledger.Digest   `json:"files,omitempty" doc:"Digests of the stored files by format"`
	Progress  int64                      `json:"progress"`
	Of        int64                      `json:"of"`
	CreatedBy ledger.PersonID            `json:"created_by"`
	CreatedAt time.Time                  `json:"created_at"`
}

func snapshotBody(s labeling.Snapshot) SnapshotBody {
	b := SnapshotBody{ID: s.ID, Number: s.Number, Name: s.Name, State: s.State, Failure: s.Failure, Purpose: s.Purpose, Digest: s.Digest, Withheld: s.Withheld, Schema: s.Schema,
		Items: s.Items, Datasets: s.Datasets, Classes: listed(s.Classes), Answerers: listed(s.Answerers), Merged: s.Merged, HeldOut: s.HeldOut,
		Progress: s.Progress, Of: s.ProgressTotal, CreatedBy: s.CreatedBy, CreatedAt: s.CreatedAt}
	if s.State == labeling.SnapshotReady && !s.Withheld {
		b.Files = map[string]ledger.Digest{"jsonl": s.Rows, "parquet": s.Parquet}
	}
	return b
}

// CreateSnapshotInput asks for a snapshot.
type CreateSnapshotInput struct {
	InProject
	Body struct {
		Name     string   `json:"name,omitempty"`
		Datasets []string `json:"datasets" doc:"Names or ids; training and evaluation are not mixed"`
	}
}

// DiffInput asks what changed between two snapshots.
type DiffInput struct {
	InSnapshot
	Against string            `query:"against" required:"true" doc:"The earlier snapshot"`
	Kind    labeling.DiffKind `query:"kind" doc:"relabelled, added, removed or reworded; all if empty"`
	Limit   int               `query:"limit" minimum:"0" maximum:"10000"`
}

// DiffBody is what changed.
type DiffBody struct {
	Before        SnapshotBody `json:"before"`
	After         SnapshotBody `json:"after"`
	Added         int64        `json:"added"`
	Removed       int64        `json:"removed"`
	Relabelled    int64        `json:"relabelled"`
	Reworded      int64        `json:"reworded"`
	Same          int64        `json:"same"`
	SchemaChanged bool         `json:"schema_changed"`
	Rows          []DiffRow    `json:"rows" nullable:"false"`
	More          bool         `json:"more" doc:"There are more rows than asked for, or than an answer holds"`
	Balance       []Balance    `json:"balance" nullable:"false"`
}

// DiffRow is an item that changed.
type DiffRow struct {
	Kind   labeling.DiffKind `json:"kind"`
	Key    string            `json:"key"`
	Text   string            `json:"text"`
	Cut    bool              `json:"truncated,omitempty" doc:"The text is only the beginning"`
	Before string            `json:"before,omitempty"`
	After  string            `json:"after,omitempty"`
	By     ledger.PersonID   `json:"by,omitempty"`
}

// Balance is how many items have a class, before and after.
type Balance struct {
	Class  string `json:"class"`
	Before int64  `json:"before"`
	After  int64  `json:"after"`
}

// snapshotAPI registers the operations about snapshots.
func (s *Server) snapshotAPI() {
	const in = "/projects/{project}"
	operation(s, api{GET, in + "/snapshots", "list-snapshots", "List snapshots, newest first", either, ledger.ActionRead}, s.listSnapshots)
	operation(s, api{POST, in + "/snapshots", "create-snapshot", "Begin a snapshot", either, ledger.ActionSnapshot}, s.createSnapshot)
	operation(s, api{GET, in + "/snapshots/{snapshot}", "get-snapshot", "Get a snapshot", either, ledger.ActionRead}, s.getSnapshotAPI)
	operation(s, api{GET, in + "/snapshots/{snapshot}/diff", "diff-snapshots", "What changed since another snapshot", either, ledger.ActionRead}, s.diffSnapshots)
}

func (s *Server) listSnapshots(ctx context.Context, _ *InProject) (*Answer[List[SnapshotBody]], error) {
	snapshots, err := s.Labeling.Snapshots(ctx, actorIn(ctx), projectIn(ctx).ID)
	body := List[SnapshotBody]{Items: []SnapshotBody{}}
	for _, snap := range snapshots {
		body.Items = append(body.Items, snapshotBody(snap))
	}
	return &Answer[List[SnapshotBody]]{body}, err
}

func (s *Server) createSnapshot(ctx context.Context, in *CreateSnapshotInput) (*Answer[SnapshotBody], error) {
	snap, err := s.Labeling.CreateSnapshot(ctx, actorIn(ctx), projectIn(ctx).ID, labeling.CreateSnapshotRequest{Name: in.Body.Name, Datasets: in.Body.Datasets})
	return &Answer[SnapshotBody]{snapshotBody(snap)}, err
}

func (s *Server) getSnapshotAPI(ctx context.Context, in *InSnapshot) (*Answer[SnapshotBody], error) {
	snap, err := s.Labeling.Snapshot(ctx, actorIn(ctx), projectIn(ctx).ID, in.Snapshot)
	return &Answer[SnapshotBody]{snapshotBody(snap)}, err
}

func (s *Server) diffSnapshots(ctx context.Context, in *DiffInput) (*Answer[DiffBody], error) {
	req := labeling.DiffRequest{Before: in.Against, After: in.Snapshot, Limit: in.Limit}
	if in.Kind != "" {
		req.Kinds = []labeling.DiffKind{in.Kind}
	}
	d, err := s.Labeling.DiffSnapshots(ctx, actorIn(ctx), projectIn(ctx).ID, req)
	if err != nil {
		return nil, err
	}
	b := DiffBody{Before: snapshotBody(d.Before), After: snapshotBody(d.After), Added: d.Added, Removed: d.Removed, Relabelled: d.Relabelled, Reworded: d.Reworded,
		Same: d.Same, SchemaChanged: d.SchemaChanged, Rows: []DiffRow{}, More: d.More, Balance: []Balance{}}
	for _, row := range d.Rows {
		b.Rows = append(b.Rows, DiffRow{Kind: row.Kind, Key: row.Key, Text: row.Text, Cut: row.Cut, Before: row.Before, After: row.After, By: row.By})
	}
	for _, c := range d.Balance {
		b.Balance = append(b.Balance, Balance{Class: c.Class, Before: c.Before, After: c.After})
	}
	return &Answer[DiffBody]{b}, nil
}
