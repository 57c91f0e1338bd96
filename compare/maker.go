package compare

import (
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
)

// Made says how somebody became a maker of what has a digest.
type Made string

// The ways to be a maker.
const (
	MadeTrained    Made = "trained"    // pressed Train
	MadeRegistered Made = "registered" // brought the model, or the digest of it
	MadeUploaded   Made = "uploaded"   // uploaded answers of it
	MadeTook       Made = "took"       // took the snapshot
)

// Maker is a person who made what has a digest, in whichever project. It
// belongs to the digest and not to a row: it stays where the model is thrown
// away, and goes for every model of the same bytes.
type Maker struct {
	Digest  ledger.Digest
	Person  ledger.PersonID
	Name    string // of the person, today
	How     Made
	Project ledger.ProjectID
	Thing   string // id of the model or snapshot
	At      time.Time
}

// Makers says who made what has a digest. The store keeps it by itself whenever
// a model, a prediction set or a snapshot is written, so that no way around
// exists.
type Makers interface {
	// MakersOf lists the makers of a digest in every project, in the order in
	// which they became it.
	MakersOf(ledger.Digest) ([]Maker, error)
	// RivalsOf lists whoever profits or loses by the answers of a model: the makers
	// of every model that was compared with its bytes in the project, that is proposed
	// against them or they against it, and who proposed those or them.
	RivalsOf(Model) ([]ledger.PersonID, error)
}
