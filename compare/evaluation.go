package compare

import (
	"math"
	"sync"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/stat"
)

// EvaluationFormat and ComparisonFormat name the documents and the version of
// the method that fills them: other numbers from the same input need a new one.
const (
	EvaluationFormat = "adjudge.evaluation/1"
	ComparisonFormat = "adjudge.comparison/1"
)

// Method is how a document's intervals were made, all that is needed to make
// them again.
type Method struct {
	Confidence  Number `json:"confidence"`
	Proportions string `json:"proportions"`
	Differences string `json:"differences"`
	Test        string `json:"test"`
	Others      string `json:"others"`
	Seed        uint64 `json:"seed"`
	Replicates  int    `json:"replicates"`
}

// methodFor fixes the method for a number of items. Very long sheets get fewer
// replicates, never below a hundred.
func methodFor(items int) Method {
	return Method{
		Confidence: 0.95, Proportions: "Wilson score", Differences: "Tango score, paired", Test: "McNemar exact, two-sided",
		Others: "Poisson bootstrap over items, percentile", Seed: 1, Replicates: max(100, min(1000, 200_000_000/max(items, 1))),
	}
}

// Subject names a model in a document, by what is the same on every machine.
type Subject struct {
	Name        string          `json:"name"`
	Version     int             `json:"version"`
	Digest      ledger.Digest   `json:"digest,omitempty"`  // of the model directory
	Predictions []ledger.Digest `json:"predictions"`       // of the prediction sets that were read
	Sources     []Source        `json:"sources,omitempty"` // where those come from, as far as it was known
}

// Base names the items a document speaks about.
type Base struct {
	Snapshot ledger.Digest `json:"snapshot"`
	Items    int           `json:"items"`
	Keys     ledger.Digest `json:"keys"` // of the sorted keys
}

// Evaluation is what one model is worth on one snapshot.
type Evaluation struct {
	Format    string        `json:"format"`
	Base      Base          `json:"base"`
	Method    Method        `json:"method"`
	Model     Subject       `json:"model"`
	Accuracy  Estimate      `json:"accuracy"`
	MacroF1   Estimate      `json:"macro_f1"`
	Right     int           `json:"right"`
	Classes   []ClassResult `json:"classes"`
	Confusion []Cell        `json:"confusion"`
}

// ClassResult is how a model does on one class.
type ClassResult struct {
	Class     string   `json:"class"`
	Items     int      `json:"items"`    // whose accepted answer it is
	Answered  int      `json:"answered"` // to which the model gave it
	Right     int      `json:"right"`
	Precision Estimate `json:"precision"`
	Recall    Estimate `json:"recall"`
	F1        Number   `json:"f1"`
}

// Cell counts the items of one class that got one answer.
type Cell struct {
	Class  string `json:"class"`
	Answer string `json:"answer"`
	Count  int    `json:"count"`
}

// Evaluate measures the only model of a sheet.
func Evaluate(sheet *Sheet, snapshot ledger.Digest, model Subject) Evaluation {
	size := len(sheet.Classes)
	counts := Count(sheet.Truth, sheet.Answers[0], sheet.Answers[0], size, nil)
	method := methodFor(sheet.Items())
	margins := marginsOf(counts.Baseline, size)
	f1 := bootstrapF1(sheet, method)
	e := Evaluation{
		Format: EvaluationFormat, Method: method, Model: model,
		Base:     Base{Snapshot: snapshot, Items: sheet.Items(), Keys: sheet.KeysDigest()},
		Accuracy: proportion(counts.Pairs.Both, sheet.Items()), Right: counts.Pairs.Both,
		MacroF1:   estimate(margins.macroF1(), f1[0]),
		Confusion: []Cell{},
	}
	for c, name := range sheet.Classes {
		e.Classes = append(e.Classes, margins.class(c, name))
		for a, answer := range sheet.Classes {
			if n := counts.Baseline[c*size+a]; n > 0 {
				e.Confusion = append(e.Confusion, Cell{Class: name, Answer: answer, Count: n})
			}
		}
	}
	return e
}

// margins are the sums of a confusion by class.
type margins struct{ right, truth, answered []int }

func marginsOf(confusion []int, size int) margins {
	m := margins{make([]int, size), make([]int, size), make([]int, size)}
	for t := range size {
		for a, n := range confusion[t*size : (t+1)*size] {
			m.truth[t] += n
			m.answered[a] += n
		}
		m.right[t] = confusion[t*size+t]
	}
	return m
}

func (m margins) macroF1() float64 { return stat.MacroF1Of(m.right, m.truth, m.answered) }

func (m margins) class(c int, name string) ClassResult {
	return ClassResult{
		Class: name, Items: m.truth[c], Answered: m.answered[c], Right: m.right[c],
		Precision: proportion(m.right[c], m.answered[c]), Recall: proportion(m.right[c], m.truth[c]),
		F1: round(stat.Share(2*m.right[c], m.truth[c]+m.answered[c])),
	}
}

// bootstrapF1 returns the percentile interval of the macro F1 of each model of a
// sheet, and at the end that of the difference of the second and the first.
// Replicates are shared out among workers; each depends on nothing but its
// number, so the result does not depend on the sharing.
func bootstrapF1(sheet *Sheet, method Method) []stat.Interval {
	models := len(sheet.Answers)
	values := make([][]float64, models+1)
	for m := range values {
		values[m] = make([]float64, method.Replicates)
	}
	clusters := sheet.clusters()
	cells, kinds := sheet.cells()
	size := len(sheet.Classes)
	draw := stat.Bootstrap{Seed: method.Seed, Replicates: method.Replicates}
	const workers = 8
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			drawn := make([]uint32, len(kinds))
			sums := make([]margins, models)
			for m := range sums {
				sums[m] = margins{make([]int, size), make([]int, size), make([]int, size)}
			}
			for r := w; r < method.Replicates; r += workers {
				clear(drawn)
				draw.Sum(r, clusters, cells, drawn)
				for m := range sums {
					clear(sums[m].right)
					clear(sums[m].truth)
					clear(sums[m].answered)
					for k, kind := range kinds {
						class, answer, weight := kind[0], kind[1+m], int(drawn[k])
						sums[m].truth[class] += weight
						sums[m].answered[answer] += weight
						if answer == class {
							sums[m].right[class] += weight
						}
					}
				}
				for m := range sums {
					values[m][r] = sums[m].macroF1()
				}
				if models == 2 {
					values[2][r] = values[1][r] - values[0][r]
				}
			}
		})
	}
	group.Wait()
	intervals := make([]stat.Interval, 0, models+1)
	for m := range models {
		intervals = append(intervals, stat.Percentile(values[m]))
	}
	if models == 2 {
		intervals = append(intervals, stat.Percentile(values[2]))
	}
	for i, interval := range intervals {
		if math.IsInf(interval.Low, 0) {
			intervals[i] = stat.Interval{Low: -1, High: 1}
		}
	}
	return intervals
}
