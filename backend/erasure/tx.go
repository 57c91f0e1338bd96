package erasure

import (
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/work"
)

// Tx is what this room needs of a transaction.
type Tx interface {
	ledger.Recorder
	work.Enqueuer
	People
	Items
	Payloads
	Progress
	Holds
	Trash
	Keeping
	// Now is the time of record of this transaction.
	Now() time.Time
}

// Who is a person as far as an erasure must know them.
type Who struct {
	Somebody
	Owner     bool // owns the data directory
	LastAdmin bool // no other admin could sign in
	Erased    bool
}

// People reads and erases what stands about a person in rows.
type People interface {
	// WhoIs returns a person by id or username, or NotFound.
	WhoIs(string) (Who, error)
	// PersonRecords counts the rows that an erasure would empty.
	PersonRecords(ledger.PersonID) (map[Record]int64, error)
	// ErasePerson empties the person's row under its opaque id, ends every way in
	// and takes roles and drafts.
	ErasePerson(id ledger.PersonID, username string) error
	// EraseWords empties at most a number of texts that the person wrote, and
	// returns how many it did.
	EraseWords(id ledger.PersonID, most int) (int64, error)
}

// Thing is an item as far as an erasure must know it.
type Thing struct {
	ID      string
	Seq     int64
	Project ledger.ProjectID
	Dataset string
	Key     string
	Content ledger.Digest
	Erased  bool
}

// Upload is a file that an import brought into a dataset.
type Upload struct {
	ID   string
	Blob ledger.Digest
	Done bool
}

// Frozen is a snapshot that may hold an item.
type Frozen struct {
	ID     string
	Number int
	Title  string
	Rows   ledger.Digest
	Table  ledger.Digest // the same as Parquet
	Held   string        // why a legal hold keeps it, or a candidate that rests on it; empty where none does
	Signed []int         // numbers of the signed candidates that rest on it
}

// Items reads and erases items.
type Items interface {
	// Thing returns an item of a project by id, or NotFound.
	Thing(project ledger.ProjectID, id string) (Thing, error)
	// ItemRecords counts the rows that an erasure would empty.
	ItemRecords(id string) (map[Record]int64, error)
	// Frozen lists the snapshots of a project that have files.
	Frozen(ledger.ProjectID) ([]Frozen, error)
	// Uploads lists the files that came into a dataset and are still kept.
	Uploads(dataset string) ([]Upload, error)
	// EraseItem empties text, columns, label and suggestion, takes the item out of
	// the search index and puts it into the trash.
	EraseItem(Thing) error
	// EraseSnapshot marks a snapshot as failed with the reason and forgets its files.
	EraseSnapshot(id, reason string) error
	// ForgetUpload forgets the file of an import.
	ForgetUpload(id string) error
	// FileUsed reports whether anything still needs a file.
	FileUsed(ledger.Digest) (bool, error)
}

// Payloads erases payloads of the history.
type Payloads interface {
	// NextSeq is the number that the next event will get.
	NextSeq() (int64, error)
	// ErasePayloads takes payloads and salts of events away in the name of an event,
	// and returns how many were still there.
	ErasePayloads(cause int64, seqs []int64) (int64, error)
	// RecordsOf lists, oldest first, at most a number of events by or about a
	// person that came after another.
	RecordsOf(id ledger.PersonID, after int64, most int) ([]ledger.Record, error)
	// RecordsNaming lists the events after one and up to another whose payload
	// holds one of some texts, which are lower-case ASCII, in whatever case; an
	// empty one is in all.
	RecordsNaming(texts []string, after, until int64) ([]ledger.Record, error)
	// PayloadsAbout lists the events about a subject that have a payload.
	PayloadsAbout(ledger.Subject) ([]int64, error)
}

// Hold keeps everything under something from erasure and from the trash.
type Hold struct {
	Kind   string // see HoldKinds
	ID     string
	Reason string
	Person ledger.PersonID
	At     time.Time
}

// Holdable is something that can be held.
type Holdable struct {
	Kind    string
	ID      string
	Name    string           // as people know it
	Number  int              // of a snapshot or a candidate
	Project ledger.ProjectID // empty for a person; its own for a project
	Dataset string           // of an item
}

// Held is a legal hold and what it is on.
type Held struct {
	Hold
	On Holdable
}

// Holds keeps legal holds.
type Holds interface {
	// PlaceHold places a hold; one that is there keeps its first words: Conflict.
	PlaceHold(Hold) error
	// LiftHold reports whether there was one.
	LiftHold(kind, id string) (bool, error)
	// Holds lists all holds, the latest first.
	Holds() ([]Hold, error)
	// Holdable finds what can be held, also in the trash: NotFound where there is
	// no such thing. People are also found by username.
	Holdable(kind, id string) (Holdable, error)
}
