//go:build e2e

package app

import (
	"database/sql"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// A backup under load holds every answer that was acknowledged before it began,
// and nothing is refused or lost while it is made.
func TestABackupUnderLoadHoldsWhatWasAcknowledgedBefore(t *testing.T) {
	t.Parallel()
	const answers, people, early = 3000, 10, 800
	s := startSiteWith(t, seedItems(answers, nil))
	token := s.token()
	var next, taken atomic.Int64
	var acknowledged sync.Map
	enough, copied := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	for range people {
		group.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := int(next.Add(1)); n <= answers; n = int(next.Add(1)) {
				if code := answerItem(client, s.url, token, n); code != http.StatusOK {
					t.Errorf("answer %d got %d", n, code)
				}
				acknowledged.Store(n, true)
				if taken.Add(1) == early {
					close(enough)
				}
			}
		})
	}
	<-enough
	var before []int
	acknowledged.Range(func(n, _ any) bool { before = append(before, n.(int)); return true })
	to := filepath.Join(t.TempDir(), "copy")
	go func() {
		defer close(copied)
		if out, err := exec.Command(binary(t), "backup", to, "--data", s.data).CombinedOutput(); err != nil {
			t.Errorf("backup: %v\n%s", err, out)
		}
	}()
	<-copied
	during := taken.Load()
	group.Wait()
	s.end(syscall.SIGTERM)
	restored := filepath.Join(t.TempDir(), "restored")
	if out, err := exec.Command(binary(t), "restore", to, "--data", restored).CombinedOutput(); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	db, err := sql.Open("sqlite", filepath.Join(restored, "adjudge.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	missing := 0
	for _, n := range before {
		var found int
		if err := db.QueryRow(`SELECT COUNT(*) FROM annotation WHERE id = $1`, annotationID(n)).Scan(&found); err != nil || found != 1 {
			missing++
		}
	}
	var stored, events int
	if err := db.QueryRow(`SELECT COUNT(*), (SELECT COUNT(*) FROM event WHERE kind = 'annotation.submitted') FROM annotation`).Scan(&stored, &events); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d answers were acknowledged before the backup, %d when it was made, %d are in it", len(before), during, stored)
	if missing > 0 || stored < len(before) || stored != events {
		t.Errorf("%d of %d answers are missing; %d rows, %d events", missing, len(before), stored, events)
	}
}
