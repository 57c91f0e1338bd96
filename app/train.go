package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/web"
)

// trainOptions are the flags of train.
type trainOptions struct {
	project, recipe, snapshot, engine, name, key string
	params                                       []string
	seed                                         uint64
	wait, asJSON                                 bool
}

func trainCommand() *cobra.Command {
	var o trainOptions
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a model on a snapshot",
		Long:  "Train a model on a snapshot. With --wait it follows the log and ends when the run does: with a model and a draft candidate, or with exit code 1.",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return train(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.project, "project", "", "project (its address)")
	f.StringVar(&o.recipe, "recipe", "", "recipe to train with; see adjudge recipe list")
	f.StringVar(&o.snapshot, "snapshot", "", "snapshot to train on: its number, name or digest")
	f.StringArrayVar(&o.params, "param", nil, "parameter of the recipe as name=value; may be repeated")
	f.Uint64Var(&o.seed, "seed", 0, "seed of everything random (default 1)")
	f.StringVar(&o.name, "name", "", "name of the model (default: the recipe's)")
	f.StringVar(&o.engine, "engine", "", "where to train (default: local)")
	f.StringVar(&o.key, "key", "", "idempotency key: the same again returns the first run")
	f.BoolVar(&o.wait, "wait", false, "follow the run until it ended")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON document")
	for _, name := range []string{"project", "recipe", "snapshot"} {
		_ = cmd.MarkFlagRequired(name) // the flag exists
	}
	return cmd
}

func train(cmd *cobra.Command, o trainOptions) error {
	texts, err := splitParams(o.params)
	if err != nil {
		return err
	}
	body := web.TrainBody{Recipe: o.recipe, Snapshot: o.snapshot, Params: map[string]json.RawMessage{}, Seed: o.seed, Name: o.name, Engine: o.engine, Key: o.key}
	for name, text := range texts {
		if body.Params[name], err = json.Marshal(text); err != nil {
			return err
		}
	}
	c, err := connect(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	var run web.RunBody
	if err := c.post(ctx, apiPath("projects", o.project, "runs"), body, &run); err != nil {
		return err
	}
	out, notes := terminal(cmd), cmd.ErrOrStderr()
	if !o.asJSON {
		verb := "Started"
		if run.Known {
			verb = "Already on its way:"
		}
		if _, err := fmt.Fprintf(out, "%s run %d of %s.\n", verb, run.Number, o.project); err != nil {
			return err
		}
		notes = out
	}
	if o.wait {
		if err := c.follow(ctx, o.project, &run, notes); err != nil {
			return err
		}
	}
	if o.asJSON {
		if err := printJSON(cmd, run); err != nil {
			return err
		}
	} else if o.wait {
		if err := sayRun(out, run); err != nil {
			return err
		}
	}
	if o.wait && run.State != "succeeded" {
		if o.asJSON {
			return exit(exitFailed)
		}
		return errors.New(run.Reason)
	}
	return nil
}

func sayRun(out io.Writer, run web.RunBody) error {
	if run.State != "succeeded" {
		return nil // the error says it
	}
	measured := ""
	if run.Primary != nil {
		measured = fmt.Sprintf(" %s %.4f.", run.Primary.Name, run.Primary.Value)
	}
	_, err := fmt.Fprintf(out, "Run %d succeeded.%s\nModel %s (%s)\nDraft candidate %d\n", run.Number, measured, run.Model, run.Digest, run.Candidate)
	return err
}

// follow prints the log of a run as it grows until the run is over.
func (c *client) follow(ctx context.Context, project string, run *web.RunBody, out io.Writer) error {
	var offset, fence int64
	for {
		if err := c.get(ctx, apiPath("projects", project, "runs", strconv.Itoa(run.Number)), run); err != nil {
			return err
		}
		if run.Fence != fence { // another attempt begins a log of its own
			fence, offset = run.Fence, 0
		}
		if fence != 0 {
			for {
				path := apiPath("projects", project, "runs", strconv.Itoa(run.Number), "log") + fmt.Sprintf("?offset=%d&fence=%d", offset, fence)
				response, err := c.send(ctx, http.MethodGet, path, "", nil)
				if err != nil {
					return err
				}
				text, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err != nil {
					return err
				}
				for line := range strings.Lines(string(text)) {
					if !strings.HasPrefix(line, "::") { // progress is for machines
						if _, err := io.WriteString(out, line); err != nil {
							return err
						}
					}
				}
				offset += int64(len(text))
				if len(text) == 0 {
					break
				}
			}
		}
		if run.Over {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
