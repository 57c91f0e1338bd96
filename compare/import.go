package compare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

// predictionColumns are the names under which a file may give each part of a
// prediction; the first that a file has is taken.
var predictionColumns = struct{ key, class, score, scores []string }{
	key:    []string{"key", "item", "item_key", "id", "item_id"},
	class:  []string{"class", "prediction", "predicted", "label", "answer", "category", "intent"},
	score:  []string{"score", "confidence", "probability", "proba", "p"},
	scores: []string{"probabilities", "scores", "probas"},
}

// layout says in which columns of a file the parts of a prediction stand; -1
// where a part is missing.
type layout struct{ key, class, score, scores int }

// layoutOf finds the columns. It returns Invalid, with the names it looks for,
// when the key or the class cannot be found.
func layoutOf(columns []string) (layout, error) {
	find := func(names []string) int {
		for _, name := range names {
			for i, column := range columns {
				if strings.EqualFold(strings.TrimSpace(column), name) {
					return i
				}
			}
		}
		return -1
	}
	l := layout{find(predictionColumns.key), find(predictionColumns.class), find(predictionColumns.score), find(predictionColumns.scores)}
	switch {
	case l.key < 0:
		return l, fault.Field("file", "No column holds the keys of items; name it %q. The file has: %s.", predictionColumns.key[0], listed(columns))
	case l.class < 0 && l.scores < 0:
		return l, fault.Field("file", "No column holds the predicted class; name it %q. The file has: %s.", predictionColumns.class[0], listed(columns))
	}
	return l, nil
}

func listed(columns []string) string {
	if len(columns) == 0 {
		return "no columns"
	}
	quoted := make([]string, 0, min(len(columns), 12))
	for _, c := range columns[:min(len(columns), 12)] {
		quoted = append(quoted, strconv.Quote(c))
	}
	if len(columns) > 12 {
		quoted = append(quoted, "…")
	}
	return strings.Join(quoted, ", ")
}

// read reads the prediction of one record. The error is a reason for people.
func (l layout) read(record labeling.Record) (Prediction, error) {
	p := Prediction{Key: record.Get(l.key).Text, Class: record.Get(l.class).Text, Score: NoScore, Runner: NoScore}
	if p.Key == "" {
		return p, fmt.Errorf("no key")
	}
	if err := labeling.CheckText(p.Key); err != nil {
		return p, fmt.Errorf("the key holds %w", err)
	}
	if v := record.Get(l.score); v.Present && strings.TrimSpace(v.Text) != "" {
		score, err := strconv.ParseFloat(strings.TrimSpace(v.Text), 64)
		if err != nil || math.IsNaN(score) || score < 0 || score > 1 {
			return p, fmt.Errorf("the score %q is no number from 0 to 1", short(v.Text))
		}
		p.Score = score
	}
	if v := record.Get(l.scores); v.Present && v.Text != "" {
		if err := p.scoresFrom(v.Text); err != nil {
			return p, err
		}
	}
	if p.Class == "" {
		return p, fmt.Errorf("no class")
	}
	if err := labeling.CheckText(p.Class); err != nil {
		return p, fmt.Errorf("the class holds %w", err)
	}
	return p, nil
}

// scoresFrom takes score and runner-up from an object of scores by class, and
// the class itself where no column names it.
func (p *Prediction) scoresFrom(text string) error {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	scores := map[string]float64{}
	if err := decoder.Decode(&scores); err != nil {
		return fmt.Errorf("the scores %q are no object of numbers by class", short(text))
	}
	names := make([]string, 0, len(scores))
	for name, score := range scores {
		if math.IsNaN(score) || score < 0 || score > 1 {
			return fmt.Errorf("the score of %q is no number from 0 to 1", short(name))
		}
		names = append(names, name)
	}
	// By score, then by name, so that a tie has one winner everywhere.
	sort.Slice(names, func(i, j int) bool {
		if scores[names[i]] != scores[names[j]] {
			return scores[names[i]] > scores[names[j]]
		}
		return names[i] < names[j]
	})
	if len(names) == 0 {
		return nil
	}
	if p.Class == "" {
		p.Class = names[0]
	}
	score, known := scores[p.Class]
	if !known {
		return fmt.Errorf("the scores do not name the class %q", short(p.Class))
	}
	p.Score = score
	for _, name := range names {
		if name != p.Class {
			p.Runner = min(scores[name], score)
			break
		}
	}
	return nil
}

// short cuts a text from outside for a message.
func short(text string) string {
	if r := []rune(text); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return text
}
