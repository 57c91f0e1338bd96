package identity

import (
	"sync"
	"time"
)

// limiter counts wrong passwords per account and address, and per address. It
// forgets as time passes, and a restart forgets all: it makes guessing slow, it
// is no lock.
type limiter struct {
	mu      sync.Mutex
	buckets map[string]bucket
	now     func() time.Time
}

// bucket leaks one failure every interval.
type bucket struct {
	failures float64
	at       time.Time
}

const (
	accountFailures = 5  // wrong passwords for one account from one address before the pause
	addressFailures = 50 // wrong passwords from one address, whatever the account
	leakEvery       = time.Minute
	maxBuckets      = 10_000
)

func newLimiter(now func() time.Time) *limiter {
	return &limiter{buckets: map[string]bucket{}, now: now}
}

func limits(username, address string) map[string]float64 {
	return map[string]float64{"a\x00" + username + "\x00" + address: accountFailures, "i\x00" + address: addressFailures}
}

// level returns how full a bucket is now.
func (b bucket) level(now time.Time) float64 {
	return max(0, b.failures-now.Sub(b.at).Seconds()/leakEvery.Seconds())
}

// take counts a try as failed before it is made, so that tries at the same time
// cannot slip through together. It returns how long to wait instead where there
// were too many already.
func (l *limiter) take(username, address string) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, keys := l.now(), limits(username, address)
	for key, limit := range keys {
		if over := l.buckets[key].level(now) - (limit - 1); over > 0 {
			wait = max(wait, time.Duration(over*float64(leakEvery)))
		}
	}
	if wait > 0 {
		return wait
	}
	if len(l.buckets) > maxBuckets {
		for key, b := range l.buckets {
			if b.level(now) == 0 {
				delete(l.buckets, key)
			}
		}
	}
	for key := range keys {
		l.buckets[key] = bucket{failures: l.buckets[key].level(now) + 1, at: now}
	}
	return 0
}

// succeeded forgets the failures of an account from an address, and the one
// that take counted for the address.
func (l *limiter) succeeded(username, address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for key, limit := range limits(username, address) {
		if limit == accountFailures {
			delete(l.buckets, key)
			continue
		}
		l.buckets[key] = bucket{failures: max(0, l.buckets[key].level(now)-1), at: now}
	}
}
