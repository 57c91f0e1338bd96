package app

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptSign signs a person in as a browser does and sends a signed form:
//
//	voteAs USER CANDIDATE ROLE VALUE COMMENT     cast a vote
//	unvoteAs USER CANDIDATE                      take one's own vote back
//	confirmAs USER CANDIDATE                     confirm one's own vote once the comparison is there
//	withdrawAs USER CANDIDATE REASON             take an approval back
//
// The password is "correct horse battery staple", the project "bank". With ! the
// form must be refused. What the page answered stands in answer.html.
func scriptSign(form string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		const secret = "correct horse battery staple"
		fields := url.Values{"label": {"release"}, "password": {secret}, "time_zone": {"Europe/Madrid"}}
		switch {
		case form == "vote" && len(args) == 5:
			fields.Set("role", args[2])
			fields.Set("value", args[3])
			fields.Set("comment", args[4])
		case (form == "unvote" || form == "confirm") && len(args) == 2:
		case form == "withdraw" && len(args) == 3:
			fields.Set("reason", args[2])
		default:
			ts.Fatalf("usage: %sAs USER CANDIDATE …", form)
		}
		var credential struct{ Server string }
		raw, err := os.ReadFile(filepath.Join(ts.Getenv("ADJUDGE_DATA"), "credential.json"))
		ts.Check(err)
		ts.Check(json.Unmarshal(raw, &credential))
		jar, err := cookiejar.New(nil)
		ts.Check(err)
		browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		post := func(path string, fields url.Values) (int, string) {
			response, err := browser.PostForm(credential.Server+path, fields)
			ts.Check(err)
			defer func() { _ = response.Body.Close() }()
			body, err := io.ReadAll(response.Body)
			ts.Check(err)
			return response.StatusCode, string(body)
		}
		if code, _ := post("/sign-in", url.Values{"username": {args[0]}, "password": {secret}}); code != http.StatusSeeOther {
			ts.Fatalf("%s cannot sign in: %d", args[0], code)
		}
		code, body := post("/projects/bank/candidates/"+args[1]+"/"+form, fields)
		ts.Check(os.WriteFile(ts.MkAbs("answer.html"), []byte(body), 0o600))
		if taken := code == http.StatusSeeOther; taken == neg {
			_, body, _ = strings.Cut(body, "<main")
			ts.Fatalf("the form was answered with %d:\n%.3000s", code, body)
		}
	}
}

// scriptFirst follows the link that the server printed at its first start, as
// the person who started it does:
//
//	firstAs USER NAME
func scriptFirst(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: firstAs USER NAME")
	}
	// It is printed a moment after the server can be found.
	var link string
	found := false
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if _, link, found = strings.Cut(ts.ReadFile("server.log"), "/first-start?token="); found {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if !found {
		ts.Fatalf("the server printed no link for the first account")
	}
	secret, _, _ := strings.Cut(link, "\n")
	var credential struct{ Server string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(filepath.Join(ts.Getenv("ADJUDGE_DATA"), "credential.json"))), &credential))
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.PostForm(credential.Server+"/first-start", url.Values{
		"token": {secret}, "username": {args[0]}, "name": {args[1]}, "password": {"correct horse battery staple"},
	})
	ts.Check(err)
	ts.Check(response.Body.Close())
	if response.StatusCode != http.StatusSeeOther {
		ts.Fatalf("the first account was refused: %d", response.StatusCode)
	}
}
