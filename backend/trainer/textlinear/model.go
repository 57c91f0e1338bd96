package textlinear

// Model is a trained classifier: a row of weights, one per class, for every
// n-gram it knows.
type Model struct {
	params  Params
	classes []string
	slots   []uint32          // the hash slot of each row, ascending
	rows    map[uint32]uint32 // slot to row
	idf     []float32         // how rare each row's n-gram is
	weights []float32         // row-major, one value per class
	bias    []float32
}

// logits computes the scores of all classes for a weighed text.
func (m *Model) logits(out []float32, text []feature) {
	copy(out, m.bias)
	k := len(out)
	for _, f := range text {
		w := m.weights[int(f.slot)*k:][:k]
		for c := range out {
			out[c] += float32(f.value * w[c])
		}
	}
}

// Predictor answers texts with a model. It keeps buffers, so it belongs to one
// goroutine.
type Predictor struct {
	model  *Model
	grams  *extractor
	logits []float32
}

// NewPredictor returns a predictor of a model.
func NewPredictor(m *Model) *Predictor {
	return &Predictor{model: m, grams: newExtractor(m.params), logits: make([]float32, len(m.classes))}
}

// Predict returns the probabilities of all classes, valid until the next call,
// and the place of the largest.
func (p *Predictor) Predict(text string) ([]float32, int) {
	p.model.logits(p.logits, weigh(p.grams.grams(text), p.model.rows, p.model.idf))
	softmax(p.logits)
	return p.logits, argmax(p.logits)
}
