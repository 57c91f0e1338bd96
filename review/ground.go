package review

import (
	"encoding/json"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// Rests lists the kinds of things whose events a gate rests on.
func Rests() []string {
	return []string{"candidate", "model", "policy", "person", "group", ledger.KeySubject().Kind}
}

// ground is what an answer of the gate rests on beside the candidate's own
// events, but for the policy, whose events were all met along the chain.
type ground struct {
	Model     compare.Model
	ModelMade []ledger.Record // about the model, oldest first
}

// loadGround reads the part of the history that a candidate rests on.
func loadGround(tx Tx, c Candidate) (g ground, err error) {
	if c.Subject.Kind != SubjectModel || c.Model == "" {
		return g, nil
	}
	if g.Model, err = tx.GetModel(c.Project, c.Model); err != nil {
		return g, err
	}
	g.ModelMade, err = tx.RecordsAbout(ledger.Subject{Kind: "model", ID: string(c.Model)})
	return g, err
}

// checkGround says what of the ground is not what the history says. Rows that nobody
// recorded are found here: a policy that nobody saved, a model whose files or
// maker somebody changed.
func (d dossier) checkGround(g ground, found func(string)) {
	d.checkPolicy(g, found)
	if g.Model.ID != "" {
		d.checkModel(g, found)
	}
}

// registered is what the event says by which a model was registered. Maker is nil in
// events of versions that did not say it.
type registered struct {
	Digest ledger.Digest    `json:"digest"`
	Files  []compare.File   `json:"files"`
	Maker  *ledger.PersonID `json:"trained_by"`
}

func (d dossier) checkModel(g ground, found func(string)) {
	i := slices.IndexFunc(g.ModelMade, func(r ledger.Record) bool { return r.Kind == "model.created" && d.holds(r) })
	if i < 0 {
		found(fault.Say("The history does not know how the model %s was made.", g.Model.Title()))
		return
	}
	var said registered
	if err := json.Unmarshal(g.ModelMade[i].Payload, &said); err != nil {
		found(fault.Say("The history does not know how the model %s was made.", g.Model.Title()))
		return
	}
	if said.Digest != g.Model.Digest || !slices.Equal(said.Files, g.Model.Files) {
		found(fault.Say("The files of the model %s are not those that it was registered with.", g.Model.Title()))
	}
	if said.Maker == nil {
		return
	}
	if *said.Maker != g.Model.TrainedBy || *said.Maker != "" && d.Candidate.TrainedBy != *said.Maker {
		found(fault.Say("Who trained the model %s was changed after it was registered.", g.Model.Title()))
	}
}

// holds reports whether a record was met on the way along the chain and still
// says what it committed to.
func (d dossier) holds(r ledger.Record) bool {
	if r.Salt == nil || ledger.Commit(r.Salt, r.Payload) != r.Commitment || r.Sum() != r.Hash {
		return false
	}
	if r.Seq > d.Walked {
		return true // so new that its neighbours are all that stands for it
	}
	return slices.ContainsFunc(d.Passed, func(e ledger.Event) bool { return e.Seq == r.Seq && e.Hash == r.Hash })
}

// checkPolicy finds the newest policy that was saved before the candidate was put
// to the vote, and holds the candidate's against it.
func (d dossier) checkPolicy(g ground, found func(string)) {
	opened, ok := d.last(eventOpened, eventRebased)
	if !ok {
		return // checkTerms says so
	}
	current := DefaultPolicy(d.Candidate.Project).Digest
	for _, e := range d.Passed {
		if e.Kind == eventPolicy && e.Project == d.Candidate.Project && e.Seq < opened.Seq {
			current = ledger.Digest(e.Subject.ID)
		}
	}
	if current != d.Candidate.Policy {
		found(fault.Say("Candidate %d is judged by a policy that nobody had saved when it was put to the vote.", d.Candidate.Number))
	}
}
