package app

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/trainer/textlinear"
)

func TestTheDemosQuestionsAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	first := fmt.Sprint(demoQuestions("question", demoTraining, 7, 0.06))
	if again := fmt.Sprint(demoQuestions("question", demoTraining, 7, 0.06)); again != first {
		t.Fatal("two calls make different questions")
	}
	const want = "f939"
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(first)))[:4]; got != want {
		t.Errorf("the questions changed (%s, was %s): pictures and numbers in the documents show the old ones", got, want)
	}
	keys, texts, classes := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, q := range demoQuestions("question", demoTraining, 7, 0.06) {
		if keys[q.Key] || texts[q.Text] || !utf8.ValidString(q.Text) || len(q.Text) < 10 {
			t.Errorf("question %+v", q)
		}
		keys[q.Key], texts[q.Text] = true, true
		classes[q.Class]++
	}
	for _, intent := range demoIntents() {
		if classes[intent.class] < 40 {
			t.Errorf("only %d questions are about %s", classes[intent.class], intent.class)
		}
	}
}

// A demo in which every model is right shows nothing of what the product is
// for, and one in which all are equal nothing of how they are compared.
func TestOnTheDemoModelsErrAndDiffer(t *testing.T) {
	t.Parallel()
	number := map[string]int{}
	var classes []string
	for i, intent := range demoIntents() {
		number[intent.class] = i
		classes = append(classes, intent.class)
	}
	var examples []textlinear.Example
	for _, q := range demoQuestions("question", demoTraining, 7, 0.06)[:demoLabeled] {
		examples = append(examples, textlinear.Example{Text: q.Text, Class: number[q.Class]})
	}
	accuracy := func(p textlinear.Params) float64 {
		model, err := textlinear.Fit(t.Context(), examples, classes, p, 1, func(*textlinear.Model, textlinear.Epoch) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		predictor := textlinear.NewPredictor(model)
		right := 0
		questions := demoQuestions("test", demoEvaluation, 8, 0.3)
		for _, q := range questions {
			if _, class := predictor.Predict(q.Text); class == number[q.Class] {
				right++
			}
		}
		return float64(right) / float64(len(questions))
	}
	weak := textlinear.Defaults()
	weak.CharMax, weak.WordNgrams, weak.Epochs = 0, 1, 2
	good, bad := accuracy(textlinear.Defaults()), accuracy(weak)
	if good < 0.75 || good > 0.95 || good-bad < 0.05 {
		t.Errorf("accuracy %.3f with the defaults and %.3f with words alone", good, bad)
	}
}
