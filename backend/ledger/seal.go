package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
)

// Seal says how a row of the database was left by the transaction of an event.
// The event commits to the digest of its seals, so that a row which was changed,
// added or taken away past the program no longer agrees with the history.
type Seal struct {
	Table string
	Key   string // JSON array of the values of the key
	Gone  bool   // the row was deleted
	// Parts has a bit for each part of the row that was written: its columns one by
	// one, or in groups. A part that was not written keeps the seal that it has.
	Parts  uint64
	Leaves [][LeafSize]byte // of the parts that were written, in order
	// Salts keep short values from being guessed, one for each leaf. They are stored
	// beside the seals, and not committed to, so that those of values that are no more
	// can be erased.
	Salts [][SaltSize]byte
}

// Sizes of what a seal holds for each part.
const (
	LeafSize = 16
	SaltSize = 8
)

// mostParts bounds the parts of a row.
const mostParts = 60

// Leaf returns the leaf of a part with a content.
func Leaf(salt [SaltSize]byte, content [sha256.Size]byte) [LeafSize]byte {
	sum := sha256.Sum256(slices.Concat(salt[:], content[:]))
	return [LeafSize]byte(sum[:LeafSize])
}

// EncodeSeals writes seals as an event commits to them, and their salts apart.
func EncodeSeals(seals []Seal) (text, salts []byte) {
	tables := map[string]uint64{}
	for _, s := range seals {
		at, known := tables[s.Table]
		if !known {
			at = uint64(len(tables))
			tables[s.Table] = at
		}
		text = binary.AppendUvarint(text, at)
		if !known {
			text = appendText(text, s.Table)
		}
		text = appendText(text, s.Key)
		if s.Gone {
			text = append(text, 0)
			continue
		}
		text = binary.AppendUvarint(text, s.Parts<<1|1)
		for i := range s.Leaves {
			text = append(text, s.Leaves[i][:]...)
			salts = append(salts, s.Salts[i][:]...)
		}
	}
	return text, salts
}

func appendText(to []byte, text string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

var errSeals = errors.New("the seals of an event are cut short")

// sealReader takes seals apart.
type sealReader struct {
	text, salts []byte
	tables      []string
	broken      bool
}

func (r *sealReader) number() uint64 {
	n, size := binary.Uvarint(r.text)
	if size <= 0 {
		r.broken = true
		return 0
	}
	r.text = r.text[size:]
	return n
}

func (r *sealReader) word() string {
	n := r.number()
	if n > uint64(len(r.text)) {
		r.broken = true
		return ""
	}
	w := string(r.text[:n])
	r.text = r.text[n:]
	return w
}

func (r *sealReader) seal() (s Seal) {
	at := r.number()
	if at == uint64(len(r.tables)) {
		r.tables = append(r.tables, r.word())
	}
	if r.broken || at >= uint64(len(r.tables)) {
		r.broken = true
		return s
	}
	s.Table, s.Key = r.tables[at], r.word()
	parts := r.number()
	s.Gone, s.Parts = parts == 0, parts>>1
	n := bits.OnesCount64(s.Parts)
	if parts&1 == 0 && parts != 0 || s.Parts>>mostParts != 0 || len(r.text) < n*LeafSize || len(r.salts) < n*SaltSize {
		r.broken = true
		return s
	}
	for range n {
		s.Leaves, s.Salts = append(s.Leaves, [LeafSize]byte(r.text)), append(s.Salts, [SaltSize]byte(r.salts))
		r.text, r.salts = r.text[LeafSize:], r.salts[SaltSize:]
	}
	return s
}

// DecodeSeals reads what EncodeSeals wrote.
func DecodeSeals(text, salts []byte) ([]Seal, error) {
	r := sealReader{text: text, salts: salts}
	var seals []Seal
	for len(r.text) > 0 {
		s := r.seal()
		if r.broken {
			return nil, errSeals
		}
		seals = append(seals, s)
	}
	return seals, nil
}
