package store

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// The writer commits in groups. It takes the updates that wait, runs each in a
// savepoint of one transaction, commits once and only then answers. Its rules:
//
//   - No request's context reaches a statement: an interrupt in the middle would
//     roll back the work of others. A context that ended before its turn is
//     answered without running.
//   - An update that fails is rolled back to its savepoint; the others go on.
//   - When that rollback fails, or the error says that the database itself is in
//     trouble (full disk, I/O, memory, interrupt, busy), or the commit fails, the
//     group is rolled back and each update runs again, alone.
//   - Nobody is answered before COMMIT returned.
type writer struct {
	store     *Store
	session   *session
	queue     chan *update
	closing   chan struct{}
	closed    chan struct{}
	once      sync.Once
	goroutine atomic.Int64 // the id of the goroutine that runs updates
	head      ledger.Event // the last event of the transaction in progress, if it wrote any
	number    int64        // of the last group that was committed; see peers.sign
	saved     bool         // the savepoint of the next update stands already
}

const (
	groupMost = 512                   // updates in a group
	groupTime = 10 * time.Millisecond // after which a group takes no more
)

type update struct {
	ctx    context.Context
	f      func(*Tx) error
	answer chan error

	err    error
	events []ledger.Event
	work   bool

	asked time.Time    // when its caller came; zero where nobody wants to know
	begun atomic.Int64 // nanoseconds after that, when its turn came
}

// waited is how long an update stood in line before its turn; where it had none
// it did nothing else.
func (u *update) waited(err error) time.Duration {
	begun := u.begun.Load()
	if begun == 0 && err != nil {
		return time.Since(u.asked)
	}
	return time.Duration(begun)
}

func startWriter(ctx context.Context, s *Store) (*writer, error) {
	w := &writer{store: s, session: &session{dialect: s.dialect}, queue: make(chan *update, groupMost),
		closing: make(chan struct{}), closed: make(chan struct{})}
	if err := w.connect(ctx); err != nil {
		return nil, fmt.Errorf("connect the writer: %w", err)
	}
	go w.run()
	return w, nil
}

func (w *writer) stop() {
	w.once.Do(func() { close(w.closing) })
	<-w.closed
}

// do hands an update to the writer and waits for its answer. Once handed over
// it is waited for whatever happens to its context, so that an answer is always true.
func (w *writer) do(u *update) error {
	if inWriter() && w.goroutine.Load() == goroutineID() {
		return fault.New(fault.Internal, "an update inside an update")
	}
	select {
	case <-w.closing:
		return fault.New(fault.Unavailable, "The server is stopping. Try again in a moment.")
	case <-u.ctx.Done():
		return u.ctx.Err()
	case w.queue <- u:
	}
	select {
	case err := <-u.answer:
		return err
	case <-w.closed:
		select { // the last group may have held it
		case err := <-u.answer:
			return err
		default:
			return fault.New(fault.Unavailable, "The server is stopping. Try again in a moment.")
		}
	}
}

func (w *writer) run() {
	defer close(w.closed)
	defer func() { w.session.drop() }()
	w.goroutine.Store(goroutineID())
	for {
		select {
		case u := <-w.queue:
			w.group(u)
		case <-w.closing:
			for {
				select {
				case u := <-w.queue:
					w.group(u)
				default:
					return
				}
			}
		}
	}
}

// group runs an update and those that wait behind it in one transaction.
func (w *writer) group(first *update) {
	group := []*update{first}
	healthy := w.begin() == nil
	begun := time.Now() // not before: waiting for another server's group costs this one no room
	for i := 0; healthy && i < len(group); i++ {
		healthy = w.try(group[i])
		if healthy && len(group) < groupMost && time.Since(begun) < groupTime {
			select {
			case next := <-w.queue:
				group = append(group, next)
			default:
			}
		}
	}
	if healthy && w.commit(group) == nil {
		w.answer(group)
		w.store.committed(len(group), time.Since(begun))
		return
	}
	_ = w.exec("ROLLBACK")
	var down error
	for _, u := range group {
		if down != nil { // asking once is enough: everybody waits for the answer
			u.err, u.events, u.work = down, nil, false
			w.answer([]*update{u})
			continue
		}
		down = w.alone(u)
	}
}

// commit makes a group durable and tells the other servers. When the connection
// breaks before the answer it finds out whether the group went through, so that
// nothing is done twice.
func (w *writer) commit(group []*update) error {
	peers := w.store.peers
	if peers == nil {
		return w.exec("COMMIT")
	}
	changed := false
	var events []ledger.Event
	work := false
	for _, u := range group {
		if u.err == nil {
			changed, events, work = true, append(events, u.events...), work || u.work
		}
	}
	if !changed {
		return w.exec("COMMIT")
	}
	if err := peers.sign(w, w.number+1, events, work); err != nil {
		return err
	}
	err := w.exec("COMMIT")
	if err != nil && broken(err) {
		err = w.settle(w.number+1, err)
	}
	if err == nil {
		w.number++
	}
	return err
}

// settleTime is how long an update waits for the database to come back and say
// whether it was committed. After that it fails, though it may have been.
const settleTime = 15 * time.Second

// settle asks, on a new connection, whether a group was committed whose COMMIT
// was not answered, and returns nil if it was.
func (w *writer) settle(number int64, unanswered error) error {
	for begun := time.Now(); time.Since(begun) < settleTime; time.Sleep(200 * time.Millisecond) {
		if w.reconnect() != nil {
			continue
		}
		// The lock waits for what is left of the old connection.
		if w.exec(w.store.dialect.begin()) != nil || w.exec(w.store.dialect.lock()) != nil {
			continue
		}
		last, err := w.store.peers.signed(w)
		_ = w.exec("ROLLBACK")
		if err != nil {
			continue
		}
		if last >= number {
			return nil
		}
		return unanswered // it was not: it can be done again
	}
	return unanswered
}

// alone runs one update in a transaction of its own. It returns an error when
// there is no database that could run another.
func (w *writer) alone(u *update) (down error) {
	err := w.begin()
	if err != nil && broken(err) {
		down = w.store.translate(err)
	}
	if err == nil {
		w.try(u)
		if err = u.err; err == nil {
			err = w.commit([]*update{u})
		}
	}
	if err != nil {
		_ = w.exec("ROLLBACK")
		u.err, u.events, u.work = w.store.translate(err), nil, false
	}
	w.answer([]*update{u})
	return down
}

func (w *writer) answer(group []*update) {
	var events []ledger.Event
	work := false
	for _, u := range group {
		events = append(events, u.events...)
		work = work || u.work
		u.answer <- u.err
	}
	w.store.announce(events, work)
}

// try runs an update in a savepoint and reports whether the group is sound.
func (w *writer) try(u *update) (sound bool) {
	u.err, u.events, u.work = u.ctx.Err(), nil, false
	if u.err != nil {
		return true
	}
	if !u.asked.IsZero() {
		u.begun.CompareAndSwap(0, int64(time.Since(u.asked)))
	}
	if w.store.options.Rehearse {
		if u.err = w.exec("SAVEPOINT rehearsal"); u.err != nil {
			return false
		}
		rehearsed := w.call(u)
		if rehearsed == nil {
			rehearsed = w.session.flush(context.Background())
		}
		if w.exec("ROLLBACK TO rehearsal") != nil || w.exec("RELEASE rehearsal") != nil || w.store.dialect.fatal(rehearsed) {
			u.err = rehearsed
			return false
		}
		u.events, u.work = nil, false
	}
	if !w.saved {
		if u.err = w.exec("SAVEPOINT one"); u.err != nil {
			return false
		}
		w.saved = true
	}
	if u.err = w.call(u); u.err == nil {
		if u.err = w.release(); u.err == nil {
			if len(u.events) > 0 {
				w.head = u.events[len(u.events)-1]
			}
			return true
		}
		u.err = w.store.translate(u.err)
	}
	u.events, u.work = nil, false
	return w.exec("ROLLBACK TO one") == nil && !w.store.dialect.fatal(u.err)
}

// release ends the savepoint of an update that went well. Where statements travel
// together, that of the next update comes along.
func (w *writer) release() error {
	if w.store.dialect.pipelines() {
		return w.session.flush(context.Background(), "RELEASE one", "SAVEPOINT one")
	}
	w.saved = false
	return w.exec("RELEASE one")
}

// call runs the function of an update; a panic becomes its error.
func (w *writer) call(u *update) (err error) {
	tx := &Tx{store: w.store, ctx: context.Background(), session: w.session, writes: true, head: w.head}
	defer func() {
		if p := recover(); p != nil {
			err = fault.As(fault.Internal, fmt.Errorf("panic: %v\n%s", p, debug.Stack()), "panic in an update")
		}
		u.events, u.work = tx.events, tx.work
	}()
	if err = u.f(tx); err != nil {
		return err
	}
	return tx.finish()
}

func (w *writer) begin() error {
	w.head = ledger.Event{} // another server may have written meanwhile
	w.saved = false
	begin := w.store.dialect.begin()
	if lock := w.store.dialect.lock(); lock != "" {
		begin += "; " + lock // one way instead of two
	}
	if err := w.exec(begin); err != nil {
		if err := w.reconnect(); err != nil {
			return err
		}
		return w.exec(begin)
	}
	return nil
}

// reconnect replaces a connection on which no transaction can begin, as after a
// restart of the database.
func (w *writer) reconnect() error {
	_ = w.exec("ROLLBACK") // in case one was left open
	w.session.drop()
	return w.connect(context.Background())
}

func (w *writer) connect(ctx context.Context) error {
	err := w.session.connect(ctx, w.store.writes)
	for _, statement := range w.store.dialect.settles() {
		if err == nil {
			err = w.session.run(ctx, statement)
		}
	}
	return err
}

func (w *writer) exec(statement string) error {
	return w.session.run(context.Background(), statement)
}

// inWriter reports whether a writer's goroutine runs this, ours or another
// store's. It costs a fifteenth of goroutineID, which symbolizes the whole stack,
// and that was a tenth of all that an answer costs.
func inWriter() bool {
	var buffer [128]uintptr
	callers := buffer[:runtime.Callers(0, buffer[:])]
	if len(callers) == len(buffer) {
		return true // too deep to see where it began
	}
	for _, pc := range callers[max(0, len(callers)-4):] { // the loop stands at the end, before what started the goroutine
		if f := runtime.FuncForPC(pc); f != nil && f.Name() == writerLoop {
			return true
		}
	}
	return false
}

// writerLoop is how the runtime calls (*writer).run.
const writerLoop = "github.com/adjudge/adjudge/backend/store.(*writer).run"

// goroutineID reads the running goroutine's number from its stack header, the
// only place where Go tells it. It is used for nothing but refusing an update
// inside an update, which would otherwise wait for itself for ever.
func goroutineID() int64 {
	var buffer [32]byte
	header := buffer[:runtime.Stack(buffer[:], false)]
	header = bytes.TrimPrefix(header, []byte("goroutine "))
	digits, _, _ := bytes.Cut(header, []byte(" "))
	id, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return 0
	}
	return id
}
