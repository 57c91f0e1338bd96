package labeling

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// MostMedia is the largest object that an item may refer to, in bytes.
const MostMedia = 64 << 20

// mostURI is the longest reference in bytes.
const mostURI = 2000

// Media is an object that an item refers to. It stays where it is: here stand its
// digest from the import, by which every look at it is checked, and what was last
// found to be wrong with it.
type Media struct {
	URI    string        // media://NAME/path of a directory that the operator named, or https://…
	Digest ledger.Digest // of its bytes at the import
	Bytes  int64
	Type   string // media type, told from its bytes at the import
	Fault  MediaFault
}

// MediaState says what is wrong with an object.
type MediaState string

// The states of an object.
const (
	MediaRight   MediaState = ""        // as it was imported, as far as is known
	MediaChanged MediaState = "changed" // other bytes than at the import
	MediaGone    MediaState = "gone"    // nothing is there any more
)

// MediaFault is what was found instead of an object, by a look at it or a check
// of all; zero while the object is right.
type MediaFault struct {
	State MediaState
	Found ledger.Digest // what stands there instead; empty where nothing does, or more than may be read
	At    time.Time     // when it was found first
}

// same reports whether two looks found the same.
func (f MediaFault) same(other MediaFault) bool {
	return f.State == other.State && f.Found == other.Found
}

// Kind is what a page shows an object with: "image", "audio" or "video".
func (m Media) Kind() string {
	kind, _, _ := strings.Cut(m.Type, "/")
	return kind
}

// Compare says what is wrong with an object by what a look at it returned, without
// a time. An error says that nothing is known about it now.
func (m Media) Compare(found MediaObject, err error) (MediaFault, error) {
	switch {
	case fault.Is(err, fault.NotFound):
		return MediaFault{State: MediaGone}, nil
	case fault.Is(err, fault.TooLarge):
		return MediaFault{State: MediaChanged}, nil
	case err != nil:
		return MediaFault{}, err
	case found.Digest != m.Digest:
		return MediaFault{State: MediaChanged, Found: found.Digest}, nil
	}
	return MediaFault{}, nil
}

// Err says in words why an object is not shown, as Conflict or NotFound; nil
// while it is right.
func (m Media) Err() error {
	switch m.Fault.State {
	case MediaChanged:
		found := "more than may be read was"
		if m.Fault.Found != "" {
			found = m.Fault.Found.Hex()[:8] + "… was"
		}
		return fault.New(fault.Conflict, "%s is not the one that was imported (digest %s… expected, %s found on %s). It is not shown.",
			kindWord(m.Kind()), m.Digest.Hex()[:8], found, m.Fault.At.UTC().Format("2 January 2006"))
	case MediaGone:
		return fault.New(fault.NotFound, "%s is no longer where it was when it was imported (found on %s). It is shown again once it is back, unchanged.",
			kindWord(m.Kind()), m.Fault.At.UTC().Format("2 January 2006"))
	case MediaRight:
	}
	return nil
}

func kindWord(kind string) string {
	switch kind {
	case "audio":
		return "This recording"
	case "video":
		return "This video"
	}
	return "This picture"
}

// contentOf is the digest by which the contents of items are told apart. That of
// a text alone is the text's own; an object takes part by its digest.
func contentOf(text string, media *Media) ledger.Digest {
	if media == nil {
		return ledger.DigestOf([]byte(text))
	}
	return ledger.DigestOf([]byte("adjudge media v1\n" + string(media.Digest) + "\n" + text))
}

// MediaObject is an object as it was read: all of its bytes, which no change
// behind it reaches any more.
type MediaObject struct {
	io.ReadSeekCloser
	Digest ledger.Digest
	Bytes  int64
	Type   string // empty where the bytes are of no kind that may be shown
}

// MediaSource reads objects where the operator allows it. References are those of
// Media.URI. Errors are NotFound where nothing is there, TooLarge over MostMedia,
// Invalid for a reference that leads nowhere, Denied where the operator named no
// such place, and Unavailable.
type MediaSource interface {
	// Name gives a reference its one form, or says what is wrong with it.
	Name(reference string) (uri string, err error)
	// Look reads an object once and keeps nothing of it.
	Look(ctx context.Context, uri string) (MediaObject, error)
	// Fetch reads an object and keeps its bytes until it is closed.
	Fetch(ctx context.Context, uri string) (MediaObject, error)
}

// MediaCheck is the last check of all objects of a dataset, or the one that runs.
type MediaCheck struct {
	Dataset    DatasetID
	Of         int64 // objects
	Done       int64 // looked at
	Faults     int64 // found among them
	Missed     int64 // could not be reached, so that nothing is known about them
	By         ledger.PersonID
	StartedAt  time.Time
	FinishedAt time.Time // zero while it runs
	After      ItemID    // the last item that was looked at
}

// MediaTx keeps what is known about objects.
type MediaTx interface {
	// SetMediaFault writes what was found wrong with the object of an item; zero
	// where it is right again.
	SetMediaFault(ItemID, MediaFault) error
	// MediaItems returns the items of a dataset that refer to objects, trash left
	// out, by id, as many as a page holds: only none says that the walk is over. With
	// faulty they are only those with a fault.
	MediaItems(dataset DatasetID, after ItemID, limit int, faulty bool) ([]Item, error)
	// CountMedia counts those items, and those with a fault.
	CountMedia(DatasetID) (items, faulty int64, err error)
	// SaveMediaCheck writes the check of a dataset.
	SaveMediaCheck(MediaCheck) error
	// MediaCheck returns the last check of a dataset, or NotFound.
	MediaCheck(DatasetID) (MediaCheck, error)
}
