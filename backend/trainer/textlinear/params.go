package textlinear

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Params are the typed parameters of the recipe, as params.json carries them.
type Params struct {
	WordNgrams   int     `json:"word_ngrams"`   // longest sequence of words, 0 for none
	CharMin      int     `json:"char_min"`      // shortest character n-gram
	CharMax      int     `json:"char_max"`      // longest character n-gram, 0 for none
	HashBits     int     `json:"hash_bits"`     // the table has 2^HashBits slots
	MinCount     int     `json:"min_count"`     // n-grams in fewer texts are dropped
	Epochs       int     `json:"epochs"`        // passes over the data
	LearningRate float64 `json:"learning_rate"` // of AdaGrad
	L2           float64 `json:"l2"`            // pull of every weight towards zero
	Holdout      float64 `json:"holdout"`       // share of the rows held out to measure on
	Refit        bool    `json:"refit"`         // train once more on all rows after measuring
}

// Defaults are the parameters that do well on short texts with many classes.
func Defaults() Params {
	return Params{WordNgrams: 2, CharMin: 3, CharMax: 4, HashBits: 18, MinCount: 2, Epochs: 8,
		LearningRate: 0.2, L2: 1e-5, Holdout: 0.1, Refit: true}
}

// ParseParams reads params.json over the defaults and refuses what the trainer
// cannot do. Unknown names are refused: a typo must not pass for a default.
func ParseParams(raw []byte) (Params, error) {
	p := Defaults()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return p, fmt.Errorf("params.json: %w", err)
	}
	return p, p.Validate()
}

// Validate names the first parameter that is out of range.
func (p Params) Validate() error {
	within := func(name string, v, low, high float64) error {
		if v < low || v > high {
			return fmt.Errorf("%s is %v; it must lie between %v and %v", name, v, low, high)
		}
		return nil
	}
	for _, err := range []error{
		within("word_ngrams", float64(p.WordNgrams), 0, 4),
		within("char_min", float64(p.CharMin), 1, 8),
		within("char_max", float64(p.CharMax), 0, 8),
		within("hash_bits", float64(p.HashBits), 8, 22),
		within("min_count", float64(p.MinCount), 1, 100),
		within("epochs", float64(p.Epochs), 1, 200),
		within("learning_rate", p.LearningRate, 1e-6, 10),
		within("l2", p.L2, 0, 1),
		within("holdout", p.Holdout, 0, 0.9),
	} {
		if err != nil {
			return err
		}
	}
	switch {
	case p.CharMax > 0 && p.CharMax < p.CharMin:
		return fmt.Errorf("char_max is %d, below char_min %d", p.CharMax, p.CharMin)
	case p.WordNgrams == 0 && p.CharMax == 0:
		return fmt.Errorf("word_ngrams and char_max are both 0: nothing is left to learn from")
	}
	return nil
}
