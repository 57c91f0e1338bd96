package identity

import (
	"context"
	"errors"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// InviteAllRequest asks to invite everybody on a list.
type InviteAllRequest struct {
	CSV      []byte                      // see ParseInvitations
	Projects map[string]ledger.ProjectID // projects that the list may name, by slug and by id
	Project  string                      // the one that is meant where a line names none
	Reason   string                      // needed where the roles of a project's member change
}

// PreviewInvitations says what a list would change, line by line, and what is
// wrong with it. Nothing is changed.
func (s *Service) PreviewInvitations(ctx context.Context, actor ledger.Actor, req InviteAllRequest) (steps []InvitationStep, wrong []RowError, err error) {
	list, wrong := ParseInvitations(req.CSV)
	if len(wrong) > 0 {
		return nil, wrong, nil
	}
	err = s.view(ctx, func(tx Tx) error {
		now, err := standingOf(tx, req)
		if err == nil {
			steps, wrong = planInvitations(list, now, actor)
		}
		return err
	})
	return steps, wrong, err
}

// InviteAll invites everybody on a list, or nobody: where a line is wrong, the
// fault is Invalid and names every line and field. Who is there already is
// added to what they lack; the same list again changes nothing. Every step of
// somebody new carries the secret of their own one-time link.
func (s *Service) InviteAll(ctx context.Context, actor ledger.Actor, req InviteAllRequest) (steps []InvitationStep, err error) {
	if err := actor.MustBeThere(); err != nil {
		return nil, err
	}
	list, wrong := ParseInvitations(req.CSV)
	if len(wrong) > 0 {
		return nil, refusedRows(wrong)
	}
	// planInvitations asks for every line what the actor may do.
	may := func(ledger.Actor) error { return nil }
	at := s.now()
	// Made beforehand: the transaction may run twice.
	ids, secrets := make([]ledger.PersonID, len(list)), make([]string, len(list))
	for i := range list {
		ids[i], secrets[i] = ledger.PersonID(s.newID()), newSecret("")
	}
	err = s.asActor(ctx, actor, may, func(tx Tx, actor ledger.Actor) error {
		now, err := standingOf(tx, req)
		if err != nil {
			return err
		}
		steps, wrong = planInvitations(list, now, actor)
		if len(wrong) > 0 {
			return refusedRows(wrong)
		}
		made := map[string]ledger.PersonID{}
		for i := range steps {
			step := &steps[i]
			if step.New {
				step.Person, step.Secret = ids[i], secrets[i]
				made[step.Username] = ids[i]
				person := Person{ID: ids[i], Username: step.Username, Name: step.Name, CreatedAt: at, ChangedAt: at}
				if err := s.create(tx, actor, person); err != nil {
					return err
				}
				if err := tx.CreateLink(s.link(PurposeWelcome, ids[i], secrets[i])); err != nil {
					return err
				}
			} else if step.Person == "" {
				step.Person = made[step.Username]
			}
			if err := s.carryOut(tx, actor, *step, req.Reason); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return steps, nil
}

// carryOut gives the roles and groups of a step.
func (s *Service) carryOut(tx Tx, actor ledger.Actor, step InvitationStep, why string) error {
	reason := ""
	if len(step.Add) > 0 {
		var err error
		if reason, err = reasonFor(tx, actor, step.ProjectID, step.Person, why); err != nil {
			return err
		}
	}
	for _, role := range step.Add {
		if err := s.grant(tx, actor, Membership{Project: step.ProjectID, Person: step.Person, Role: role}, reason); err != nil {
			return err
		}
	}
	for _, group := range step.Join {
		if joined, err := tx.AddGroupMember(group.ID, step.Person); err != nil || !joined {
			if err != nil {
				return err
			}
			continue
		}
		entry := ledger.Entry{Actor: actor, Kind: "group.joined", Subject: groupSubject(group.ID), Payload: map[string]string{"person": string(step.Person)}}
		if err := tx.Record(entry); err != nil {
			return err
		}
	}
	return nil
}

func standingOf(tx Tx, req InviteAllRequest) (standing, error) {
	now := standing{people: map[string]Person{}, held: map[ledger.PersonID][]Membership{}, projects: req.Projects, fallback: req.Project}
	people, err := tx.People()
	if err != nil {
		return now, err
	}
	for _, p := range people {
		now.people[p.Username] = p
	}
	members, err := tx.Members("")
	if err != nil {
		return now, err
	}
	for _, m := range members {
		now.held[m.Person] = append(now.held[m.Person], m)
	}
	now.groups, err = tx.Groups()
	return now, fault.Wrap(err, "read the groups")
}

func refusedRows(wrong []RowError) error {
	errs := make([]error, len(wrong))
	for i, w := range wrong {
		errs[i] = w.fault()
	}
	return errors.Join(errs...)
}
