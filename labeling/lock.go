package labeling

import (
	"context"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// LongestLock is the longest time, in minutes, that a project may demand.
const LongestLock = 480

// DemandLock says after how many idle minutes a project wants the browsers of
// everybody who may open it locked, whichever page they show: what must not be
// read by whoever passes is one click away from each of them. People and the
// installation may say less, and the shortest counts. 0 demands nothing.
//
// It needs ActionManage. It returns Invalid for more than LongestLock minutes,
// and where the demand becomes weaker without a reason.
func (s *Service) DemandLock(ctx context.Context, actor ledger.Actor, id ProjectID, minutes int, reason string) (Project, error) {
	if err := actor.Must(id, ledger.ActionManage); err != nil {
		return Project{}, err
	}
	if minutes < 0 || minutes > LongestLock {
		return Project{}, fault.Field("lock_after", "Give minutes from 1 to %d, or 0 to demand nothing.", LongestLock)
	}
	var p Project
	err := s.Update(ctx, func(tx Tx) error {
		was, err := tx.Project(id)
		if p = was; err != nil || was.LockAfter == minutes {
			return fault.Wrap(err, "find project")
		}
		weaker := was.LockAfter > 0 && (minutes == 0 || minutes > was.LockAfter)
		why, err := ledger.Reason(reason, fault.Format("screens of this project lock later"), weaker)
		if err != nil {
			return err
		}
		if err := tx.SetProjectLock(id, minutes); err != nil {
			return fault.Wrap(err, "save project")
		}
		p.LockAfter = minutes
		payload := map[string]any{ledger.KeyWas: map[string]int{"lock_after": was.LockAfter}, ledger.KeyIs: map[string]int{"lock_after": minutes}}
		if why != "" {
			payload[ledger.KeyReason] = why
		}
		return tx.Record(ledger.Entry{Actor: actor, Project: id, Kind: "project.lock", Subject: ledger.Subject{Kind: "project", ID: string(id)}, Payload: payload})
	})
	return p, err
}
