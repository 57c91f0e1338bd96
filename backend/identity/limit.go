package identity

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Limit counts wrong passwords under one key. It is a bucket that leaks one
// failure every leakEvery, and it lives in the store, so that all servers of an
// installation count together and a restart forgives nothing. It makes guessing
// slow; it is no lock.
type Limit struct {
	Key     Hash      // of what bucketsOf names: neither an account nor an address is kept
	EmptyAt time.Time // when the bucket has leaked dry
	Refused bool      // a try was turned away since it last let one pass
}

// Limits of wrong passwords.
const (
	accountFailures = 5   // for one account from one place before the pause
	addressFailures = 50  // from one address, whatever the account
	accountAnywhere = 100 // for one account, whatever the place: many machines or known browsers guess together
	leakEvery       = time.Minute
)

// bucket is a limit with how much it holds.
type bucket struct {
	Limit
	most  int
	close bool // forgotten once the right password came from there
}

// buckets are what a try is counted in. Those of people who are known are apart
// from those of strangers, so that nobody is locked out by what others try:
//
//   - Whoever is signed in and proves it again has a count of their own, for each
//     place from which they do so, and one for all places together.
//   - A browser in which this person signed in before has a count of its own, and
//     there is one for all such browsers together: whoever had the password for a
//     while may have made themselves known a thousand times.
//   - What a provider answered is no guess here, and is counted by address alone.
//   - Everybody else is counted by account and address, by account over all
//     addresses, and by address over all accounts. The second is what bounds
//     guessing from many machines; while it is full, this person signs in from a
//     browser that knows them, or by the provider.
func (t try) buckets() []bucket {
	from := addressGroup(t.address)
	of := func(most int, parts ...string) bucket {
		return bucket{Limit: Limit{Key: HashOf(strings.Join(parts, "\x00"))}, most: most}
	}
	var all []bucket
	switch {
	case t.seat != "":
		all = []bucket{of(accountFailures, "seat", string(t.person), t.seat), of(accountAnywhere, "seats", string(t.person))}
	case t.browser != "":
		all = []bucket{of(accountFailures, "browser", string(t.browser)), of(accountAnywhere, "browsers", string(t.person))}
	case t.provided:
		return []bucket{of(addressFailures, "provider", from)}
	default:
		all = []bucket{of(accountFailures, "account", t.username, from), of(accountAnywhere, "anywhere", t.username), of(addressFailures, "address", from)}
	}
	all[0].close = true
	return all
}

// addressGroup is what counts as one address: an IPv4 address, and the 64 bits of
// an IPv6 address that name a network, for whoever has one such address has all.
func addressGroup(address string) string {
	at, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if at = at.Unmap().WithZone(""); at.Is4() {
		return at.String()
	}
	network, err := at.Prefix(64)
	if err != nil {
		return address
	}
	return network.String()
}

// wait returns how long no try is let through.
func (b bucket) wait(now time.Time) time.Duration {
	return max(0, b.EmptyAt.Sub(now.Add(time.Duration(b.most-1)*leakEvery)))
}

// filled returns the bucket with one failure more.
func (b bucket) filled(now time.Time) Limit {
	return Limit{Key: b.Key, EmptyAt: later(b.EmptyAt, now).Add(leakEvery)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// try is an attempt to prove who one is by a password.
type try struct {
	username string
	person   ledger.PersonID // whose account it is, where there is one
	actor    ledger.Actor    // who is signed in already; zero for nobody
	address  string
	seat     string // where somebody sits who is signed in already, "" for nobody
	browser  Hash   // that knows the person, "" where none does
	phc      string // the hash that the password is compared with
	provided bool   // a provider's answer rather than a password
}

// record notes in the history that a try was refused. What was typed stands
// nowhere, not even the name: people type passwords there.
func (t try) record(tx Tx, kind string) error {
	actor := t.actor
	actor.Via = cmp.Or(actor.Via, ledger.ViaNobody)
	return tx.Record(ledger.Entry{
		Actor: actor, Kind: kind, Subject: ledger.Subject{Kind: "person", ID: string(t.person)}, Payload: map[string]string{"address": clip(t.address, 100)},
	})
}

// limited lets a try be proven under its limits, and returns how long to wait
// instead where there were too many wrong ones already. What the proof gave is
// told by the very transaction that counts it, and not at all once a limit is
// reached: tries at the same time cannot slip through together, and however many
// are right, a right one leaves no count. A password that was changed while it was
// compared is a wrong one.
func (s *Service) limited(ctx context.Context, t try, proof func() (bool, error)) (right bool, wait time.Duration, err error) {
	leave, err := s.queue.enter(ctx, t.buckets())
	if err != nil {
		return false, 0, err
	}
	defer leave()
	// Whoever asks may go away meanwhile; what they tried still counts.
	lasting := context.WithoutCancel(ctx)
	if err := s.view(ctx, func(tx Tx) (err error) { _, wait, err = s.look(tx, t); return err }); err != nil {
		return false, 0, err
	}
	if wait == 0 {
		if right, err = proof(); err != nil {
			return false, 0, err
		}
	}
	stands := false
	err = s.update(lasting, func(tx Tx) error {
		var all []bucket
		if all, wait, err = s.look(tx, t); err != nil {
			return err
		}
		if stands = right; right && !t.provided {
			if stands, err = stillHas(tx, t.person, t.phc); err != nil {
				return err
			}
		}
		return s.count(tx, t, all, stands)
	})
	return stands && wait == 0, wait, err
}

// look reads the limits of a try, and how long it has to wait.
func (s *Service) look(tx Tx, t try) (all []bucket, wait time.Duration, err error) {
	all = t.buckets()
	for i := range all {
		if all[i].Limit, err = tx.Limit(all[i].Key); err != nil {
			return nil, 0, err
		}
		wait = max(wait, all[i].wait(s.now()))
	}
	return all, wait, nil
}

// count writes down how a try ended: the first one that is turned away is noted
// in the history, a wrong one is counted, a right one forgets those before it.
func (s *Service) count(tx Tx, t try, all []bucket, right bool) error {
	now := s.now()
	full := slices.IndexFunc(all, func(b bucket) bool { return b.wait(now) > 0 })
	switch {
	case full >= 0 && all[full].Refused:
		return nil
	case full >= 0:
		all[full].Refused = true
		if err := tx.SaveLimit(all[full].Limit); err != nil {
			return err
		}
		return t.record(tx, "login.paused")
	case right:
		for _, b := range all {
			if b.close && b.EmptyAt.After(now) {
				return tx.SaveLimit(Limit{Key: b.Key, EmptyAt: now})
			}
		}
		return nil
	}
	for _, b := range all {
		if err := tx.SaveLimit(b.filled(now)); err != nil {
			return err
		}
	}
	if t.provided {
		return nil
	}
	return t.record(tx, "login.refused")
}

// queue lets no more tries under one limit be proven at once than that limit
// holds, so that a flood of them costs as many hashes; the others wait.
type queue struct {
	mu    sync.Mutex
	doors map[Hash]*entry
}

type entry struct {
	slots chan struct{}
	users int // in it or waiting before it
}

// enter waits for a place under each limit, and returns how to leave them.
func (q *queue) enter(ctx context.Context, all []bucket) (leave func(), err error) {
	var in []bucket
	leave = func() {
		for _, b := range slices.Backward(in) {
			q.leave(b.Key, true)
		}
	}
	for _, b := range all {
		select {
		case q.door(b).slots <- struct{}{}:
			in = append(in, b)
		case <-ctx.Done():
			q.leave(b.Key, false)
			leave()
			return nil, fault.As(fault.Unavailable, ctx.Err(), "Too many people are signing in at this moment. Try again.")
		}
	}
	return leave, nil
}

func (q *queue) door(b bucket) *entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.doors == nil {
		q.doors = map[Hash]*entry{}
	}
	door := q.doors[b.Key]
	if door == nil {
		door = &entry{slots: make(chan struct{}, b.most)}
		q.doors[b.Key] = door
	}
	door.users++
	return door
}

func (q *queue) leave(key Hash, was bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	door := q.doors[key]
	if was {
		<-door.slots
	}
	if door.users--; door.users == 0 {
		delete(q.doors, key)
	}
}
