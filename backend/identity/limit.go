package identity

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
)

// Limit counts wrong passwords under one key. It is a bucket that leaks one
// failure every leakEvery, and it lives in the store, so that all servers of an
// installation count together and a restart forgives nothing. It makes guessing
// slow; it is no lock.
type Limit struct {
	Key     Hash      // of an account and an address, or of an address: neither is kept
	EmptyAt time.Time // when the bucket has leaked dry
	Refused bool      // a try was turned away since it last let one pass
}

// Limits of wrong passwords.
const (
	accountFailures = 5   // for one account from one address before the pause
	addressFailures = 50  // from one address, whatever the account
	accountAnywhere = 100 // for one account, whatever the address: many machines guess together
	leakEvery       = time.Minute
)

// bucket is a limit with how much it holds.
type bucket struct {
	Limit
	most    int
	account bool
}

func bucketsOf(username, address string) []bucket {
	whole := bucket{Limit: Limit{Key: HashOf("address\x00" + address)}, most: addressFailures}
	if username == "" { // the provider knows the account, and keeps a limit of its own
		return []bucket{whole}
	}
	return []bucket{
		{Limit: Limit{Key: HashOf("account\x00" + username + "\x00" + address)}, most: accountFailures, account: true},
		{Limit: Limit{Key: HashOf("anywhere\x00" + username)}, most: accountAnywhere, account: true},
		whole,
	}
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

// take counts a try as failed before it is made, so that tries at the same time
// cannot slip through together. It returns how long to wait instead where there
// were too many already; the first one turned away is noted in the history.
func (s *Service) take(ctx context.Context, t try) (wait time.Duration, err error) {
	now := s.now()
	err = s.update(ctx, func(tx Tx) error {
		wait = 0
		all := bucketsOf(t.username, t.address)
		for i := range all {
			if all[i].Limit, err = tx.Limit(all[i].Key); err != nil {
				return err
			}
			wait = max(wait, all[i].wait(now))
		}
		if wait == 0 {
			for _, b := range all {
				if err := tx.SaveLimit(b.filled(now)); err != nil {
					return err
				}
			}
			return nil
		}
		full := slices.IndexFunc(all, func(b bucket) bool { return b.wait(now) > 0 })
		if all[full].Refused {
			return nil
		}
		all[full].Refused = true
		if err := tx.SaveLimit(all[full].Limit); err != nil {
			return err
		}
		return t.record(tx, "login.paused")
	})
	return wait, err
}

// succeeded forgets the failures of an account from an address, and the one
// that take counted for the address.
func (s *Service) succeeded(ctx context.Context, t try) error {
	now := s.now()
	return s.update(ctx, func(tx Tx) error {
		for _, b := range bucketsOf(t.username, t.address) {
			known, err := tx.Limit(b.Key)
			if err != nil {
				return err
			}
			known.EmptyAt, known.Refused = known.EmptyAt.Add(-leakEvery), false
			if b.account {
				known.EmptyAt = now
			}
			if err := tx.SaveLimit(known); err != nil {
				return err
			}
		}
		return nil
	})
}
