package erasure

import (
	"testing"

	"github.com/adjudge/adjudge/backend/ledger"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	ana := Somebody{ID: "p1", Name: "Ana Ruiz", Username: "ana"}
	about := func(kind string, id string) ledger.Subject { return ledger.Subject{Kind: kind, ID: id} }
	for _, c := range []struct {
		name    string
		kind    string
		actor   ledger.PersonID
		subject ledger.Subject
		payload string
		want    Verdict
	}{
		{"a colleague's answer", "annotation.submitted", "p2", about("item", "i"), `{"class":"c","reason":"hard"}`, Untouched},
		{"an answer without words", "annotation.submitted", "p1", about("item", "i"), `{"class":"c"}`, Untouched},
		{"an answer with words", "annotation.submitted", "p1", about("item", "i"), `{"class":"c","reason":"hard"}`, Erase},
		{"words deep inside", "project.changed", "p1", about("project", "p"), `{"is":{"note":"mine"}}`, Erase},
		{"their sign-in", "login.created", "p1", about("login", "l"), `{"address":"192.0.2.1"}`, Erase},
		{"their account, made by an admin", "person.created", "p2", about("person", "p1"), `{"name":"Ana Ruiz"}`, Erase},
		{"their role holds no name", "role.granted", "p2", about("person", "p1"), `{"role":"lead"}`, Untouched},
		{"a colleague who names them", "candidate.commented", "p2", about("candidate", "c"), `{"text":"Ask Ana Ruiz."}`, Erase},
		{"in whatever case", "candidate.commented", "p2", about("candidate", "c"), `{"text":"ask ANA"}`, Erase},
		{"but not within another word", "candidate.commented", "p2", about("candidate", "c"), `{"text":"banana"}`, Untouched},
		{"within a word first, then named", "candidate.commented", "p2", about("candidate", "c"), `{"text":"banana, ana"}`, Erase},
		{"a name behind an escape", "candidate.commented", "p2", about("candidate", "c"), `{"text":"a\nana"}`, Erase},
		{"their vote is signed", "vote.cast", "p1", about("candidate", "c"), `{"printed_name":"Ana Ruiz"}`, Signed},
		{"a vote of a colleague", "vote.cast", "p2", about("candidate", "c"), `{"printed_name":"Ben"}`, Untouched},
		{"what says that they were erased", "person.erased", "p2", about("person", "p1"), `{"reason":"Ana Ruiz asked"}`, Untouched},
		{"what cannot be read goes", "import.started", "p1", about("import", "i"), `{broken`, Erase},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := ledger.Record{Event: ledger.Event{Kind: c.kind, Actor: c.actor, Subject: c.subject}, Salt: []byte("s"), Payload: []byte(c.payload)}
			if got := Judge(r, ana); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := Judge(ledger.Record{Event: ledger.Event{Kind: "person.created", Actor: "p1"}}, ana); got != Untouched {
		t.Errorf("what is erased already: got %q", got)
	}
}
