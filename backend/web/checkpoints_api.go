package web

import (
	"context"
	"encoding/json"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
)

// CheckpointBody is a signed head of the history.
type CheckpointBody struct {
	At       time.Time       `json:"at"`
	Events   int64           `json:"events" doc:"How many events the history held"`
	Hash     ledger.Digest   `json:"hash" doc:"Of the last of them"`
	Reason   string          `json:"reason" doc:"daily, approval, withdrawal, rejection, reopening or by hand"`
	Key      string          `json:"key" doc:"Hex SHA-256 of the PEM text of the key that signed"`
	Envelope json.RawMessage `json:"envelope" doc:"DSSE envelope; a line of the file that doctor --checkpoint reads"`
}

// WitnessBody is a place outside that keeps checkpoints.
type WitnessBody struct {
	Name     string     `json:"name"`
	PushedAt *time.Time `json:"pushed_at,omitempty"`
	Last     *time.Time `json:"last,omitempty" doc:"When the newest checkpoint that is there was made"`
	FailedAt *time.Time `json:"failed_at,omitempty"`
	Reason   string     `json:"reason,omitempty" doc:"Why the last try failed"`
	Waiting  int        `json:"waiting" doc:"Checkpoints that are not there yet"`
}

// CheckpointsBody is what is kept outside the database.
type CheckpointsBody struct {
	Items     []CheckpointBody `json:"items" doc:"The newest, newest first"`
	Witnesses []WitnessBody    `json:"witnesses"`
}

// checkpointAPI registers the operation about checkpoints.
func (s *Server) checkpointAPI() {
	operation(s, api{GET, "/checkpoints", "list-checkpoints", "List the newest checkpoints of the history and how far each witness is", either, ledger.ActionAdminister},
		func(ctx context.Context, _ *struct{}) (*Answer[CheckpointsBody], error) {
			checkpoints, witnesses, err := s.Checkpoints(ctx, actorIn(ctx))
			body := CheckpointsBody{Items: []CheckpointBody{}, Witnesses: []WitnessBody{}}
			for _, c := range checkpoints {
				body.Items = append(body.Items, CheckpointBody{c.At, c.Seq, c.Hash, c.Reason, c.Key, c.Envelope})
			}
			for _, w := range witnesses {
				body.Witnesses = append(body.Witnesses, WitnessBody{w.Name, some(w.Pushed), some(w.Last), some(w.Failed), w.Reason, w.Waiting})
			}
			return &Answer[CheckpointsBody]{body}, err
		})
	operation(s, api{POST, "/checkpoints", "make-checkpoint", "Make a checkpoint now", either, ledger.ActionAdminister},
		func(ctx context.Context, _ *struct{}) (*Answer[CheckpointBody], error) {
			c, err := s.Keeper.MakeNow(ctx, actorIn(ctx))
			return &Answer[CheckpointBody]{CheckpointBody{c.At, c.Seq, c.Hash, c.Reason, c.Key, c.Envelope}}, err
		})
	operation(s, api{POST, "/checkpoints/check", "check-checkpoints", "Hold the checkpoints of this server against the history, and push again what waits", either, ledger.ActionAdminister},
		func(ctx context.Context, _ *struct{}) (*Answer[ledger.Checked], error) {
			done, err := s.Keeper.CheckNow(ctx, actorIn(ctx))
			return &Answer[ledger.Checked]{done}, err
		})
}
