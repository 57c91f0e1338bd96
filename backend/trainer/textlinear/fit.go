package textlinear

import (
	"context"
	"math"
	"math/rand/v2"
)

// Example is one text with the number of its class.
type Example struct {
	Text  string
	Class int
}

// Epoch is what one pass over the data came to.
type Epoch struct {
	Number   int     // 1, 2, 3 …
	Loss     float64 // mean cross-entropy of the training rows, each measured before its update
	Accuracy float64 // share of the training rows answered right before their update
}

// faint is the gradient below which a class is left alone: after the first pass
// almost all of 77 classes are this sure, and skipping them is three quarters
// of the time.
const faint = 1e-3

// Fit trains a model on examples. The same examples, parameters and seed give
// the same weights, bit for bit, on one architecture. After each pass it calls
// after, which ends the training by returning an error.
func Fit(ctx context.Context, examples []Example, classes []string, p Params, seed uint64, after func(*Model, Epoch) error) (*Model, error) {
	m, rows := vocabulary(examples, classes, p)
	k := len(classes)
	// AdaGrad keeps the sum of squared gradients of every weight.
	squares := make([]float32, len(m.weights))
	biasSquares := make([]float32, k)
	rng := rand.New(rand.NewPCG(seed, 0x41646a75646765))
	order := make([]int, len(examples))
	for i := range order {
		order[i] = i
	}
	logits := make([]float32, k)
	live := make([]int, 0, k)
	rate, l2 := float32(p.LearningRate), float32(p.L2)
	for epoch := range p.Epochs {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		var loss float64
		right := 0
		for n, i := range order {
			if n%1024 == 0 && ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			want := examples[i].Class
			m.logits(logits, rows[i])
			if argmax(logits) == want {
				right++
			}
			softmax(logits)
			loss -= math.Log(max(float64(logits[want]), 1e-12))
			logits[want]-- // logits are now the gradient of the loss
			live = live[:0]
			for c, g := range logits {
				if g > faint || g < -faint {
					live = append(live, c)
					biasSquares[c] += float32(g * g)
					m.bias[c] -= float32(rate * g / (sqrt(biasSquares[c]) + 1e-6))
				}
			}
			for _, f := range rows[i] {
				at := int(f.slot) * k
				w, s := m.weights[at:at+k], squares[at:at+k]
				for _, c := range live {
					g := float32(logits[c]*f.value) + float32(l2*w[c])
					s[c] += float32(g * g)
					w[c] -= float32(rate * g / (sqrt(s[c]) + 1e-6))
				}
			}
		}
		done := Epoch{Number: epoch + 1, Loss: loss / float64(max(len(examples), 1)), Accuracy: float64(right) / float64(max(len(examples), 1))}
		if err := after(m, done); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// vocabulary counts the n-grams of all examples, gives every frequent slot a
// row of weights, and returns the weighed rows.
func vocabulary(examples []Example, classes []string, p Params) (*Model, [][]feature) {
	x := newExtractor(p)
	grams := make([][]feature, len(examples))
	seen := make([]int32, 1<<p.HashBits)
	for i, e := range examples {
		grams[i] = x.grams(e.Text)
		for _, g := range grams[i] {
			seen[g.slot]++
		}
	}
	m := &Model{params: p, classes: classes, rows: map[uint32]uint32{}, bias: make([]float32, len(classes))}
	for slot, n := range seen {
		if int(n) >= min(p.MinCount, max(len(examples), 1)) {
			m.rows[uint32(slot)] = uint32(len(m.slots))
			m.slots = append(m.slots, uint32(slot))
			m.idf = append(m.idf, float32(math.Log(float64(1+len(examples))/float64(1+n))+1))
		}
	}
	m.weights = make([]float32, len(m.slots)*len(classes))
	for i := range grams {
		grams[i] = weigh(grams[i], m.rows, m.idf)
	}
	return m, grams
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// softmax turns logits into probabilities in place.
func softmax(logits []float32) {
	top := logits[argmax(logits)]
	var sum float32
	for i, l := range logits {
		logits[i] = float32(math.Exp(float64(l - top)))
		sum += logits[i]
	}
	for i := range logits {
		logits[i] /= sum
	}
}

// argmax returns the place of the largest value, the first of equals.
func argmax(values []float32) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}
