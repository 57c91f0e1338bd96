package page

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/ui"
)

// ModelsView lists the models of a project.
type ModelsView struct {
	Project     ProjectLink
	Models      []compare.Model
	Evaluations map[compare.ModelID]compare.EvaluationRecord // the newest
	Next        string
	MayImport   bool
	MayTrain    bool
}

// ModelView is the page of one model.
type ModelView struct {
	Project    ProjectLink
	Page       compare.ModelPage
	People     map[ledger.PersonID]string
	Evaluation *compare.Evaluation // the newest, with its classes
	MayCompare bool
	MayPropose bool
	MayDelete  bool
	Hold       HoldView
	Looked     LookedView
}

func (v ModelView) person(id ledger.PersonID) string {
	if name := v.People[id]; name != "" {
		return name
	}
	return string(id)
}

// setTarget names what a set was made for.
func (v ModelView) setTarget(s compare.PredictionSet) string {
	if s.Snapshot != "" {
		return v.Page.Snapshots[string(s.Snapshot)]
	}
	return v.Page.Snapshots[string(s.Dataset)]
}

// UploadView is the form that brings predictions from elsewhere.
type UploadView struct {
	Project   ProjectLink
	Snapshots []SnapshotChoice
	Models    []compare.Model
	Form      FormView
}

// PredictionsView says how reading a set of predictions went.
type PredictionsView struct {
	Project ProjectLink
	Set     compare.PredictionSet
	Model   compare.Model
	People  Names
	// MayWithdraw offers to take a wrong upload out of what stands.
	MayWithdraw bool
	Form        FormView
}

func (v PredictionsView) withdrawer() string {
	if v.Set.Withdrawn.Name != "" {
		return v.Set.Withdrawn.Name
	}
	return v.People.Name(v.Set.Withdrawn.By)
}

func (v PredictionsView) href() string { return v.Project.Href("predictions", string(v.Set.ID)) }

// jsonMember is one member of a JSON object, as text.
type jsonMember struct{ Name, Value string }

// membersOf lists the members of a JSON object by name; nothing for anything else.
func membersOf(raw []byte) []jsonMember {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return nil
	}
	members := make([]jsonMember, 0, len(object))
	for name, value := range object {
		text := string(value)
		var plain string
		if json.Unmarshal(value, &plain) == nil {
			text = plain
		}
		members = append(members, jsonMember{name, text})
	}
	slices.SortFunc(members, func(a, b jsonMember) int { return cmp.Compare(a.Name, b.Name) })
	return members
}

func modelLead(ctx context.Context, v ModelView) string {
	m := v.Page.Model
	switch {
	case m.External():
		return ui.T(ctx, "models.lead.external")
	case len(m.Files) > 0:
		return ui.T(ctx, "models.lead.trained", "files", len(m.Files), "size", ui.Bytes(ctx, m.Bytes()))
	}
	return ""
}
