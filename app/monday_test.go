//go:build e2e && monday

package app

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/adjudge/adjudge/backend/signer"
	"github.com/adjudge/adjudge/backend/store/storetest"
	"github.com/adjudge/adjudge/backend/web"
	"github.com/adjudge/adjudge/labeling"
)

// mondayVariable says for how long everybody labels; a build server that has
// the time, as at night, says 3m.
const mondayVariable = "ADJUDGE_TEST_MONDAY"

const everybody = 30

// Monday morning: thirty people whom one list invited, half of them with accounts
// at a provider, label at once on two servers, while a server is killed and comes back, a backup is made, and the
// database crashes. Nothing is lost and nothing doubled; then one of them is
// erased and one deactivated, and the history, a checkpoint from Sunday and the
// backup, restored elsewhere, all verify.
func TestMonday(t *testing.T) {
	length := 25 * time.Second
	if text := os.Getenv(mondayVariable); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	cluster := storetest.StartCluster(t)
	var guests []guest
	for n := everybody / 2; n < everybody; n++ {
		guests = append(guests, guest{Subject: fmt.Sprint("u-", n), Username: username(n), Name: fmt.Sprintf("Person %02d", n), Groups: []string{}})
	}
	hospital := startProvider(t, guests...)
	p := startPair(t, cluster.Address, nil, hospital.env(), hospital.flags()...)
	ada := p.firstAdmin("ada", "Ada")
	day := p.prepare(length)
	people := p.inviteEverybody(ada, hospital)
	p.approve(people)

	sunday := filepath.Join(t.TempDir(), "sunday.jsonl")
	p.servers[0].run("doctor", "--write-checkpoint", sunday)

	// Everybody labels, and meanwhile …
	begun := time.Now()
	day.until = begun.Add(length)
	at := func(part float64) { time.Sleep(time.Until(begun.Add(time.Duration(float64(length) * part)))) }
	var hands sync.WaitGroup
	for _, person := range people {
		hands.Go(func() { day.hand(person).label(t.Context()) })
	}
	at(0.1)
	for day.acknowledged() < everybody { // however slow the machine: somebody has answered
		time.Sleep(20 * time.Millisecond)
	}
	copied, before := filepath.Join(t.TempDir(), "copy.tar"), time.Now()
	var backup sync.WaitGroup
	backup.Go(func() { p.servers[1].run("backup", copied) })
	at(0.4)
	killed := time.Now()
	p.servers[0].end(syscall.SIGKILL)
	at(0.6)
	p.servers[0].restart()
	back := time.Now()
	backup.Wait()
	at(0.75)
	crashed := time.Now()
	cluster.Crash()
	restored := time.Now()
	hands.Wait()

	day.report(length, []part{
		{"nothing (the longest yet)", begun, killed},
		{"a killed server", killed, back.Add(2 * time.Second)},
		{"a crash of the database", crashed, crashed.Add(20 * time.Second)},
	}, []part{
		{"on two servers, before the backup", begun, before},
		{"during the backup, until the kill", before, killed},
		{"while one server was dead", killed, back},
		{"until the database crashed", back, crashed},
		{"while it was away", crashed, restored},
		{"after it", restored, time.Now()},
		{"in all", begun, time.Now()},
	})
	p.nothingLostOrDoubled(day)

	erased, deactivated := people[3], people[everybody-3]
	p.deactivate(ada, deactivated)
	p.erase(ada, erased)
	p.audit(ada, people, erased, deactivated)

	doctor := p.servers[1].run("doctor", "--checkpoint", sunday)
	for _, want := range []string{"each follows the one before", "1 of 1 in " + sunday, "erased: person " + erased.me.ID} {
		if !strings.Contains(doctor, want) {
			t.Errorf("doctor does not say %q:\n%s", want, doctor)
		}
	}
	p.restoreElsewhere(cluster, copied, sunday, day, before)
}

// prepare fills the project: questions with answers to train on, and more
// without than everybody can answer.
func (p *pair) prepare(length time.Duration) *morning {
	p.t.Helper()
	dir := p.t.TempDir()
	write := func(name, head string, rows func(add func(format string, args ...any))) string {
		var text strings.Builder
		text.WriteString(head + "\n")
		rows(func(format string, args ...any) { _, _ = fmt.Fprintf(&text, format+"\n", args...) })
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			p.t.Fatal(err)
		}
		return path
	}
	labeled := write("train.csv", "text,label", func(add func(string, ...any)) {
		for _, q := range demoQuestions("a", 200, 1, 0.3) {
			add("%q,%s", q.Text, q.Class)
		}
	})
	open := write("monday.csv", "text,id", func(add func(string, ...any)) {
		for n := range everybody * int(length/(80*time.Millisecond)) {
			add("Question %d that came in over the weekend,%d", n, n)
		}
	})
	s := p.servers[0]
	s.run("import", "--project", "Support", "--dataset", "train", labeled)
	s.run("import", "--project", "support", "--dataset", "monday", "--text", "text", "--key", "id", open)
	s.run("snapshot", "create", "--project", "support", "--dataset", "train", "--name", "friday")
	s.run("train", "--project", "support", "--recipe", "text-linear", "--snapshot", "friday", "--param", "epochs=1", "--wait")
	s.run("candidate", "create", "--project", "support", "--model", "text-linear", "--note", "the first of its kind")
	var project struct{ Schema labeling.Schema }
	if err := json.Unmarshal([]byte(s.run("project", "show", "support", "--json")), &project); err != nil || len(project.Schema.Classes) < 2 {
		p.t.Fatalf("the project has %d classes: %v", len(project.Schema.Classes), err)
	}
	day := &morning{t: p.t, project: "support", answers: map[string]given{}, offers: map[labeling.ItemID]offered{}}
	for _, c := range project.Schema.Classes {
		day.classes = append(day.classes, c.ID)
	}
	return day
}

func username(n int) string { return fmt.Sprintf("person%02d", n) }

// inviteEverybody invites thirty people by one list, and lets one half of them
// take their invitation with a password and the other half with their account
// at the provider.
func (p *pair) inviteEverybody(admin *seat, hospital *provider) []*seat {
	p.t.Helper()
	list := "name,username,project,roles\n"
	for n := range everybody {
		roles := "annotator"
		if n < 2 {
			roles = []string{"annotator;reviewer", "annotator;approver"}[n]
		}
		list += fmt.Sprintf("Person %02d,%s,support,%s\n", n, username(n), roles)
	}
	var invited web.InvitedBody
	admin.api(http.MethodPost, "/people/invitations", map[string]any{"csv": list}, &invited)
	if invited.Changed != everybody {
		p.t.Fatalf("the list invited %d people", invited.Changed)
	}
	people := make([]*seat, everybody)
	var group sync.WaitGroup
	for n, row := range invited.Items {
		people[n] = p.seat(fmt.Sprintf("10.1.0.%d", n+1))
		group.Go(func() {
			if n < everybody/2 {
				people[n].arrive(row.Link, row.Username, row.Name)
			} else {
				people[n].arriveBy(hospital, row.Link, row.Username)
			}
		})
	}
	group.Wait()
	for n, person := range people {
		if person.me.Username != username(n) {
			p.t.Fatalf("person %d is signed in as %q", n, person.me.Username)
		}
	}
	return people
}

// approve lets a reviewer and an approver say that the candidate may ship.
func (p *pair) approve(people []*seat) {
	p.t.Helper()
	for n, role := range []string{"reviewer", "approver"} {
		status, page := people[n].post("/projects/support/candidates/1/vote", url.Values{
			"label": {"release"}, "role": {role}, "value": {"2"}, "comment": {"I looked at fifty."}, "password": {password}, "time_zone": {"Europe/Madrid"},
		})
		if status != http.StatusSeeOther {
			_, page, _ = strings.Cut(page, "<main")
			p.t.Fatalf("the vote of a %s is answered with %d:\n%.2000s", role, status, page)
		}
	}
	p.servers[0].run("gate", "1", "--project", "support", "--wait", "2m")
}

// nothingLostOrDoubled holds what is stored against what was acknowledged.
func (p *pair) nothingLostOrDoubled(day *morning) {
	t := p.t
	t.Helper()
	if len(day.answers) == 0 || day.waiting != 0 {
		t.Fatalf("%d answers are acknowledged, %d still wait", len(day.answers), day.waiting)
	}
	for what, list := range map[string][]string{"refused": day.refused, "offered to two people at once": day.doubly, "odd": day.restless} {
		if len(list) > 0 {
			t.Errorf("%d were %s, as %v", len(list), what, list[:min(5, len(list))])
		}
	}
	if day.signIns > 0 {
		t.Errorf("%d answers came back as if nobody were signed in", day.signIns)
	}
	db, err := sql.Open("pgx", p.database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), `SELECT a.id, a.item, a.class, a.person, a.state, a.extra FROM annotation a JOIN dataset d ON d.id = a.dataset WHERE d.name = 'monday'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	stored, accepted := map[string]given{}, map[labeling.ItemID]int{}
	for rows.Next() {
		var id, state string
		var g given
		var extra bool
		if err := rows.Scan(&id, &g.item, &g.class, &g.person, &state, &extra); err != nil {
			t.Fatal(err)
		}
		stored[id] = g
		if state == "active" && !extra {
			accepted[g.item]++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	lost := 0
	for id, sent := range day.answers {
		if got, there := stored[id]; !there || got.item != sent.item || got.class != sent.class || got.person != sent.person {
			lost++
		}
	}
	doubled := 0
	for _, n := range accepted {
		if n > 1 {
			doubled++
		}
	}
	events := p.count(`SELECT COUNT(*) FROM event WHERE kind = 'annotation.submitted'`)
	subjects := p.count(`SELECT COUNT(DISTINCT subject) FROM event WHERE kind = 'annotation.submitted'`)
	t.Logf("%d answers acknowledged, %d stored, %d events about them", len(day.answers), len(stored), events)
	if lost > 0 || doubled > 0 || len(stored) != len(day.answers) || events != len(stored) || subjects > events {
		t.Errorf("%d of %d acknowledged answers are lost, %d items count two; %d are stored with %d events about %d", lost, len(day.answers), doubled, len(stored), events, subjects)
	}
}

// deactivate takes a person out, who looks at a page of each server.
func (p *pair) deactivate(admin, person *seat) {
	t := p.t
	t.Helper()
	sockets := []*socket{p.listen(person, 0, "support", "label"), p.listen(person, 1, "support", "items")}
	begun := time.Now()
	admin.api(http.MethodPatch, "/people/"+person.me.Username, map[string]any{"disabled": true}, nil)
	for n, s := range sockets {
		t.Logf("server %d closed the socket %v after its person was deactivated", n+1, s.ends(time.Minute).Sub(begun).Round(time.Millisecond))
		if !websocket.IsCloseError(s.err, websocket.ClosePolicyViolation) {
			t.Errorf("the socket ended with %v", s.err)
		}
	}
	for n := range p.servers {
		if status, err := p.via(person, n).try(t.Context(), http.MethodGet, "/me", nil, nil); status != http.StatusUnauthorized {
			t.Errorf("server %d answers %d (%v) to who was deactivated", n+1, status, err)
		}
	}
}

// erase makes a person unreadable.
func (p *pair) erase(admin, person *seat) {
	t := p.t
	t.Helper()
	var plan web.ErasureBody
	admin.api(http.MethodPost, "/people/"+person.me.Username+"/erasure", map[string]any{"confirm": person.me.Username, "reason": "She asked for it."}, &plan)
	if !plan.Erased {
		t.Errorf("the erasure is answered with %+v", plan)
	}
	for n := range p.servers {
		if status, err := p.via(person, n).try(t.Context(), http.MethodGet, "/me", nil, nil); status != http.StatusUnauthorized {
			t.Errorf("server %d answers %d (%v) to who was erased", n+1, status, err)
		}
	}
}

// audit looks whether the audit page names what happened.
func (p *pair) audit(admin *seat, people []*seat, erased, deactivated *seat) {
	t := p.t
	t.Helper()
	row := func(filter url.Values, words ...string) {
		t.Helper()
		status, page := admin.get("/history?" + filter.Encode())
		_, page, _ = strings.Cut(page, "<main")
		missing := slices.DeleteFunc(slices.Clone(words), func(word string) bool { return strings.Contains(page, word) })
		if status != http.StatusOK || len(missing) > 0 || !strings.Contains(page, "<tr") {
			t.Errorf("the audit page of %v (%d) does not name %q", filter, status, missing)
		}
	}
	row(url.Values{"kind": {"person.created"}, "record": {"person:" + people[7].me.ID}}, "Ada", people[7].me.Name)
	row(url.Values{"kind": {"annotation.submitted"}, "actor": {people[7].me.ID}}, people[7].me.Name)
	row(url.Values{"kind": {"login.created"}, "actor": {people[everybody-1].me.ID}}, people[everybody-1].me.Name)
	row(url.Values{"kind": {"vote.cast"}}, people[0].me.Name, people[1].me.Name)
	row(url.Values{"record": {"person:" + deactivated.me.ID}}, "Ada", deactivated.me.Name)
	row(url.Values{"record": {"person:" + erased.me.ID}, "kind": {"person.erased"}}, "Ada")
	// What names a person in payloads goes behind the erasure, a while at a time.
	named := func(where string) (around string) {
		_, text := admin.get(where)
		for _, name := range []string{erased.me.Name, `"` + erased.me.Username + `"`} {
			if at := strings.Index(text, name); at >= 0 {
				around = text[max(0, at-600):min(len(text), at+100)]
			}
		}
		return around
	}
	for _, where := range []string{"/history?record=person:" + erased.me.ID, "/history/export?format=json"} {
		end := time.Now().Add(patience)
		for named(where) != "" && time.Now().Before(end) {
			time.Sleep(100 * time.Millisecond)
		}
		if around := named(where); around != "" {
			t.Errorf("%s still names who was erased: …%s…", where, around)
		}
	}
	if status, text := admin.get("/history/export?format=json"); status != http.StatusOK || !strings.Contains(text, "person.erased") {
		t.Errorf("the export of the history (%d) holds no erasure", status)
	}
}

// restoreElsewhere brings the backup back on another database and in another
// place for files, where it verifies and the gate is as open as it was.
func (p *pair) restoreElsewhere(cluster *storetest.Cluster, copied, sunday string, day *morning, before time.Time) {
	t := p.t
	t.Helper()
	db, err := sql.Open("pgx", p.database)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "CREATE DATABASE elsewhere")
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(cluster.Address)
	if err != nil {
		t.Fatal(err)
	}
	at.Path = "/elsewhere"
	other := &pair{t: t, database: at.String(), blobs: strings.Replace(p.blobs, "/files?", "/elsewhere?", 1), keyFile: p.keyFile}
	s := &site{t: t, data: filepath.Join(t.TempDir(), "data"), verb: "serve", env: other.environment(),
		flags: []string{"--database", other.database, "--blobs", other.blobs, "--key-file", other.keyFile}}
	if said := s.run("restore", copied); !strings.Contains(said, "each follows the one before") {
		t.Errorf("restore says:\n%s", said)
	}
	public := filepath.Join(p.servers[0].data, "keys", signer.PublicFile)
	if said := s.run("doctor", "--checkpoint", sunday, "--key", public); !strings.Contains(said, "1 of 1 in "+sunday) {
		t.Errorf("doctor says of the copy:\n%s", said)
	}
	early, missing := 0, 0
	for id, g := range day.answers {
		if g.at.Before(before) {
			if early++; other.count(`SELECT COUNT(*) FROM annotation WHERE id = $1`, id) != 1 {
				missing++
			}
		}
	}
	if early == 0 || missing > 0 {
		t.Errorf("of %d answers that were acknowledged before the backup began %d are not in it", early, missing)
	}
	s.start("127.0.0.1:0")
	defer s.end(syscall.SIGTERM)
	s.run("gate", "1", "--project", "support", "--wait", "2m")
	t.Logf("the copy holds all %d answers from before it was begun, and its gate is open", early)
}
