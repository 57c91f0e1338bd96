package app

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/adjudge/adjudge/backend/runner"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/backend/training/recipe"
)

// localOptions are the flags of runner --local.
type localOptions struct {
	recipe, input, out string
	params             []string
	seed               uint64
}

func (o *localOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.recipe, "local", "", "recipe to try on this machine without a server")
	f.StringVar(&o.input, "input", "", "with --local: JSON lines with key, text and answer, as a snapshot exports them")
	f.StringVarP(&o.out, "output", "o", "job", "with --local: directory to run in; it must be new or empty")
	f.StringArrayVar(&o.params, "param", nil, "with --local: a parameter as name=value; may be repeated")
	f.Uint64Var(&o.seed, "seed", 1, "with --local: seed of everything random")
}

// runLocal runs a recipe's training under the job contract, without a server.
func runLocal(cmd *cobra.Command, o localOptions) error {
	book, err := recipe.Shipped()
	if err != nil {
		return err
	}
	r, err := book.Get(o.recipe)
	if err != nil {
		return err
	}
	if o.input == "" {
		return usage{errors.New("give the training data with --input FILE: JSON lines with key, text and answer")}
	}
	texts, err := splitParams(o.params)
	if err != nil {
		return err
	}
	params, err := r.Params.Complete(r.Params.Read(texts))
	if err != nil {
		return err
	}
	if entries, err := os.ReadDir(o.out); err == nil && len(entries) > 0 {
		return usage{fmt.Errorf("the directory %s is not empty; choose another with --output", o.out)}
	}
	dir, err := filepath.Abs(o.out)
	if err != nil {
		return err
	}
	rows, classes, err := layOutLocal(filepath.Join(dir, "input", "train"), o.input)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dataset, err := json.Marshal(map[string]any{"rows": rows, "splits": map[string][]string{"train": {"part-0.jsonl"}}, "label_schema": map[string]any{"classes": classes}})
	if err != nil {
		return err
	}
	code, err := runner.Try(cmd.Context(), dir, self, training.Spec{
		Job:     training.JobFile{Version: 1, JobID: "local", Attempt: 1, Kind: training.KindTrain, Recipe: r.Name, Seed: o.seed},
		Params:  params,
		Command: r.Train.Command,
		Outputs: r.Train.Outputs,
		Inputs:  []training.Input{{Name: "train", Dataset: dataset}},
		GraceS:  int(r.GraceTime().Seconds()),
	}, terminal(cmd))
	if err != nil {
		return err
	}
	if code != 0 {
		return exit(code)
	}
	_, err = fmt.Fprintf(terminal(cmd), "The model and its metrics are in %s\n", filepath.Join(o.out, "output"))
	return err
}

// splitParams reads name=value pairs.
func splitParams(pairs []string) (map[string]string, error) {
	texts := map[string]string{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, usage{fmt.Errorf("--param %q is no name=value", pair)}
		}
		texts[name] = value
	}
	return texts, nil
}

// layOutLocal copies rows into a job directory and collects their classes.
func layOutLocal(dir, file string) (int, []string, error) {
	in, err := os.Open(file)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = in.Close() }()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, nil, err
	}
	out, err := os.Create(filepath.Join(dir, "part-0.jsonl"))
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = out.Close() }()
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	seen := map[string]bool{}
	rows := 0
	for dec := json.NewDecoder(bufio.NewReader(in)); ; {
		var row struct {
			Key    string `json:"key"`
			Text   string `json:"text"`
			Answer string `json:"answer"`
			Label  string `json:"label,omitempty"`
		}
		err := dec.Decode(&row)
		if errors.Is(err, io.EOF) {
			break
		}
		rows++
		if err != nil {
			return 0, nil, fmt.Errorf("%s, row %d: %w", file, rows, err)
		}
		if row.Answer == "" {
			row.Answer, row.Label = row.Label, ""
		}
		if row.Key == "" {
			row.Key = fmt.Sprint(rows)
		}
		seen[row.Answer] = true
		if err := enc.Encode(row); err != nil {
			return 0, nil, err
		}
	}
	classes := make([]string, 0, len(seen))
	for class := range seen {
		classes = append(classes, class)
	}
	slices.Sort(classes)
	return rows, classes, nil
}
