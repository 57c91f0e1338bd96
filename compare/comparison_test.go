package compare

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/stat"
)

var update = flag.Bool("update", false, "rewrite golden files")

// sheetOf makes a sheet of n items in some classes, on which the two models are
// right with the given chances. It is the same on every machine.
func sheetOf(t testing.TB, n, classes int, chances ...float64) *Sheet {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 11))
	name := func(c int) string { return fmt.Sprintf("class %02d", c) }
	truths := make([][2]string, n)
	answers := make([][][2]string, len(chances))
	for i := range n {
		class := random.IntN(classes)
		truths[i] = [2]string{fmt.Sprintf("item-%05d", i), name(class)}
		for m, chance := range chances {
			answer := class
			if random.Float64() > chance {
				answer = random.IntN(classes)
			}
			answers[m] = append(answers[m], [2]string{truths[i][0], name(answer)})
		}
	}
	streams := make([]iter.Seq2[Answers, error], len(answers))
	titles := make([]string, len(answers))
	for m := range answers {
		streams[m], titles[m] = all(answers[m]), fmt.Sprintf("model@%d", m+1)
	}
	sheet, err := NewSheet(all(truths), titles, streams)
	if err != nil {
		t.Fatal(err)
	}
	return sheet
}

// all hands out pairs of key and class, three at a time.
func all(rows [][2]string) iter.Seq2[Answers, error] {
	return func(yield func(Answers, error) bool) {
		for piece := range slices.Chunk(rows, 3) {
			var a Answers
			for _, row := range piece {
				a.Keys = append(a.Keys, row[0])
				a.Codes, a.Names = append(a.Codes, uint16(len(a.Names))), append(a.Names, row[1])
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

var (
	baseSubject = Subject{Name: "forest", Version: 1, Digest: ledger.DigestOf([]byte("a")), Predictions: []ledger.Digest{ledger.DigestOf([]byte("pa"))}}
	candSubject = Subject{Name: "linear", Version: 2, Digest: ledger.DigestOf([]byte("b")), Predictions: []ledger.Digest{ledger.DigestOf([]byte("pb"))}}
	testBase    = ledger.DigestOf([]byte("snapshot"))
)

// The golden is compared byte for byte; it passes for every GOAMD64.
func TestDocumentsAreTheSameToTheLastDigit(t *testing.T) {
	t.Parallel()
	sheet := sheetOf(t, 1500, 7, .84, .87)
	for name, document := range map[string]any{
		"comparison": Compare(sheet, testBase, baseSubject, candSubject),
		"evaluation": Evaluate(&Sheet{Classes: sheet.Classes, Keys: sheet.Keys, Truth: sheet.Truth, Answers: sheet.Answers[1:]}, testBase, candSubject),
	} {
		got, digest, err := Encode(document)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name+".golden.json")
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s; run with -update and look at the difference", name, path)
		}
		if name == "comparison" {
			back, err := DecodeComparison(want, digest)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(any(back), document) {
				t.Error("a document reads back as another")
			}
			if _, err := DecodeComparison(append(want, ' '), digest); err == nil {
				t.Error("a changed document goes unseen")
			}
		}
	}
}

func TestExchangingTheModelsMirrorsTheComparison(t *testing.T) {
	t.Parallel()
	sheet := sheetOf(t, 800, 5, .8, .9)
	swapped := &Sheet{Classes: sheet.Classes, Keys: sheet.Keys, Truth: sheet.Truth, Answers: []Column{sheet.Answers[1], sheet.Answers[0]}}
	there, back := Compare(sheet, testBase, baseSubject, candSubject), Compare(swapped, testBase, candSubject, baseSubject)
	mirrored := func(e Estimate) Estimate { return Estimate{0 - e.Value, 0 - e.High, 0 - e.Low} }
	for i, m := range there.Metrics {
		if back.Metrics[i].Difference != mirrored(m.Difference) || back.Metrics[i].Baseline != m.Candidate {
			t.Errorf("%s: %+v against %+v", m.Name, m, back.Metrics[i])
		}
	}
	q, r := there.Quadrants, back.Quadrants
	if q.Both != r.Both || q.Neither != r.Neither || q.OnlyBaseline != r.OnlyCandidate || q.OnlyCandidate != r.OnlyBaseline {
		t.Errorf("quadrants %+v against %+v", q, r)
	}
	if there.P != back.P || there.Visible != back.Visible {
		t.Error("p or the visible difference depends on the order")
	}
	if there.Verdict != VerdictGain || back.Verdict != VerdictLoss {
		t.Errorf("verdicts %s and %s", there.Verdict, back.Verdict)
	}
	for i, shift := range there.Confusion {
		if back.Confusion[i].Change() != -shift.Change() {
			t.Errorf("shift %+v against %+v", shift, back.Confusion[i])
		}
	}
	if len(there.Slices) != len(back.Slices) || there.Slices[0].Quadrants.Lost() != -back.Slices[len(back.Slices)-1].Quadrants.Lost() {
		t.Error("the order of slices is not by harm")
	}
}

func TestAModelAgainstItselfIsUndecided(t *testing.T) {
	t.Parallel()
	sheet := sheetOf(t, 300, 4, .8)
	sheet.Answers = append(sheet.Answers, sheet.Answers[0])
	c := Compare(sheet, testBase, baseSubject, baseSubject)
	if c.Verdict != VerdictUndecided || c.P != 1 || c.Difference.Value != 0 || c.Quadrants.Lost() != 0 {
		t.Errorf("%+v", c)
	}
	for _, m := range c.Metrics {
		if m.Difference.Low > 0 || m.Difference.High < 0 {
			t.Errorf("%s differs from itself: %+v", m.Name, m.Difference)
		}
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	subject := func(name string, v int) Subject { return Subject{Name: name, Version: v} }
	for name, c := range map[string]struct {
		comparison Comparison
		want       string
	}{
		"nothing decisive says what would be visible": {
			Comparison{Verdict: VerdictUndecided, Base: Base{Items: 3080}, Visible: .01149},
			"No decisive difference on 3,080 items; a gain of 1.1 points would be visible.",
		},
		"a loss names both models and the interval": {
			Comparison{Verdict: VerdictLoss, Base: Base{Items: 12345}, Baseline: subject("a", 1), Candidate: subject("b", 2), Difference: Estimate{-.021, -.034, -.0081}},
			"A decisive loss on 12,345 items: b@2 is right 2.1 points less often than a@1 (95 % interval −3.4 to −0.8).",
		},
		"a gain too": {
			Comparison{Verdict: VerdictGain, Base: Base{Items: 900}, Baseline: subject("a", 1), Candidate: subject("b", 2), Difference: Estimate{.05, .0004, .08}},
			"A decisive gain on 900 items: b@2 is right 5.0 points more often than a@1 (95 % interval +0.04 to +8.0).",
		},
		"one item promises nothing": {
			Comparison{Verdict: VerdictUndecided, Base: Base{Items: 1}, Visible: 1},
			"No decisive difference on 1 item; no gain would be visible on so few.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.comparison.inWords(); got != c.want {
				t.Errorf("says %q, want %q", got, c.want)
			}
		})
	}
}

func TestSheetRefusesWhatCannotBeCompared(t *testing.T) {
	t.Parallel()
	truth := [][2]string{{"b", "x"}, {"a", "y"}}
	for name, c := range map[string]struct {
		truth       [][2]string
		predictions [][2]string
		kind        fault.Kind
		says        string
	}{
		"an empty snapshot":          {nil, nil, fault.Invalid, "The snapshot holds no items to compare on."},
		"a key that stands twice":    {append(truth, [2]string{"a", "x"}), nil, fault.Conflict, `The key "a" stands for two items of this snapshot, so predictions cannot be told apart. Compare on a snapshot of one dataset.`},
		"an item without prediction": {truth, [][2]string{{"a", "x"}, {"zzz", "x"}}, fault.Unmet, "m@1 has no prediction for 1 of the 2 items of this snapshot. Import or compute them, then compare again."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := NewSheet(all(c.truth), []string{"m@1"}, []iter.Seq2[Answers, error]{all(c.predictions)})
			if !fault.Is(err, c.kind) || fault.Message(err) != c.says {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSheetSortsAndKeepsUnknownAnswersWrong(t *testing.T) {
	t.Parallel()
	sheet, err := NewSheet(all([][2]string{{"b", "x"}, {"a", "y"}}), []string{"m@1"},
		[]iter.Seq2[Answers, error]{all([][2]string{{"b", "x"}, {"a", "never heard of"}, {"c", "x"}})})
	if err != nil {
		t.Fatal(err)
	}
	want := &Sheet{Classes: []string{"never heard of", "x", "y"}, Keys: []string{"a", "b"}, Truth: NewColumn([]int32{2, 1}, 3), Answers: []Column{NewColumn([]int32{0, 1}, 3)}}
	if !reflect.DeepEqual(sheet, want) {
		t.Errorf("sheet = %+v", sheet)
	}
	e := Evaluate(sheet, testBase, baseSubject)
	if e.Accuracy.Value != .5 || e.Right != 1 || len(e.Confusion) != 2 || len(e.Classes) != 3 {
		t.Errorf("evaluation = %+v", e)
	}
}

// Count must agree with the obvious loop, whatever the length and the slices.
func FuzzCountAgreesWithTheObviousLoop(f *testing.F) {
	f.Add(uint64(1), uint16(1), uint16(1))
	f.Add(uint64(2), uint16(63), uint16(3))
	f.Add(uint64(3), uint16(64), uint16(4))
	f.Add(uint64(4), uint16(40000), uint16(77))
	f.Add(uint64(5), uint16(40001), uint16(256))
	f.Add(uint64(6), uint16(9000), uint16(999))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, size uint16) {
		classes := max(1, int(size)%1001)
		random := rand.New(rand.NewPCG(seed, 5))
		column := func() []uint16 {
			c := make([]uint16, n)
			for i := range c {
				c[i] = uint16(random.IntN(classes))
			}
			return c
		}
		truth, a, b := column(), column(), column()
		members := []Members{NewMembers(int(n)), NewMembers(int(n))}
		want := Counts{Baseline: make([]int, classes*classes), Candidate: make([]int, classes*classes),
			ByClass: make([]stat.Pairs, classes), BySlice: make([]stat.Pairs, 2)}
		add := func(p *stat.Pairs, okA, okB bool) {
			switch {
			case okA && okB:
				p.Both++
			case okA:
				p.OnlyA++
			case okB:
				p.OnlyB++
			default:
				p.Neither++
			}
		}
		for i := range truth {
			okA, okB := a[i] == truth[i], b[i] == truth[i]
			want.Baseline[int(truth[i])*classes+int(a[i])]++
			want.Candidate[int(truth[i])*classes+int(b[i])]++
			add(&want.Pairs, okA, okB)
			add(&want.ByClass[truth[i]], okA, okB)
			for s, every := range []int{2, 5} {
				if random.IntN(every) == 0 {
					members[s].Add(i)
					add(&want.BySlice[s], okA, okB)
				}
			}
		}
		if got := Count(NewColumn(truth, classes), NewColumn(a, classes), NewColumn(b, classes), classes, members); !reflect.DeepEqual(got, want) {
			t.Errorf("%d items, %d classes: counts differ", n, classes)
		}
	})
}

func TestKeysDigestNamesTheSetOfKeys(t *testing.T) {
	t.Parallel()
	if KeysDigest([]string{"a", "b"}) != KeysDigest([]string{"b", "a"}) {
		t.Error("the order of keys matters")
	}
	if KeysDigest([]string{"ab", "c"}) == KeysDigest([]string{"a", "bc"}) {
		t.Error("two lists share a digest")
	}
}

func TestParseModelRef(t *testing.T) {
	t.Parallel()
	digest := ledger.DigestOf([]byte("x"))
	for text, want := range map[string]ModelRef{
		"intent":                               {Name: "intent"},
		" intent@3 ":                           {Name: "intent", Version: 3},
		"intent@v3":                            {Name: "intent", Version: 3},
		"a b":                                  {Name: "a b"},
		string(digest):                         {Digest: digest},
		"0190163d-8694-739b-aea5-966c26f8ad91": {ID: "0190163d-8694-739b-aea5-966c26f8ad91"},
	} {
		got, err := ParseModelRef(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if again, err := ParseModelRef(got.String()); err != nil || again != want {
			t.Errorf("%q does not survive being written", text)
		}
	}
	for _, bad := range []string{"", "a@", "a@0", "a@x", "sha256:12"} {
		if _, err := ParseModelRef(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is taken for a model: %v", bad, err)
		}
	}
}

func TestModelNamesStayUnambiguous(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"intent": true, "نموذج 😀": true, "": false, " x": false, "a@1": false, "a/b": false, "sha256:zz": false, "a\nb": false, "a\u200bb": false, "a\u2066b": false,
	} {
		if err := (Model{Name: name}).Validate(); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	if (Model{Name: "x", Files: []File{{Path: "a"}}}).Validate() == nil {
		t.Error("files without a digest pass")
	}
	if (Model{Name: "x", Params: []byte(`[]`)}).Validate() == nil {
		t.Error("parameters that are no object pass")
	}
}

func TestUncertainty(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ score, second, want float64 }{
		{NoScore, NoScore, NoScore}, {.75, NoScore, .25}, {.5, .5, 1}, {.75, .25, .5}, {1, 0, 0},
	} {
		if got := (Prediction{Score: c.score, Runner: c.second}).Uncertainty(); got != c.want {
			t.Errorf("%v, %v: %v, want %v", c.score, c.second, got, c.want)
		}
	}
}

func TestWordsForNumbers(t *testing.T) {
	t.Parallel()
	got := []string{
		Thousands(0), Thousands(999), Thousands(1000), Thousands(-1234567), SignedPoints(0), SignedPoints(-.0123), Points(.0004), PValue(.00001), PValue(.00123), PValue(.143463),
	}
	want := []string{"0", "999", "1,000", "−1,234,567", "0.0", "−1.2", "0.04", "< 0.0001", "0.0012", "0.143"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// The budget for this is 40 ms with the columns in memory. The columns are 30 MB
// and the slices 63 MB; BenchmarkStream10MRows50Slices shows what reading that
// much takes without counting anything.
func BenchmarkCompare10MRows50Slices77Classes(b *testing.B) {
	truth, base, cand, members := benchColumns(10_000_000, 77, 50)
	for b.Loop() {
		counts := Count(truth, base, cand, 77, members)
		for _, p := range append(append([]stat.Pairs{counts.Pairs}, counts.ByClass...), counts.BySlice...) {
			stat.McNemar(p.OnlyA, p.OnlyB)
			stat.Tango(p)
		}
	}
}

// benchColumns makes two models that are right nine times of ten, and slices
// that hold a quarter of the items each.
func benchColumns(n, classes, parts int) (truth, base, cand Column, members []Members) {
	random := rand.New(rand.NewPCG(1, 2))
	columns := [3][]uint16{make([]uint16, n), make([]uint16, n), make([]uint16, n)}
	members = make([]Members, parts)
	for s := range members {
		members[s] = NewMembers(n)
		for i := range n / 64 {
			members[s][i] = random.Uint64() & random.Uint64()
		}
	}
	for i := range n {
		class := uint16(random.IntN(classes))
		for c := range columns {
			if columns[c][i] = class; c > 0 && random.IntN(10) == 0 {
				columns[c][i] = uint16(random.IntN(classes))
			}
		}
	}
	return NewColumn(columns[0], classes), NewColumn(columns[1], classes), NewColumn(columns[2], classes), members
}

func BenchmarkStream10MRows50Slices(b *testing.B) {
	truth, base, cand, members := benchColumns(10_000_000, 77, 50)
	var sums [2]uint64
	for b.Loop() {
		var group sync.WaitGroup
		for half := range sums {
			group.Go(func() {
				var sum [4]uint64
				for _, column := range []Column{truth, base, cand} {
					bytes := column.narrow[len(column.narrow)/2*half:][:len(column.narrow)/2]
					for ; len(bytes) >= 32; bytes = bytes[32:] {
						for lane := range sum {
							sum[lane] ^= binary.LittleEndian.Uint64(bytes[lane*8:])
						}
					}
				}
				for _, slice := range members {
					for words := slice[len(slice)/2*half:][:len(slice)/2]; len(words) >= 4; words = words[4:] {
						for lane := range sum {
							sum[lane] ^= words[lane]
						}
					}
				}
				sums[half] += sum[0] ^ sum[1] ^ sum[2] ^ sum[3]
			})
		}
		group.Wait()
	}
	if sums[0]+sums[1] == 0 {
		b.Log("the sums are used")
	}
}

func BenchmarkComparisonDocument3080Items77Classes(b *testing.B) {
	sheet := sheetOf(b, 3080, 77, .86, .88)
	for b.Loop() {
		Compare(sheet, testBase, baseSubject, candSubject)
	}
}
