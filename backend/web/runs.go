package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/ui"
)

// runRoutes are the pages about training, and the log of a run, which is bytes.
func (s *Server) runRoutes() []route {
	return []route{
		{GET, "/projects/{project}/runs", login, ledger.ActionRead, s.getRuns},
		{GET, "/projects/{project}/runs/compare", login, ledger.ActionRead, s.getRunsCompare},
		{GET, "/projects/{project}/train", login, ledger.ActionTrain, s.getTrain},
		{POST, "/projects/{project}/train", login, ledger.ActionTrain, s.postTrain},
		{GET, "/projects/{project}/runs/{number}", login, ledger.ActionRead, s.getRun},
		{POST, "/projects/{project}/runs/{number}/stop", login, ledger.ActionTrain, s.postRunStop},
		{GET, "/projects/{project}/runs/{number}/metrics", login, ledger.ActionRead, s.getRunMetrics},
		{GET, "/projects/{project}/runs/{number}/log", login, ledger.ActionRead, s.getRunLog},
		{GET, "/projects/{project}/runs/{number}/log/find", login, ledger.ActionRead, s.getRunLogFind},
		{GET, apiPrefix + "/projects/{project}/runs/{number}/log", either, ledger.ActionRead, s.getRunLog},
		{GET, apiPrefix + "/projects/{project}/runs/{number}/log/find", either, ledger.ActionRead, s.getRunLogFind},
	}
}

// runNumber reads {number}.
func runNumber(r *http.Request) (int, error) {
	n, err := strconv.Atoi(chi.URLParam(r, "number"))
	if err != nil || n < 1 {
		return 0, fault.New(fault.NotFound, "There is no run %.20q in this project.", chi.URLParam(r, "number"))
	}
	return n, nil
}

// queryInt reads a number of the address; absent is 0.
func queryInt(r *http.Request, name string) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.Field(name, "%s is %.30q; it is a number, 0 or more.", name, text)
	}
	return n, nil
}

// getRunLog answers a piece of the log. X-Log-Total says how many bytes there
// are now, X-Log-Over whether more may come.
func (s *Server) getRunLog(w http.ResponseWriter, r *http.Request) error {
	number, err := runNumber(r)
	if err != nil {
		return err
	}
	var query [3]int64
	for i, name := range []string{"fence", "offset", "limit"} {
		if query[i], err = queryInt(r, name); err != nil {
			return err
		}
	}
	part, err := s.Training.ReadLog(r.Context(), actorOf(r), projectOf(r).ID, number, query[0], query[1], int(min(query[2], 1<<20)))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Log-Fence", strconv.FormatInt(part.Fence, 10))
	h.Set("X-Log-Total", strconv.FormatInt(part.Total, 10))
	h.Set("X-Log-Over", strconv.FormatBool(part.Over))
	_, err = w.Write(part.Body)
	return ignoreGone(err)
}

// LogPlaceBody says where in a log a line is.
type LogPlaceBody struct {
	Fence  int64 `json:"fence"`
	Offset int64 `json:"offset"`
	Line   int64 `json:"line"` // from 1; 0 where nothing was found
	Lines  int64 `json:"lines"`
}

// getRunLogFind answers where in the log a line is: line=12 by its number,
// offset=4096 the next that begins there, text=… or errors=1 the next after
// from=… that matches, back=1 the one before.
func (s *Server) getRunLogFind(w http.ResponseWriter, r *http.Request) error {
	number, err := runNumber(r)
	if err != nil {
		return err
	}
	var query [4]int64
	for i, name := range []string{"fence", "line", "offset", "from"} {
		if query[i], err = queryInt(r, name); err != nil {
			return err
		}
	}
	q := r.URL.Query()
	if len(q.Get("text")) > 1000 {
		return fault.Field("text", "What is searched for has %d bytes; give at most 1000.", len(q.Get("text")))
	}
	found, err := s.Training.FindInLog(r.Context(), actorOf(r), projectOf(r).ID, number, query[0], training.LogSearch{
		Line: query[1], Offset: query[2], From: query[3], Text: q.Get("text"), Errors: q.Get("errors") != "", Back: q.Get("back") != "",
	})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return renderJSON(w, http.StatusOK, LogPlaceBody(found))
}

// runsShown is how many runs one page of the list holds.
const runsShown = 50

func (s *Server) getRuns(w http.ResponseWriter, r *http.Request) error {
	before, err := queryInt(r, "before")
	if err != nil {
		return err
	}
	ctx, actor, project := r.Context(), actorOf(r), projectOf(r)
	rows, err := s.Training.Runs(ctx, actor, project.ID, int(before), runsShown)
	if err != nil {
		return err
	}
	names, err := s.Identity.Names(ctx)
	if err != nil {
		return err
	}
	v := page.NewRunsView(ctx, projectLink(projectOf(r)), rows, names, r.URL.Query().Get("columns") == "differing")
	v.MayTrain = actor.May(project.ID, ledger.ActionTrain)
	if len(rows) == runsShown {
		v.Older = v.Project.Href("runs") + "?before=" + strconv.Itoa(rows[len(rows)-1].Run.Number)
	}
	if before > 0 {
		v.Newer = v.Project.Href("runs")
	}
	return s.render(w, r, http.StatusOK, view{Title: ui.T(ctx, "runs.title"), Active: "runs", Main: "wide"}, page.Runs(v))
}

// getRunsCompare leads from the models that are selected in the list to their
// comparison; the list is newest first, and the older one is the baseline.
func (s *Server) getRunsCompare(w http.ResponseWriter, r *http.Request) error {
	models, project := r.URL.Query()["model"], projectLink(projectOf(r))
	query := url.Values{}
	if len(models) > 0 {
		query.Set("candidate", models[0])
	}
	if len(models) > 1 {
		query.Set("baseline", models[len(models)-1])
	}
	return s.seeOther(w, r, project.Href("compare")+"?"+query.Encode())
}

func (s *Server) getTrain(w http.ResponseWriter, r *http.Request) error {
	v := page.TrainView{Snapshot: r.URL.Query().Get("snapshot"), Seed: "1", Values: map[string]string{}}
	v.Recipe.Name = r.URL.Query().Get("recipe")
	if from := r.URL.Query().Get("from"); from != "" { // the same again, to change a little
		number, err := strconv.Atoi(from)
		if err != nil {
			return fault.Field("from", "%.20q is not the number of a run.", from)
		}
		run, err := s.Training.Run(r.Context(), actorOf(r), projectOf(r).ID, number)
		if err != nil {
			return err
		}
		v.Snapshot, v.Name, v.Recipe.Name = strconv.Itoa(run.Source.Number), run.Job.ModelName, run.Run.Recipe
		v.Seed = strconv.FormatUint(run.Job.Seed, 10)
		var params map[string]json.RawMessage
		if err := json.Unmarshal(run.Run.Params, &params); err != nil {
			return err
		}
		for name, raw := range params {
			text := string(raw)
			var quoted string
			if json.Unmarshal(raw, &quoted) == nil {
				text = quoted
			}
			v.Values[name] = text
		}
	}
	return s.showTrain(w, r, http.StatusOK, v)
}

// showTrain completes and draws the form.
func (s *Server) showTrain(w http.ResponseWriter, r *http.Request, status int, v page.TrainView) error {
	ctx, actor, project := r.Context(), actorOf(r), projectOf(r)
	snapshots, err := s.Labeling.Snapshots(ctx, actor, project.ID)
	if err != nil {
		return err
	}
	for _, snapshot := range snapshots {
		if training.Trainable(snapshot) == nil {
			v.Snapshots = append(v.Snapshots, snapshot)
		}
	}
	v.Project, v.Recipes = projectLink(projectOf(r)), s.Training.Recipes
	if v.Recipe, err = s.Training.Recipes.Get(v.Recipe.Name); err != nil {
		v.Recipe = s.Training.Recipes[0]
	}
	return s.render(w, r, status, view{Title: ui.T(ctx, "train.title"), Active: "runs",
		Path: []ui.Crumb{{Text: ui.T(ctx, "runs.title"), Href: v.Project.Href("runs")}, {Text: ui.T(ctx, "train.title")}}}, page.Train(v))
}

func (s *Server) postTrain(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	ctx, form := r.Context(), r.PostForm
	v := page.TrainView{Snapshot: form.Get("snapshot"), Name: form.Get("name"), Seed: form.Get("seed"), Values: map[string]string{}}
	v.Recipe.Name = form.Get("recipe")
	body := TrainBody{Recipe: form.Get("recipe"), Snapshot: form.Get("snapshot"), Name: form.Get("name"), Params: map[string]json.RawMessage{}}
	recipe, err := s.Training.Recipes.Get(body.Recipe)
	if err == nil {
		for _, f := range recipe.Params.Fields {
			text := form.Get("params." + f.Name)
			if f.Type == "boolean" { // a box that is not ticked sends nothing
				text = strconv.FormatBool(form.Has("params." + f.Name))
			}
			v.Values[f.Name] = text
			if body.Params[f.Name], err = json.Marshal(text); err != nil {
				return err
			}
		}
		if seed := strings.TrimSpace(v.Seed); seed != "" {
			if body.Seed, err = strconv.ParseUint(seed, 10, 63); err != nil || body.Seed == 0 {
				err = fault.Field("seed", "Seed: %.30q is not a whole number from 1.", seed)
			}
		}
	}
	var made training.Submitted
	if err == nil {
		made, err = s.train(ctx, body)
	}
	if err != nil {
		if !isRefusal(err) && !fault.Is(err, fault.NotFound) {
			return err
		}
		if v.Errors = page.Refusals(r.Context(), err); len(v.Errors) == 0 {
			v.Error = page.Refusal(r.Context(), err)
		}
		return s.showTrain(w, r, http.StatusUnprocessableEntity, v)
	}
	to := projectLink(projectOf(r)).Href("runs", strconv.Itoa(made.Run.Number))
	if made.Known {
		to += "?known=1"
	}
	return s.seeOther(w, r, to)
}

// logShown is how much of the end of a log a page carries for browsers without
// scripts.
const logShown = 16 << 10

func (s *Server) getRun(w http.ResponseWriter, r *http.Request) error {
	number, err := runNumber(r)
	if err != nil {
		return err
	}
	ctx, actor, project := r.Context(), actorOf(r), projectOf(r)
	v := page.RunView{Project: projectLink(projectOf(r)), MayTrain: actor.May(project.ID, ledger.ActionTrain), Now: s.Now().UTC()}
	if v.RunPage, err = s.Training.Run(ctx, actor, project.ID, number); err != nil {
		return err
	}
	if v.Names, err = s.Identity.Names(ctx); err != nil {
		return err
	}
	if v.LogTotal = v.Attempt.LogBytes; v.LogTotal > 0 {
		part, err := s.Training.ReadLog(ctx, actor, project.ID, number, v.Attempt.Fence, max(0, v.LogTotal-logShown), logShown)
		if err != nil {
			return err
		}
		v.Log = strings.ToValidUTF8(string(part.Body), "�")
	}
	title := ui.T(ctx, "run.number", "n", strconv.Itoa(number))
	shown := view{Title: title, Active: "runs", Main: "wide", Islands: []string{"runchart", "runlog"},
		Path: []ui.Crumb{{Text: ui.T(ctx, "runs.title"), Href: v.Project.Href("runs")}, {Text: title}}}
	if r.URL.Query().Get("known") != "" {
		shown.Status = ui.T(ctx, "train.known")
	}
	return s.render(w, r, http.StatusOK, shown, page.Run(v))
}

func (s *Server) postRunStop(w http.ResponseWriter, r *http.Request) error {
	number, err := runNumber(r)
	if err != nil {
		return err
	}
	if _, err := s.Training.StopRun(r.Context(), actorOf(r), projectOf(r).ID, number); err != nil {
		return err
	}
	return s.seeOther(w, r, projectLink(projectOf(r)).Href("runs", strconv.Itoa(number)))
}

// getRunMetrics answers the points of a run to the chart of its page.
func (s *Server) getRunMetrics(w http.ResponseWriter, r *http.Request) error {
	number, err := runNumber(r)
	if err != nil {
		return err
	}
	points, over, err := s.Training.Points(r.Context(), actorOf(r), projectOf(r).ID, number)
	if err != nil {
		return err
	}
	if points == nil {
		points = []compare.Point{}
	}
	w.Header().Set("Cache-Control", "no-store")
	return renderJSON(w, http.StatusOK, MetricsBody{Items: points, Over: over})
}
