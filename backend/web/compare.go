package web

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"

	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// compareRoutes are the pages about models, predictions and comparisons.
func (s *Server) compareRoutes() []route {
	return []route{
		{GET, "/projects/{project}/models", login, ledger.ActionRead, s.getModels},
		{GET, "/projects/{project}/models/{model}", login, ledger.ActionRead, s.getModel},
		{GET, "/projects/{project}/predictions/new", login, ledger.ActionPredict, s.getUploadPredictions},
		{POST, "/projects/{project}/predictions", login, ledger.ActionPredict, s.postPredictions},
		{GET, "/projects/{project}/predictions/{set}", login, ledger.ActionRead, s.getPredictions},
		{POST, "/projects/{project}/predictions/{set}/withdraw", login, ledger.ActionManage, s.postWithdrawPredictions},
		{GET, "/projects/{project}/compare", login, ledger.ActionRead, s.getCompare},
		{POST, "/projects/{project}/compare", login, ledger.ActionCompare, s.postCompare},
		{GET, "/projects/{project}/compare/{digest}", login, ledger.ActionRead, s.getComparison},
		{GET, "/projects/{project}/compare/{digest}/document", login, ledger.ActionRead, s.getComparisonDocument},
		{POST, apiPrefix + "/projects/{project}/predictions", either, ledger.ActionPredict, s.uploadPredictions},
	}
}

// MaxPredictionsFile is the most bytes a file of predictions may have.
const MaxPredictionsFile = 4 << 30

func projectLink(p Place) page.ProjectLink {
	return page.ProjectLink{ID: p.ID, Slug: p.Slug, Name: p.Name}
}

// modelPageSize is how many models one page lists.
const modelPageSize = 50

func (s *Server) getModels(w http.ResponseWriter, r *http.Request) error {
	ctx, actor, place := r.Context(), actorOf(r), projectOf(r)
	v := page.ModelsView{
		Project: projectLink(place), Evaluations: map[compare.ModelID]compare.EvaluationRecord{},
		MayImport: actor.May(place.ID, ledger.ActionPredict), MayTrain: actor.May(place.ID, ledger.ActionTrain),
	}
	models, err := s.Compare.Models(ctx, actor, compare.ModelFilter{Project: place.ID, Before: compare.ModelID(r.URL.Query().Get("before")), Limit: modelPageSize + 1})
	if err != nil {
		return err
	}
	if len(models) > modelPageSize {
		models = models[:modelPageSize]
		v.Next = v.Project.Href("models") + "?before=" + url.QueryEscape(string(models[modelPageSize-1].ID))
	}
	v.Models = models
	evaluations, err := s.Compare.Evaluations(ctx, actor, place.ID, "")
	if err != nil {
		return err
	}
	for _, e := range evaluations { // newest first
		if _, newer := v.Evaluations[e.Model]; !newer {
			v.Evaluations[e.Model] = e
		}
	}
	return s.render(w, r, http.StatusOK, view{Title: ui.T(ctx, "models.title"), Active: "models"}, page.Models(v))
}

func (s *Server) getModel(w http.ResponseWriter, r *http.Request) error {
	ctx, actor, place := r.Context(), actorOf(r), projectOf(r)
	found, err := s.Compare.ModelPage(ctx, actor, place.ID, r.PathValue("model"))
	if err != nil {
		return err
	}
	names, err := s.Identity.Names(ctx)
	if err != nil {
		return err
	}
	v := page.ModelView{
		Project: projectLink(place), Page: found, People: names, Looked: s.looked(r, review.LookModel, string(found.Model.ID)),
		MayCompare: actor.May(place.ID, ledger.ActionCompare), MayPropose: actor.May(place.ID, ledger.ActionPropose), MayDelete: actor.May(place.ID, ledger.ActionManage),
	}
	if v.Hold, err = s.holdOf(r, erasure.Holdable{Kind: erasure.TrashModel, ID: string(found.Model.ID)}); err != nil {
		return err
	}
	if len(found.Evaluations) > 0 {
		e, err := s.Compare.Evaluation(ctx, actor, place.ID, found.Evaluations[0].Digest)
		if err == nil {
			v.Evaluation = &e
		} else if !fault.Is(err, fault.Denied) { // it would tell what they judge blind
			return err
		}
	}
	path := []ui.Crumb{{Text: ui.T(ctx, "models.title"), Href: v.Project.Href("models")}, {Text: found.Model.Title(), User: true}}
	return s.render(w, r, http.StatusOK, view{Title: found.Model.Title(), Active: "models", Path: path, Islands: islandsFor(v.Looked)}, page.Model(v))
}

// snapshotChoices lists the snapshots that are ready, those for evaluation
// first, because comparing on them means something.
func (s *Server) snapshotChoices(ctx context.Context, actor ledger.Actor, project ledger.ProjectID) ([]page.SnapshotChoice, error) {
	snapshots, err := s.Labeling.Snapshots(ctx, actor, project)
	if err != nil {
		return nil, err
	}
	var first, later []page.SnapshotChoice
	for _, snapshot := range snapshots {
		if snapshot.State != labeling.SnapshotReady {
			continue
		}
		choice := page.SnapshotChoice{ID: string(snapshot.ID), Title: ui.T(ctx, "compare.snapshot.choice", "title", snapshot.Title(), "n", snapshot.Items)}
		if snapshot.Purpose == labeling.PurposeEvaluation {
			first = append(first, choice)
		} else {
			later = append(later, choice)
		}
	}
	return append(first, later...), nil
}

func (s *Server) getUploadPredictions(w http.ResponseWriter, r *http.Request) error {
	values := map[string]string{"model": clipped(r.URL.Query().Get("model")), "snapshot": clipped(r.URL.Query().Get("snapshot"))}
	return s.showUpload(w, r, http.StatusOK, page.FormView{Values: values})
}

func (s *Server) showUpload(w http.ResponseWriter, r *http.Request, status int, form page.FormView) (err error) {
	ctx, actor, place := r.Context(), actorOf(r), projectOf(r)
	v := page.UploadView{Project: projectLink(place), Form: form}
	if v.Models, err = s.Compare.Models(ctx, actor, compare.ModelFilter{Project: place.ID}); err != nil {
		return err
	}
	if v.Snapshots, err = s.snapshotChoices(ctx, actor, place.ID); err != nil {
		return err
	}
	path := []ui.Crumb{{Text: ui.T(ctx, "models.title"), Href: v.Project.Href("models")}, {Text: ui.T(ctx, "predictions.import")}}
	return s.render(w, r, status, view{Title: ui.T(ctx, "predictions.import"), Active: "models", Path: path, Main: "narrow"}, page.UploadPredictions(v))
}

// postPredictions takes the form with a file. The fields stand before the file,
// which is streamed, never held.
func (s *Server) postPredictions(w http.ResponseWriter, r *http.Request) error {
	r = Bounded(w, r, MaxPredictionsFile)
	parts, err := r.MultipartReader()
	if err != nil {
		return fault.As(fault.Invalid, err, "The form could not be read. Reload the page and try again.")
	}
	values, file, err := fieldsBeforeFile(parts)
	if err != nil {
		return err
	}
	snapshot, err := s.snapshotNamed(r, values["snapshot"])
	var set compare.PredictionSet
	if err == nil {
		set, err = s.Compare.UploadPredictions(r.Context(), actorOf(r), compare.UploadRequest{
			Project: projectOf(r).ID, Model: values["model"], Digest: ledger.Digest(values["digest"]), Snapshot: snapshot,
			File: file.name, Body: file.content,
		})
	}
	if isRefusal(err) || fault.Is(err, fault.NotFound) {
		return s.showUpload(w, r, http.StatusUnprocessableEntity, s.refused(r.Context(), values, err))
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, projectLink(projectOf(r)).Href("predictions", string(set.ID)))
}

// snapshotNamed returns the id of the snapshot that a form or an address names.
func (s *Server) snapshotNamed(r *http.Request, name string) (labeling.SnapshotID, error) {
	if name == "" {
		return "", fault.Field("snapshot", "Choose a snapshot.")
	}
	snapshot, err := s.Labeling.Snapshot(r.Context(), actorOf(r), projectOf(r).ID, name)
	return snapshot.ID, err
}

// uploadedFile is the file of a multipart form.
type uploadedFile struct {
	name    string
	content io.Reader
}

// fieldsBeforeFile reads the short fields of a form up to its file.
func fieldsBeforeFile(parts *multipart.Reader) (map[string]string, uploadedFile, error) {
	values := map[string]string{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return values, uploadedFile{content: http.NoBody}, nil
		}
		if err != nil {
			return nil, uploadedFile{}, fault.As(fault.Invalid, err, "The form could not be read. Reload the page and try again.")
		}
		if part.FileName() != "" {
			return values, uploadedFile{name: part.FileName(), content: part}, nil
		}
		text, err := io.ReadAll(io.LimitReader(part, 4096))
		if err != nil {
			return nil, uploadedFile{}, fault.As(fault.Invalid, err, "The form could not be read. Reload the page and try again.")
		}
		values[part.FormName()] = string(text)
	}
}

// uploadPredictions takes a file of predictions as the body of a request, and
// what it is in the query: model, snapshot, digest, file, format.
func (s *Server) uploadPredictions(w http.ResponseWriter, r *http.Request) error {
	r = Bounded(w, r, MaxPredictionsFile)
	query := r.URL.Query()
	snapshot, err := s.snapshotNamed(r, query.Get("snapshot"))
	if err != nil {
		return err
	}
	request := compare.UploadRequest{
		Project: projectOf(r).ID, Model: query.Get("model"), Digest: ledger.Digest(query.Get("digest")), Snapshot: snapshot,
		File: query.Get("file"), Body: r.Body,
	}
	if text := query.Get("format"); text != "" {
		if request.Format, err = labeling.ParseFormat(text); err != nil {
			return err
		}
	}
	if request.File == "" {
		request.File = "upload"
		if _, params, err := mime.ParseMediaType(r.Header.Get("Content-Disposition")); err == nil && params["filename"] != "" {
			request.File = params["filename"]
		}
	}
	set, err := s.Compare.UploadPredictions(r.Context(), actorOf(r), request)
	if err != nil {
		return err
	}
	return renderJSON(w, http.StatusAccepted, predictionSetBody(set))
}

func (s *Server) getPredictions(w http.ResponseWriter, r *http.Request) error {
	return s.showPredictions(w, r, http.StatusOK, page.FormView{})
}

// postWithdrawPredictions takes a wrong upload out of what stands.
func (s *Server) postWithdrawPredictions(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	set, err := s.Compare.WithdrawPredictions(r.Context(), actorOf(r), projectOf(r).ID, compare.PredictionSetID(r.PathValue("set")), r.PostForm.Get("reason"))
	if isRefusal(err) || fault.Is(err, fault.Denied) {
		return s.showPredictions(w, r, http.StatusUnprocessableEntity, s.refused(r.Context(), typed(r, "reason"), err))
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, projectLink(projectOf(r)).Href("predictions", string(set.ID)))
}

func (s *Server) showPredictions(w http.ResponseWriter, r *http.Request, status int, form page.FormView) error {
	ctx, actor, place := r.Context(), actorOf(r), projectOf(r)
	set, err := s.Compare.PredictionSet(ctx, actor, place.ID, compare.PredictionSetID(r.PathValue("set")))
	if err != nil {
		return err
	}
	model, err := s.Compare.Model(ctx, actor, place.ID, string(set.Model))
	if err != nil {
		return err
	}
	v := page.PredictionsView{Project: projectLink(place), Set: set, Model: model, Form: form,
		MayWithdraw: actor.May(place.ID, ledger.ActionManage) && set.Origin == compare.OriginUploaded && set.Withdrawn.None() && set.CreatedBy != actor.Person}
	if v.People, err = s.names(ctx, actor, place.ID); err != nil {
		return err
	}
	title := ui.T(ctx, "predictions.of", "model", model.Title())
	path := []ui.Crumb{{Text: ui.T(ctx, "models.title"), Href: v.Project.Href("models")}, {Text: model.Title(), Href: v.Project.Href("models", string(model.ID)), User: true}, {Text: ui.T(ctx, "predictions.title")}}
	return s.render(w, r, status, view{Title: title, Active: "models", Path: path}, page.Predictions(v))
}

func (s *Server) getCompare(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	values := map[string]string{}
	for _, name := range []string{"baseline", "candidate", "snapshot"} {
		values[name] = clipped(query.Get(name))
	}
	return s.showCompare(w, r, http.StatusOK, page.FormView{Values: values})
}

func (s *Server) showCompare(w http.ResponseWriter, r *http.Request, status int, form page.FormView) (err error) {
	ctx, actor, place := r.Context(), actorOf(r), projectOf(r)
	v := page.CompareView{
		Project: projectLink(place), Form: form,
		May: actor.May(place.ID, ledger.ActionCompare), MayImport: actor.May(place.ID, ledger.ActionPredict),
	}
	if v.Rows, err = s.Compare.Comparisons(ctx, actor, compare.ComparisonFilter{Project: place.ID}); err != nil {
		return err
	}
	if v.Models, err = s.Compare.Models(ctx, actor, compare.ModelFilter{Project: place.ID, Limit: 500}); err != nil {
		return err
	}
	if v.Snapshots, err = s.snapshotChoices(ctx, actor, place.ID); err != nil {
		return err
	}
	if form.Values["snapshot"] == "" && len(v.Snapshots) > 0 {
		form.Values["snapshot"] = v.Snapshots[0].ID
	}
	return s.render(w, r, status, view{Title: ui.T(ctx, "compare.title"), Active: "compare"}, page.Compare(v))
}

func (s *Server) postCompare(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	snapshot, err := s.snapshotNamed(r, r.PostForm.Get("snapshot"))
	var compared compare.Compared
	if err == nil {
		compared, err = s.Compare.Compare(r.Context(), actorOf(r), compare.CompareRequest{
			Project: projectOf(r).ID, Baseline: r.PostForm.Get("baseline"), Candidate: r.PostForm.Get("candidate"), Snapshot: snapshot,
		})
	}
	if isRefusal(err) || fault.Is(err, fault.NotFound) {
		return s.showCompare(w, r, http.StatusUnprocessableEntity, s.refused(r.Context(), typed(r, "baseline", "candidate", "snapshot"), err))
	}
	if err != nil {
		return err
	}
	return s.seeOther(w, r, projectLink(projectOf(r)).Href("compare", compared.Record.Digest.Hex()))
}

// itemFilter reads the filter of a comparison's items from an address.
func itemFilter(query url.Values) compare.ItemFilter {
	limit, _ := strconv.Atoi(query.Get("limit")) // anything else is the default
	return compare.ItemFilter{
		Outcomes: query["outcome"], Class: query.Get("class"), Answer: query.Get("answer"), Baseline: query.Get("baseline"), Candidate: query.Get("candidate"),
		After: query.Get("after"), Limit: limit,
	}
}

// digestOf reads the digest in an address, with or without the algorithm.
func digestOf(text string) (ledger.Digest, error) {
	if len(text) == 64 {
		text = "sha256:" + text
	}
	return ledger.ParseDigest(text)
}

func (s *Server) getComparison(w http.ResponseWriter, r *http.Request) error {
	ctx, actor, place := r.Context(), actorOf(r), projectOf(r)
	digest, err := digestOf(r.PathValue("digest"))
	if err != nil {
		return fault.New(fault.NotFound, "There is no such comparison in this project.")
	}
	found, err := s.Compare.Comparison(ctx, actor, place.ID, digest)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	v := page.ComparisonView{
		Looked:  s.looked(r, review.LookComparison, string(found.Record.Digest)),
		Project: projectLink(place), Record: found.Record, Comparison: found.Comparison, Sources: found.Sources, Others: found.Others, Filter: itemFilter(query),
		AllSlices: query.Get("slices") == "all", AllClasses: query.Get("classes") == "all", MayPropose: actor.May(place.ID, ledger.ActionPropose),
		MayDelete: actor.May(place.ID, ledger.ActionManage),
	}
	if v.Hold, err = s.holdOf(r, erasure.Holdable{Kind: erasure.TrashComparison, ID: string(found.Record.Digest)}); err != nil {
		return err
	}
	if v.Baseline, err = s.Compare.Model(ctx, actor, place.ID, string(found.Record.Baseline)); err != nil {
		return err
	}
	if v.Candidate, err = s.Compare.Model(ctx, actor, place.ID, string(found.Record.Candidate)); err != nil {
		return err
	}
	if v.People, err = s.names(ctx, actor, place.ID); err != nil {
		return err
	}
	snapshot, err := s.Labeling.Snapshot(ctx, actor, place.ID, string(found.Record.Snapshot))
	if err != nil {
		return err
	}
	v.Snapshot, v.SnapshotNo = snapshot.Title(), snapshot.Number
	if v.Items, err = s.Compare.ComparedItems(ctx, actor, place.ID, digest, v.Filter); err != nil {
		return err
	}
	title := ui.T(ctx, "compare.heading", "candidate", v.Candidate.Title(), "baseline", v.Baseline.Title())
	path := []ui.Crumb{{Text: ui.T(ctx, "compare.title"), Href: v.Project.Href("compare")}, {Text: title, User: true}}
	return s.render(w, r, http.StatusOK, view{Title: title, Active: "compare", Path: path, Main: "wide", Islands: islandsFor(v.Looked, "compare")}, page.Comparison(v))
}

func (s *Server) getComparisonDocument(w http.ResponseWriter, r *http.Request) error {
	digest, err := digestOf(r.PathValue("digest"))
	if err != nil {
		return fault.New(fault.NotFound, "There is no such comparison in this project.")
	}
	document, err := s.Compare.ComparisonDocument(r.Context(), actorOf(r), projectOf(r).ID, digest)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="comparison-`+digest.Short()+`.json"`)
	_, err = w.Write(document)
	return ignoreGone(err)
}
