package store

import (
	"context"
	"time"
)

// OnCommit calls f after every commit with how many updates it made durable and
// how long they took together. f must not block.
func (s *Store) OnCommit(f func(updates int, took time.Duration)) {
	s.heard.Lock()
	defer s.heard.Unlock()
	s.heard.commits = append(s.heard.commits, f)
}

func (s *Store) committed(updates int, took time.Duration) {
	s.heard.RLock()
	defer s.heard.RUnlock()
	for _, f := range s.heard.commits {
		f(updates, took)
	}
}

// Pulse is how much there is to do.
type Pulse struct {
	Waiting int64            // work that waits for its time or its turn
	Running int64            // work that some server holds
	Parked  int64            // work that was given up
	Lag     time.Duration    // since when the oldest work is due that nobody holds
	Jobs    map[string]int64 // training jobs by state
}

// Pulse looks at the queues.
func (s *Store) Pulse(ctx context.Context) (p Pulse, err error) {
	now := s.Now()
	err = s.View(ctx, func(tx *Tx) error {
		p = Pulse{Jobs: map[string]int64{}}
		var oldest int64
		err := tx.one([]any{&p.Waiting, &p.Running, &p.Parked, &oldest}, `SELECT
				COALESCE(SUM(CASE WHEN due > 0 AND lease <= $1 THEN 1 ELSE 0 END), 0),
				COALESCE(SUM(CASE WHEN due > 0 AND lease > $1 THEN 1 ELSE 0 END), 0),
				COALESCE(SUM(CASE WHEN due = 0 THEN 1 ELSE 0 END), 0),
				COALESCE(MIN(CASE WHEN due > 0 AND due <= $1 AND lease <= $1 THEN due END), 0)
			FROM work`, micros(now))
		if err != nil {
			return err
		}
		if oldest > 0 {
			p.Lag = now.Sub(fromMicros(oldest))
		}
		return tx.each(`SELECT state, COUNT(*) FROM training_job GROUP BY state`, nil, func(scan func(...any) error) error {
			var state string
			var n int64
			err := scan(&state, &n)
			p.Jobs[state] = n
			return err
		})
	})
	return p, err
}
