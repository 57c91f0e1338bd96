package compare

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/stat"
)

// Comparison says how a candidate differs from a baseline on one snapshot.
type Comparison struct {
	Format     string           `json:"format"`
	Base       Base             `json:"base"`
	Method     Method           `json:"method"`
	Baseline   Subject          `json:"baseline"`
	Candidate  Subject          `json:"candidate"`
	Verdict    Verdict          `json:"verdict"`
	Sentence   string           `json:"sentence"`
	Difference Estimate         `json:"difference"` // of accuracy, candidate minus baseline
	P          Number           `json:"p"`          // McNemar, exact
	MidP       Number           `json:"mid_p"`
	Visible    Number           `json:"visible"` // the smallest difference that so many items show with 80 % power
	Quadrants  Quadrants        `json:"quadrants"`
	Metrics    []MetricPair     `json:"metrics"`
	Confusion  []ConfusionShift `json:"confusion"` // every cell that either model fills
	Slices     []Slice          `json:"slices"`    // by harm: most items lost first
}

// Quadrants counts the items by who was right.
type Quadrants struct {
	Both          int `json:"both"`
	OnlyBaseline  int `json:"only_baseline"`
	OnlyCandidate int `json:"only_candidate"`
	Neither       int `json:"neither"`
}

func quadrantsOf(p stat.Pairs) Quadrants {
	return Quadrants{Both: p.Both, OnlyBaseline: p.OnlyA, OnlyCandidate: p.OnlyB, Neither: p.Neither}
}

// Lost is how many more items the candidate lost than it won.
func (q Quadrants) Lost() int { return q.OnlyBaseline - q.OnlyCandidate }

// Items is the number of items in all quadrants.
func (q Quadrants) Items() int { return q.Both + q.OnlyBaseline + q.OnlyCandidate + q.Neither }

// MetricPair is one metric of both models and its difference.
type MetricPair struct {
	Name       string   `json:"name"`
	Baseline   Estimate `json:"baseline"`
	Candidate  Estimate `json:"candidate"`
	Difference Estimate `json:"difference"`
}

// ConfusionShift is how often items of a class got an answer from each model.
type ConfusionShift struct {
	Class     string `json:"class"`
	Answer    string `json:"answer"`
	Baseline  int    `json:"baseline"`
	Candidate int    `json:"candidate"`
}

// Change is how many more items got this answer from the candidate.
func (s ConfusionShift) Change() int { return s.Candidate - s.Baseline }

// Slice is a part of the items that is looked at on its own.
type Slice struct {
	Kind       string    `json:"kind"` // "class": the items whose accepted answer is Name
	Name       string    `json:"name"`
	Quadrants  Quadrants `json:"quadrants"`
	Baseline   Estimate  `json:"baseline"`
	Candidate  Estimate  `json:"candidate"`
	Difference Estimate  `json:"difference"`
	P          Number    `json:"p"`          // McNemar, exact
	AdjustedP  Number    `json:"adjusted_p"` // for looking at so many slices
	Verdict    Verdict   `json:"verdict"`    // from the interval, not adjusted
}

// Compare compares the two models of a sheet: the baseline's answers first.
func Compare(sheet *Sheet, snapshot ledger.Digest, baseline, candidate Subject) Comparison {
	size := len(sheet.Classes)
	counts := Count(sheet.Truth, sheet.Answers[0], sheet.Answers[1], size, nil)
	method := methodFor(sheet.Items())
	f1 := bootstrapF1(sheet, method)
	n := sheet.Items()
	p := counts.Pairs
	a, b := marginsOf(counts.Baseline, size), marginsOf(counts.Candidate, size)
	exact, mid := stat.McNemar(p.OnlyA, p.OnlyB)
	c := Comparison{
		Format: ComparisonFormat, Method: method, Baseline: baseline, Candidate: candidate,
		Base:       Base{Snapshot: snapshot, Items: n, Keys: sheet.KeysDigest()},
		Difference: difference(p), P: round(exact), MidP: round(mid),
		Visible:   round(stat.VisibleDifference(p.Discordant(), n)),
		Quadrants: quadrantsOf(p),
		Metrics: []MetricPair{{
			Name: "accuracy", Baseline: proportion(p.Both+p.OnlyA, n), Candidate: proportion(p.Both+p.OnlyB, n), Difference: difference(p),
		}, {
			Name: "macro_f1", Baseline: estimate(a.macroF1(), f1[0]), Candidate: estimate(b.macroF1(), f1[1]),
			Difference: estimate(b.macroF1()-a.macroF1(), f1[2]),
		}},
		Confusion: shifts(sheet.Classes, counts),
		Slices:    classSlices(sheet.Classes, counts.ByClass),
	}
	c.Verdict = c.Difference.Verdict()
	c.Sentence = c.inWords()
	return c
}

func shifts(classes []string, counts Counts) []ConfusionShift {
	found := []ConfusionShift{}
	for i := range counts.Baseline {
		if counts.Baseline[i]+counts.Candidate[i] > 0 {
			found = append(found, ConfusionShift{
				Class: classes[i/len(classes)], Answer: classes[i%len(classes)],
				Baseline: counts.Baseline[i], Candidate: counts.Candidate[i],
			})
		}
	}
	return found
}

// classSlices makes one slice per class that has items, sorted by harm.
func classSlices(classes []string, pairs []stat.Pairs) []Slice {
	found := []Slice{}
	values := []float64{}
	for i, p := range pairs {
		n := p.N()
		if n == 0 {
			continue
		}
		exact, _ := stat.McNemar(p.OnlyA, p.OnlyB)
		s := Slice{
			Kind: "class", Name: classes[i], Quadrants: quadrantsOf(p), P: round(exact),
			Baseline: proportion(p.Both+p.OnlyA, n), Candidate: proportion(p.Both+p.OnlyB, n), Difference: difference(p),
		}
		s.Verdict = s.Difference.Verdict()
		values = append(values, exact)
		found = append(found, s)
	}
	for i, adjusted := range stat.Adjust(values) {
		found[i].AdjustedP = round(adjusted)
	}
	slices.SortFunc(found, func(x, y Slice) int {
		return cmp.Or(
			cmp.Compare(y.Quadrants.Lost(), x.Quadrants.Lost()),
			cmp.Compare(x.Difference.Value, y.Difference.Value),
			cmp.Compare(x.Name, y.Name),
		)
	})
	return found
}

// Encode writes a document as it is stored and signed for, and its digest.
func Encode(document any) ([]byte, ledger.Digest, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(document); err != nil {
		return nil, "", fault.As(fault.Internal, err, "encode a document")
	}
	return b.Bytes(), ledger.DigestOf(b.Bytes()), nil
}

// DecodeComparison reads a comparison document and checks it against its digest.
func DecodeComparison(content []byte, digest ledger.Digest) (Comparison, error) {
	var c Comparison
	err := decode(content, digest, ComparisonFormat, &c.Format, &c)
	return c, err
}

// DecodeEvaluation reads an evaluation document and checks it against its digest.
func DecodeEvaluation(content []byte, digest ledger.Digest) (Evaluation, error) {
	var e Evaluation
	err := decode(content, digest, EvaluationFormat, &e.Format, &e)
	return e, err
}

func decode(content []byte, digest ledger.Digest, format string, got *string, into any) error {
	if found := ledger.DigestOf(content); found != digest {
		return fault.New(fault.Internal, "the document %s was changed: its bytes have the digest %s", digest, found)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fault.As(fault.Internal, err, "decode the document %s", digest)
	}
	if *got != format {
		return fault.New(fault.Invalid, "This document has the format %q, not %q.", *got, format)
	}
	return nil
}
