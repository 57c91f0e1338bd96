package textlinear

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Format names the layout of a model directory.
const Format = "adjudge/text-linear/1"

// card is model.json: all that a reader needs besides the numbers.
type card struct {
	Format  string   `json:"format"`
	Params  Params   `json:"params"`
	Classes []string `json:"classes"`
	Rows    int      `json:"rows"`
	Weights string   `json:"weights"` // file beside it: slots, idf, bias, weights; little-endian 32 bits each
}

// Save writes a model directory: model.json and weights.bin. The same model
// gives the same bytes.
func (m *Model) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	about, err := json.MarshalIndent(card{Format, m.params, m.classes, len(m.slots), "weights.bin"}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "model.json"), append(about, '\n'), 0o644); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "weights.bin"))
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = errors.Join(
		binary.Write(w, binary.LittleEndian, m.slots), binary.Write(w, binary.LittleEndian, m.idf),
		binary.Write(w, binary.LittleEndian, m.bias), binary.Write(w, binary.LittleEndian, m.weights), w.Flush())
	return errors.Join(err, f.Close())
}

// Load reads a model directory and refuses one whose numbers do not fit its card.
func Load(dir string) (*Model, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "model.json"))
	if err != nil {
		return nil, err
	}
	var c card
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("model.json: %w", err)
	}
	if c.Format != Format {
		return nil, fmt.Errorf("model.json: format %q is not %q", c.Format, Format)
	}
	if err := c.Params.Validate(); err != nil {
		return nil, fmt.Errorf("model.json: %w", err)
	}
	if len(c.Classes) == 0 || c.Rows < 0 || c.Rows > 1<<c.Params.HashBits {
		return nil, fmt.Errorf("model.json: %d classes and %d rows cannot be", len(c.Classes), c.Rows)
	}
	f, err := os.Open(filepath.Join(dir, filepath.Base(c.Weights)))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	// The size is compared before anything is allocated from numbers in a file.
	want := 4 * (2*int64(c.Rows) + int64(len(c.Classes))*int64(c.Rows+1))
	if info, err := f.Stat(); err != nil || info.Size() != want {
		return nil, fmt.Errorf("%s holds %d bytes; %d were expected", c.Weights, size(info), want)
	}
	m := &Model{params: c.Params, classes: c.Classes, rows: make(map[uint32]uint32, c.Rows), slots: make([]uint32, c.Rows),
		idf: make([]float32, c.Rows), bias: make([]float32, len(c.Classes)), weights: make([]float32, c.Rows*len(c.Classes))}
	r := bufio.NewReaderSize(f, 1<<20)
	for _, part := range []any{m.slots, m.idf, m.bias, m.weights} {
		if err := binary.Read(r, binary.LittleEndian, part); err != nil && !(errors.Is(err, io.EOF) && binary.Size(part) == 0) {
			return nil, fmt.Errorf("%s: %w", c.Weights, err)
		}
	}
	for row, slot := range m.slots {
		m.rows[slot] = uint32(row)
	}
	return m, nil
}

func size(info os.FileInfo) int64 {
	if info == nil {
		return 0
	}
	return info.Size()
}
