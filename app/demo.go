package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/labeling"
)

const demoProject = "support-demo"

func demoCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Start the server with a demo project",
		Long: "demo starts a server like serve does, in a data directory of its own, and fills it once with a project\n" +
			"of invented questions to a support desk: some labeled, some waiting, and others to evaluate models on.\n" +
			"It prints a link that signs you in.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := demoDirectory(cmd); err != nil {
				return err
			}
			return serve(cmd, o, func(ctx context.Context, h *house, address string, out io.Writer) error {
				owner, err := h.owner(ctx)
				if err != nil {
					return err
				}
				colleagues, err := h.fillDemo(ctx, owner)
				if err != nil {
					return fmt.Errorf("fill the demo project: %w", err)
				}
				link, err := h.identity.Launch(ctx, owner.ID)
				if err != nil {
					return err
				}
				if _, err = fmt.Fprintf(out, "Open this link to begin; it signs you in once:\n\n    %s/launch?token=%s\n\n", address, link); err != nil {
					return err
				}
				for i, c := range colleagues {
					if i == 0 {
						fmt.Fprintln(out, "To sign a model off it takes two more people. Open these in private windows, whenever you like:")
						fmt.Fprintln(out)
					}
					fmt.Fprintf(out, "    %s (%s)  %s/welcome?token=%s\n", c.name, c.role, address, c.link)
				}
				return nil
			})
		},
	}
	o.flags(cmd)
	return cmd
}

// demoDirectory keeps the demo out of the data directory that a real server of
// this person uses, unless they name one.
func demoDirectory(cmd *cobra.Command) error {
	flag := cmd.Flags().Lookup("data")
	if flag.Changed || os.Getenv("ADJUDGE_DATA") != "" {
		return nil
	}
	path, err := dataPath("")
	if err != nil {
		return err
	}
	return flag.Value.Set(filepath.Join(filepath.Dir(path), "adjudge-demo"))
}

// demoColleague is a person whom the demo invents, because nobody may approve
// what they trained themselves.
type demoColleague struct {
	username, name string
	role           ledger.Role
	link           string // the secret of their welcome link
}

// fillDemo makes the demo project through the services that pages call, so it
// holds nothing that a person could not have made. It does nothing, and names
// no colleagues, where the project is already there.
func (h *house) fillDemo(ctx context.Context, owner identity.Person) ([]demoColleague, error) {
	actor := ledger.Actor{Person: owner.ID, Name: owner.Name, Via: ledger.ViaLocal, Admin: true, Scope: ledger.ScopeFull}
	_, err := h.labeling.Project(ctx, actor, demoProject)
	if err == nil || !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	schema := labeling.Schema{Question: "What does this person write about?"}
	for i, intent := range demoIntents() {
		schema.Classes = append(schema.Classes, labeling.Class{Name: intent.class, Color: i})
	}
	project, err := h.labeling.CreateProject(ctx, actor, labeling.CreateProjectRequest{Name: "Support questions", Slug: demoProject, Schema: schema})
	if err != nil {
		return nil, err
	}
	questions := demoQuestions("question", demoTraining, 7, 0.06)
	for i := range questions {
		if i >= demoLabeled {
			questions[i].Class = "" // this is what waits for the person
		}
	}
	if err := h.importDemo(ctx, actor, project.ID, "questions", labeling.PurposeTraining, questions); err != nil {
		return nil, err
	}
	if err := h.importDemo(ctx, actor, project.ID, "test", labeling.PurposeEvaluation, demoQuestions("test", demoEvaluation, 8, 0.3)); err != nil {
		return nil, err
	}
	colleagues := []demoColleague{
		{username: "mara", name: "Mara Lindqvist", role: ledger.RoleReviewer},
		{username: "tomas", name: "Tomas Rey", role: ledger.RoleApprover},
	}
	for i := range colleagues {
		c := &colleagues[i]
		if _, c.link, err = h.identity.CreatePerson(ctx, actor, identity.CreatePersonRequest{
			Username: c.username, Name: c.name, Project: project.ID, Roles: []ledger.Role{c.role},
		}); err != nil {
			return nil, err
		}
	}
	return colleagues, h.trainDemo(ctx, actor, project.ID)
}

// trainDemo freezes what is labeled and sends two trainings off: a hasty one
// and a careful one, so that there is something to compare. It waits for the
// hasty one, which so is version 1 everywhere, and not for the other: to watch
// that is part of the demo.
func (h *house) trainDemo(ctx context.Context, actor ledger.Actor, project labeling.ProjectID) error {
	var labeled labeling.Snapshot
	for _, dataset := range []string{"test", "questions"} {
		name := dataset + "-1"
		made, err := h.labeling.CreateSnapshot(ctx, actor, project, labeling.CreateSnapshotRequest{Name: name, Datasets: []string{dataset}})
		if err != nil {
			return err
		}
		if err := until(ctx, func() (bool, error) {
			made, err = h.labeling.Snapshot(ctx, actor, project, string(made.ID))
			if err == nil && made.State == labeling.SnapshotFailed {
				err = fmt.Errorf("snapshot %s failed", name)
			}
			return made.State == labeling.SnapshotReady, err
		}); err != nil {
			return err
		}
		labeled = made
	}
	careful := training.SubmitRequest{Project: project, Recipe: "text-linear", Snapshot: labeled.ID}
	hasty := careful
	hasty.Params = map[string]json.RawMessage{"word_ngrams": []byte("1"), "char_max": []byte("0"), "epochs": []byte("2")}
	first, err := h.training.Submit(ctx, actor, hasty)
	if err != nil {
		return err
	}
	if err := until(ctx, func() (bool, error) {
		now, err := h.training.Run(ctx, actor, project, first.Run.Number)
		return now.Run.State.Ended(), err
	}); err != nil {
		return err
	}
	_, err = h.training.Submit(ctx, actor, careful)
	return err
}

// How many questions the demo has.
const (
	demoTraining   = 600
	demoLabeled    = 360
	demoEvaluation = 240
)

// importDemo brings questions in as a file, like an upload, and waits.
func (h *house) importDemo(ctx context.Context, actor ledger.Actor, project labeling.ProjectID, dataset string, purpose labeling.Purpose, questions []demoQuestion) error {
	var file bytes.Buffer
	lines := json.NewEncoder(&file)
	for _, q := range questions {
		line := map[string]string{"key": q.Key, "text": q.Text}
		if q.Class != "" {
			line["label"] = q.Class
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	upload, err := h.labeling.Upload(ctx, actor, project, dataset+".jsonl", &file)
	if err != nil {
		return err
	}
	if _, err := h.labeling.StartImport(ctx, actor, project, upload.ID, labeling.StartImportRequest{
		Dataset: dataset, Purpose: purpose, Format: labeling.FormatJSONL,
		Mapping: labeling.Mapping{Text: "text", Label: "label", Key: "key"},
	}); err != nil {
		return err
	}
	return until(ctx, func() (bool, error) {
		i, err := h.labeling.Import(ctx, actor, project, upload.ID)
		if err == nil && i.State.Over() && (i.State != labeling.ImportDone || i.Bad > 0) {
			err = fmt.Errorf("%s: %s, %d of %d lines refused %s", i.File, i.State, i.Bad, len(questions), i.Failure)
		}
		return i.State.Over(), err
	})
}

// until asks again and again whether work behind the scenes is done.
func until(ctx context.Context, done func() (bool, error)) error {
	for {
		finished, err := done()
		if finished || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
