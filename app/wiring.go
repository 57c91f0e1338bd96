package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/adjudge/adjudge/backend/blob"
	"github.com/adjudge/adjudge/backend/checkpoint"
	"github.com/adjudge/adjudge/backend/columns"
	"github.com/adjudge/adjudge/backend/erasure"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/format/ingest"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/live"
	"github.com/adjudge/adjudge/backend/media"
	"github.com/adjudge/adjudge/backend/meter"
	"github.com/adjudge/adjudge/backend/store"
	"github.com/adjudge/adjudge/backend/trace"
	"github.com/adjudge/adjudge/backend/training"
	"github.com/adjudge/adjudge/backend/web"
	"github.com/adjudge/adjudge/backend/work"
	"github.com/adjudge/adjudge/compare"
	"github.com/adjudge/adjudge/frontend/page"
	"github.com/adjudge/adjudge/frontend/static"
	"github.com/adjudge/adjudge/labeling"
	"github.com/adjudge/adjudge/review"
)

// settings are what a server is started with.
type settings struct {
	Data     string // data directory
	Database string // address; empty: adjudge.db in the data directory
	Blobs    string // where files are: a directory or s3://…; empty: blobs in the data directory
	Proxies  []netip.Prefix
	KeyFile  string // holds the secret under which the database keeps the signing key; empty: the key is a file
	Port     string // the port it listens on
	Public   *url.URL
	Native   web.Native // what the desktop window does; nil on a server
	Owned    *dataDir   // the data directory, where it was taken before
	Log      *slog.Logger
	Witness  []string      // addresses of witnesses for checkpoints
	Trace    *trace.Tracer // tells what happens to who watches; nil: nobody
	News     *news         // looks for newer versions; nil: never
	Out      io.Writer     // where an upgrade says how far it is; nil: nowhere
	// Now is the clock of the server; nil: the program's own.
	Now func() time.Time
	// LockAfter is how long a browser may stand idle before it is locked; 0: for ever.
	LockAfter time.Duration
	Provider  *identity.Provider // at which people may sign in; nil: nowhere
	Media     media.Config       // where items may refer to; nowhere if it names nothing
	// Import is how much one uploaded file may bring in.
	Import labeling.ImportBound
}

// house is every room, joined: what a server is made of.
type house struct {
	settings
	data     *dataDir
	taken    *os.File // the SQLite file, held against other servers
	store    *store.Store
	walk     *store.Walk // of the history, for the gate
	blobs    blob.Store
	media    *media.Sources // nil: items are texts alone
	meter    *meter.Meter
	hub      *live.Hub
	loop     *work.Loop
	identity *identity.Service
	labeling *labeling.Service
	review   *review.Service
	training *training.Service
	compare  *compare.Service
	keeper   *checkpoint.Keeper
	erasure  *erasure.Service
	web      *web.Server
	server   *http.Server

	stop    context.CancelFunc
	running sync.WaitGroup
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// openHouse opens the data directory and joins the rooms. Nothing runs yet.
func openHouse(ctx context.Context, set settings) (_ *house, err error) {
	h := &house{settings: set}
	if h.Now == nil {
		h.Now = now
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if h.data = set.Owned; h.data == nil {
		if h.data, err = openData(set.Data); err != nil {
			return nil, err
		}
	}
	if h.Database == "" {
		h.Database = h.data.file("adjudge.db")
	}
	if err = h.openStore(ctx); err != nil {
		return nil, err
	}
	if h.Blobs == "" {
		h.Blobs = h.data.file("blobs")
	}
	if h.blobs, err = blob.OpenAt(ctx, h.Blobs, h.data.file("cache")); err != nil {
		return nil, err
	}
	h.hub = live.New(set.Log)
	h.meter = meter.New(version(), h.readMeter)
	h.store.OnCommit(h.meter.Commit)
	h.blobs = meteredBlobs{h.blobs, h.meter}
	h.walk = store.NewWalk(h.store, review.Rests()...)
	h.identity = identity.New(identity.Config{
		Update: store.In[identity.Tx](h.store), View: store.From[identity.Tx](h.store), Now: h.Now, NewID: newID,
		LockAfter: set.LockAfter, Provider: set.Provider, Server: h.data.id,
		Proved: func(tx identity.Tx, person ledger.PersonID) error {
			return h.walk.ProvePassword(tx.(*store.Tx), person)
		},
	})
	var objects labeling.MediaSource
	if len(h.Media.Dirs)+len(h.Media.Hosts) > 0 {
		h.Media.Temp, h.Media.Agent = h.data.file("shown"), "Adjudge/"+version()
		if h.Trace != nil {
			h.Media.Trace = h.Trace.Call
		}
		if h.media, err = media.Open(h.Media); err != nil {
			return nil, err
		}
		objects = h.media
	}
	h.labeling = labeling.New(labeling.Config{
		Update: store.In[labeling.Tx](h.store), View: store.From[labeling.Tx](h.store), Now: h.Now, NewID: newID,
		Files: h.blobs, Parser: h.parser(), Tables: columns.Tables{}, Media: objects, Analyze: h.store.Analyze,
	})
	h.compare = compare.New(compare.Config{
		Update: store.In[compare.Tx](h.store), View: store.From[compare.Tx](h.store), Now: h.Now, NewID: newID,
		Files: h.blobs, Columns: columns.Predictions{}, Parser: h.parser(), Viewed: h.labeling.Viewed,
	})
	in, err := h.openInstallation(ctx)
	if err != nil {
		return nil, err
	}
	h.review = review.New(review.Config{
		Update: store.In[review.Tx](h.store), View: store.From[review.Tx](h.store), Now: h.Now, NewID: newID,
		Files: h.blobs, Signer: in.ring, Passwords: h.identity, Comparer: h.compare, Walk: h.store.CheckHistory,
		Walked: h.walk.Passed, Proved: func(tx review.Tx) ([]string, error) { return h.walk.Faults(tx.(*store.Tx)) },
		Covers: func(ctx context.Context, seq int64) (bool, error) { return h.keeper.Covers(ctx, seq) },
	})
	if err = h.openKeeper(in); err != nil {
		return nil, err
	}
	h.erasure = erasure.New(erasure.Config{
		Update: store.In[erasure.Tx](h.store), View: store.From[erasure.Tx](h.store), Scrub: h.store.Scrub, Files: h.blobs,
	})
	if err = h.openTraining(); err != nil {
		return nil, err
	}
	if err = h.identity.Prepare(ctx); err != nil {
		return nil, err
	}
	if err = h.keeper.Start(ctx); err != nil {
		return nil, err
	}
	if err = h.erasure.Start(ctx, h.Now()); err != nil {
		return nil, err
	}
	h.loop = &work.Loop{Queue: h.store, Handlers: h.handlers(), Now: h.store.Now, Log: set.Log}
	if h.Trace != nil {
		h.loop.Trace = h.Trace.Work
	}
	h.store.OnWork(h.loop.Wake)
	h.store.OnEvents(h.hub.Publish)
	h.joinPeers()
	door := web.Config{
		DataID: in.id, URL: set.Public, Hosts: web.Hosts(set.Port, set.Public), Proxies: set.Proxies, Desktop: set.Native != nil,
		Version: version(), Log: set.Log, Now: h.Now, Ready: h.ready, Meter: h.meter,
	}
	if h.Trace != nil {
		door.Trace = h.Trace.Request
	}
	h.web = web.New(web.Deps{
		Config:   door,
		Identity: h.identity,
		Labeling: h.labeling,
		Live:     h.hub,
		Review:   h.review,
		Training: h.training,
		Attempts: h.training,
		Compare:  h.compare,
		Erasure:  h.erasure,
		Place:    h.place,
		Projects: h.places,
		Checkpoints: func(ctx context.Context, actor ledger.Actor) ([]ledger.Checkpoint, []ledger.Witness, error) {
			state, err := h.keeper.State(ctx, actor)
			return state.Checkpoints, state.Witnesses, err
		},
		Keeper: h.keeper,
		Static: static.Handler(),
		Native: set.Native,
		News:   h.newest(),
	})
	return h, nil
}

// tellUpgrade says how far the upgrade of the database is, for it can take
// minutes before anything listens.
func (h *house) tellUpgrade(u store.Upgrade) {
	switch {
	case h.Out == nil:
	case u.Name == "":
		_, _ = fmt.Fprintf(h.Out, "The database is upgraded. As it was, it stands in %s; delete that once you miss nothing.\n", u.Backup)
	default:
		_, _ = fmt.Fprintf(h.Out, "Upgrading the database, %d of %d: %s\n", u.Done+1, u.Of, u.Name)
	}
}

// handlers is the table of follow-up work: one idempotent handler per kind.
func (h *house) handlers() map[string]work.Handler {
	return map[string]work.Handler{
		labeling.WorkSchema:   h.labeling.MoveLabels,
		labeling.WorkImport:   h.labeling.RunImport,
		labeling.WorkIndex:    h.labeling.IndexItems,
		labeling.WorkSnapshot: andThen(h.labeling.BuildSnapshot, h.review.MeasureWork),
		labeling.WorkQueue:    h.labeling.FillQueue,
		labeling.WorkMedia:    h.labeling.RunMediaCheck,
		identity.WorkGone:     h.labeling.ReturnLeases,
		review.WorkSign:       work.Both(h.review.SignWork, h.keeper.AfterDecision), // what cannot be signed is covered all the same
		erasure.WorkErase:     h.erasure.Finish,
		erasure.WorkScrub:     h.erasure.ScrubWork,
		erasure.WorkRetain:    h.erasure.Retain,
		review.WorkMeasure:    h.review.MeasureWork,

		checkpoint.WorkDaily: h.keeper.Daily,
		checkpoint.WorkPush:  h.keeper.Push,

		training.WorkFollow:      h.training.Follow,
		training.WorkPredictions: h.training.TakePredictions,
		compare.WorkRead:         h.compare.ReadUpload,
		compare.WorkSuggest:      h.compare.CopySuggestions,
		compare.WorkEvaluate:     andThen(h.compare.EvaluateSet, h.review.MeasureWork),
	}
}

// andThen joins two handlers of the same order. Both are idempotent, so the
// first is done again where the second must be.
func andThen(first, second work.Handler) work.Handler {
	return func(ctx context.Context, payload json.RawMessage) error {
		if err := first(ctx, payload); err != nil {
			return err
		}
		return second(ctx, payload)
	}
}

// newest returns what knows of newer versions, nil where nobody is asked.
func (h *house) newest() func() page.News {
	if h.News == nil {
		return nil
	}
	return h.News.now
}

// run starts the follow-up work.
func (h *house) run(ctx context.Context) {
	ctx, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	h.running.Go(func() { h.loop.Run(ctx) })
	h.running.Go(func() { h.training.Dispatch(ctx) })
	h.running.Go(func() { // so that the first gate need not wait for it
		if _, err := h.walk.Go(ctx); err != nil && ctx.Err() == nil {
			h.Log.Error("walk the history", "error", err)
		}
	})
	if h.News != nil {
		h.running.Go(func() {
			h.News.run(ctx, func(err error) { h.Log.Warn("look for a newer version", "error", err) })
		})
	}
	h.running.Go(func() { h.tidyUploads(ctx) })
	if h.store.Shared() {
		h.running.Go(func() { h.followCheckpoints(ctx) })
	}
	h.running.Go(func() {
		tick := time.NewTicker(30 * time.Second)
		defer tick.Stop()
		h.keeper.WatchClock(ctx, tick.C, checkpoint.Readings(), func(err error) { h.Log.Error("record a jump of the clock", "error", err) })
	})
}

// followCheckpoints puts what other servers on the database made into the file of
// this one, twice a minute.
func (h *house) followCheckpoints(ctx context.Context) {
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := h.keeper.Follow(ctx); err != nil && ctx.Err() == nil {
			h.Log.Error("keep the checkpoints of other servers", "error", err)
		}
	}
}

// parser reads what people upload, up to the bound of an import.
func (h *house) parser() labeling.Parser {
	return labeling.Bounded{Parser: &ingest.Parser{Log: h.Log}, Bound: h.Import}
}

// openStore opens the database. A SQLite file belongs to one server, whatever path
// leads there: two that write to it would each take the other's changes for their own.
func (h *house) openStore(ctx context.Context) (err error) {
	file := store.File(h.Database)
	take := func() error {
		if file == "" || h.taken != nil {
			return nil
		}
		h.taken, err = lockDatabase(file)
		if errors.Is(err, errOwned) {
			return fault.As(fault.Conflict, err, "Another server works with the database %s, be it by another path. Stop it, or choose another database with --database.", file)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it is taken once it is made
		}
		return err
	}
	if err := take(); err != nil {
		return err
	}
	if h.store, err = store.Open(ctx, h.Database, h.storeOptions()); err != nil {
		return err
	}
	return take()
}

// close stops what runs and closes what is open, in the opposite order.
func (h *house) close() error {
	var errs []error
	if h.server != nil {
		h.hangUp()
	}
	if h.hub != nil {
		h.hub.Close()
	}
	if h.stop != nil {
		h.stop()
		h.running.Wait()
	}
	if h.media != nil {
		errs = append(errs, h.media.Close())
	}
	if h.store != nil {
		errs = append(errs, h.store.Close())
	}
	if h.taken != nil { // after the store: closing a file ends the locks that SQLite has on it
		errs = append(errs, h.taken.Close())
	}
	if h.data != nil {
		errs = append(errs, h.data.close())
	}
	return errors.Join(errs...)
}

func (h *house) place(ctx context.Context, name string) (web.Place, error) {
	p, err := h.labeling.Project(ctx, ledger.System(), name)
	return web.Place{ID: p.ID, Slug: p.Slug, Name: p.Name}, err
}

func (h *house) places(ctx context.Context, actor ledger.Actor) ([]web.Place, error) {
	projects, err := h.labeling.Projects(ctx, actor)
	places := make([]web.Place, len(projects))
	for i, p := range projects {
		places[i] = web.Place{ID: p.ID, Slug: p.Slug, Name: p.Name}
	}
	return places, err
}
