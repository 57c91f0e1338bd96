package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"
)

// before returns the migrations that a database knew before some of the room of
// labeling came.
func before(b *testing.B, number int64) fs.FS {
	b.Helper()
	all := fstest.MapFS{}
	err := fs.WalkDir(migrations, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		of, err := goose.NumericComponent(entry.Name())
		if err != nil || of >= number && of < 20 || of == 13 || of == 21 || of == 22 {
			return err
		}
		raw, err := fs.ReadFile(migrations, path)
		all[path] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return all
}

// BenchmarkUpgradeAMillionItems measures the start under this version on a data
// directory whose million labeled items an early one wrote: seconds, and the
// most memory that was held meanwhile.
func BenchmarkUpgradeAMillionItems(b *testing.B) {
	const items, classes = 1_000_000, 77
	for b.Loop() {
		b.StopTimer()
		path := filepath.Join(b.TempDir(), "adjudge.db")
		s, err := Open(b.Context(), path, Options{migrations: before(b, 17)})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		db, err := sql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(1)&_pragma=cache_size(-65536)")
		if err != nil {
			b.Fatal(err)
		}
		for _, query := range []string{
			`INSERT INTO project (id, slug, name, schema, schema_version, overlap, created_at) VALUES ('p', 'p', 'p', '{}', 1, 1, 1)`,
			`INSERT INTO dataset (id, project, name, purpose, created_at) VALUES ('d', 'p', 'd', 'training', 1)`,
			fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
				INSERT INTO item (id, project, dataset, key, content, text, meta, status, label, answers, model, model_label, model_score, uncertainty, created_at)
				SELECT printf('01a1f000-0000-7000-8000-%%012d', i), 'p', 'd', printf('%%08x', (i * 2654435761) %% 4294967296), printf('sha256:%%064x', i),
				'a question of a customer about the card that has not come, number ' || i, '{}', 'accepted', 'class-' || (i %% %d), 1, 'm', 'class-1', 0.5, 0.5, 1 FROM n`, items, classes),
			`INSERT INTO annotation (id, project, dataset, item, person, kind, class, reason, suggestion, score, untouched, extra, seen_ms, state, at)
				SELECT 'a' || id, project, dataset, id, 'ann', 'import', label, '', '', 0, 0, 0, 0, 'active', seq FROM item`,
			`INSERT INTO answer_count (project, person, dataset, class, active, total) SELECT project, person, dataset, class, COUNT(*), COUNT(*) FROM annotation GROUP BY 1, 2, 3, 4`,
		} {
			if _, err := db.ExecContext(b.Context(), query); err != nil {
				b.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600) // forget the peak so far
		began, last := time.Now(), ""
		step := began
		b.StartTimer()
		s, err = Open(b.Context(), path, Options{Backups: b.TempDir(), Upgrading: func(u Upgrade) {
			if last != "" {
				b.Logf("%s: %.1f s, at most %d MB so far", last, time.Since(step).Seconds(), peak())
			}
			last, step = u.Name, time.Now()
		}})
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(peak()), "MB-peak")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// peak is the most memory that this process held, in MB; 0 where the system does
// not say.
func peak() int {
	raw, _ := os.ReadFile("/proc/self/status")
	_, after, _ := bytes.Cut(raw, []byte("VmHWM:"))
	line, _, _ := strings.Cut(string(after), "kB")
	kb, _ := strconv.Atoi(strings.TrimSpace(line))
	return kb >> 10
}
