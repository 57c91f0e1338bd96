package training

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
)

func schemaOf(t testing.TB, text string) Schema {
	t.Helper()
	var s Schema
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

const someSchema = `{"type":"object","properties":{
	"zeta":{"type":"integer","minimum":1,"maximum":9,"default":3,"title":"Zeta"},
	"alpha":{"type":"number","minimum":0,"default":0.5},
	"kind":{"type":"string","enum":["a","b"],"default":"a"},
	"deep":{"type":"boolean","default":true}}}`

func TestParametersAreCompletedInTheOrderOfTheSchema(t *testing.T) {
	t.Parallel()
	s := schemaOf(t, someSchema)
	for name, tc := range map[string]struct {
		texts map[string]string
		want  string
	}{
		"nothing given":                 {nil, `{"zeta":3,"alpha":0.5,"kind":"a","deep":true}`},
		"texts of a form":               {map[string]string{"zeta": " 7 ", "alpha": "1e-3", "kind": "b", "deep": "false"}, `{"zeta":7,"alpha":0.001,"kind":"b","deep":false}`},
		"a ticked box":                  {map[string]string{"deep": "on"}, `{"zeta":3,"alpha":0.5,"kind":"a","deep":true}`},
		"an empty field stands for it":  {map[string]string{"zeta": ""}, `{"zeta":3,"alpha":0.5,"kind":"a","deep":true}`},
		"a whole number written as 4.0": {map[string]string{"zeta": "4.0"}, `{"zeta":4,"alpha":0.5,"kind":"a","deep":true}`},
	} {
		if got, err := s.Complete(s.Read(tc.texts)); err != nil || string(got) != tc.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, tc.want)
		}
	}
}

func TestWrongParametersAreAllNamed(t *testing.T) {
	t.Parallel()
	s := schemaOf(t, someSchema)
	_, err := s.Complete(s.Read(map[string]string{"zeta": "10", "alpha": "much", "kind": "c", "deep": "perhaps", "extra": "1"}))
	fields := fault.Fields(err)
	for field, part := range map[string]string{
		"params.zeta": "between 1 and 9", "params.alpha": "not a number", "params.kind": "none of a, b", "params.deep": "neither true nor false", "params.extra": "This recipe takes zeta, alpha"} {
		if !strings.Contains(fields[field], part) {
			t.Errorf("%s: %q does not say %q", field, fields[field], part)
		}
	}
	if !fault.Is(err, fault.Invalid) || len(fields) != 5 {
		t.Errorf("%d fields of %v", len(fields), err)
	}
	for _, text := range []string{"2.5", "1e400", "NaN", "null", "[1]"} {
		if _, err := s.Complete(s.Read(map[string]string{"zeta": text})); err == nil {
			t.Errorf("%s is taken for a whole number", text)
		}
	}
}

func TestASchemaThatNoFormCouldShowIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"type":"array"}`, `{"type":"object","properties":{"a":{"type":"object","default":{}}}}`,
		`{"type":"object","properties":{"a":{"type":"integer"}}}`, `{"type":"object","properties":{"a":{"type":"integer","maximum":3,"default":4}}}`,
	} {
		var s Schema
		if err := json.Unmarshal([]byte(text), &s); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestAnOutcomeIsJudgedByCodeSignalStopAndOutputs(t *testing.T) {
	t.Parallel()
	step := Step{Outputs: []string{"model/", "metrics.jsonl"}}
	whole := []OutputFile{{Path: "model/w"}, {Path: "metrics.jsonl"}}
	for name, tc := range map[string]struct {
		finish Finish
		state  State
		reason Reason
		again  bool
	}{
		"all there":                        {Finish{Outputs: whole}, Succeeded, ReasonNone, false},
		"exit code 0 without its outputs":  {Finish{Outputs: whole[1:]}, Failed, ReasonMissingOutput, false},
		"a file is no folder":              {Finish{Outputs: []OutputFile{{Path: "model"}, {Path: "metrics.jsonl"}}}, Failed, ReasonMissingOutput, false},
		"exit code 1":                      {Finish{ExitCode: 1, Outputs: whole}, Failed, ReasonExit, false},
		"bad data":                         {Finish{ExitCode: 65}, Failed, ReasonBadData, false},
		"bad config":                       {Finish{ExitCode: 78}, Failed, ReasonBadConfig, false},
		"checkpointed, again please":       {Finish{ExitCode: 75}, Preempted, ReasonTryAgain, true},
		"killed by somebody":               {Finish{ExitCode: 137, Signal: "killed"}, Failed, ReasonSignal, false},
		"killed for memory":                {Finish{ExitCode: 137, Signal: "killed", OutOfMemory: true}, Failed, ReasonOutOfMemory, false},
		"stopped by a person":              {Finish{ExitCode: 137, Signal: "killed", Stopped: StopCancel}, Cancelled, ReasonStopped, false},
		"stopped, although it then did it": {Finish{Outputs: whole, Stopped: StopCancel}, Cancelled, ReasonStopped, false},
		"preempted":                        {Finish{ExitCode: 143, Stopped: StopPreempt}, Preempted, ReasonStopped, true},
		"lost":                             {Finish{Reason: ReasonLost}, Lost, ReasonLost, true},
		"no such command":                  {Finish{Reason: ReasonNotStarted}, Failed, ReasonNotStarted, false},
	} {
		o := Judge(step, tc.finish)
		if _, again := o.Again(1, 3, false); o.State != tc.state || o.Reason != tc.reason || again != tc.again {
			t.Errorf("%s: %+v, again %v", name, o, again)
		}
		if _, again := o.Again(1, 3, true); again {
			t.Errorf("%s: tried again although somebody stopped it", name)
		}
		if _, again := o.Again(3, 3, false); again && tc.reason != ReasonTryAgain {
			t.Errorf("%s: tried a fourth time", name)
		}
		if o.State != Succeeded && o.Reason != ReasonLost && o.Reason != ReasonNotStarted && o.Message == "" {
			t.Errorf("%s: nothing is said about it", name)
		}
	}
}

func TestPausesBetweenAttemptsGrow(t *testing.T) {
	t.Parallel()
	lost := Outcome{State: Lost}
	var last int64
	for attempt := 1; attempt < 6; attempt++ {
		pause, again := lost.Again(attempt, 9, false)
		if !again || int64(pause) < last {
			t.Errorf("after attempt %d: %s, %v", attempt, pause, again)
		}
		last = int64(pause)
	}
}

// Whatever a recipe asks for, its defaults are complete parameters, and complete
// parameters stay as they are.
func FuzzSchema(f *testing.F) {
	f.Add(someSchema, `{"zeta":4,"kind":"b"}`)
	f.Add(`{"type":"object","properties":{"a":{"type":"string","default":"","enum":["x"]}}}`, `{"a":7}`)
	f.Add(`{"type":"object","properties":null}`, `null`)
	f.Fuzz(func(t *testing.T, schema, params string) {
		var s Schema
		if json.Unmarshal([]byte(schema), &s) != nil {
			return
		}
		given := map[string]json.RawMessage{}
		if json.Unmarshal([]byte(params), &given) != nil {
			return
		}
		complete, err := s.Complete(given)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%v is no reason for people", err)
			}
			return
		}
		clear(given)
		if err := json.Unmarshal(complete, &given); err != nil {
			t.Fatalf("%s is no JSON: %v", complete, err)
		}
		if again, err := s.Complete(given); err != nil || string(again) != string(complete) {
			t.Fatalf("%s became %s, %v", complete, again, err)
		}
	})
}
