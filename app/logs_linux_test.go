package app

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What people write stands in the database and nowhere else: a marker that goes
// through every room of a server, with success and without, is in no line of a
// log at its most talkative.
func TestLogsHoldNothingThatPeopleWrote(t *testing.T) {
	t.Parallel()
	const marker = "Zwiebelkuchen"
	l := startLimited(t, jobDir(t), "--log-level", "debug", "--log-format", "json")
	writeEverywhere(t, l, marker)

	if err := l.end(); err != nil { // what works behind ends, too
		t.Errorf("the server ended with %v", err)
	}
	requests := 0
	for _, line := range bytes.Split(bytes.TrimSpace(l.log.Bytes()), []byte("\n")) {
		var entry map[string]any
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Errorf("a line is no JSON: %s", line)
		}
		if entry["msg"] == "request" {
			requests++
		}
		if bytes.Contains(bytes.ToLower(line), []byte(strings.ToLower(marker))) {
			t.Errorf("the log holds what people wrote: %s", line)
		}
	}
	if requests < 25 {
		t.Errorf("only %d requests were logged", requests)
	}
}

// writeEverywhere goes through every room of a demo's server as somebody who
// writes nothing but one marker, with success and without.
func writeEverywhere(t *testing.T, l *limited, marker string) {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	statuses := map[int]int{}
	send := func(method, path, media, body, token string) string {
		t.Helper()
		r := l.request(method, path, strings.NewReader(body))
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		} else {
			r.Header.Set("Cookie", l.cookie+"; "+marker+"="+marker)
		}
		r.Header.Set("User-Agent", marker)
		r.Header.Set("Referer", l.address+"/"+marker)
		if media != "" {
			r.Header.Set("Content-Type", media)
		}
		answer, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		text, _ := io.ReadAll(answer.Body)
		statuses[answer.StatusCode/100]++
		return string(text)
	}
	form := func(path string, fields ...string) string {
		values := url.Values{}
		for i := 0; i < len(fields); i += 2 {
			values.Set(fields[i], fields[i+1])
		}
		return send("POST", path, "application/x-www-form-urlencoded", values.Encode(), "")
	}
	api := func(method, path, body string) string {
		return send(method, "/api/v1"+path, "application/json", body, l.token)
	}
	in := "/projects/" + demoProject

	// People, passwords and tokens, wrong ones too.
	api("POST", "/people", `{"username":"zwiebel`+marker+`","name":"`+marker+`","roles":[]}`)
	form("/sign-in", "username", marker, "password", marker)
	form("/account/password", "old", marker, "new", marker+"-long-enough")
	form("/account", "name", marker, "time_zone", marker)
	send("GET", "/launch?token="+marker, "", "", "")
	send("GET", "/api/v1/projects", "", "", "adj_"+marker)
	api("POST", "/tokens", `{"name":"`+marker+`"}`)
	// Projects, items, searches, labels, comments.
	api("POST", "/projects", `{"name":"`+marker+`"}`)
	api("POST", "/projects", `{"name":"`+marker+`", broken `+marker)
	send("GET", in+"/items?q="+marker, "", "", "")
	send("GET", "/"+marker+"/nothing?x="+marker, "", "", "")
	api("GET", in+"/items?q="+marker, "")
	var items struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(api("GET", in+"/items?limit=2", "")), &items); err != nil || len(items.Items) == 0 {
		t.Fatalf("the demo shows no items (%v)", err)
	}
	api("PUT", in+"/annotations/"+marker, `{"item":"`+items.Items[0].ID+`","kind":"answer","class":"`+marker+`","seen_ms":1}`)
	api("PUT", in+"/annotations/01a1fe41-c9fc-770a-b110-fb31aa3609cf", `{"item":"`+items.Items[0].ID+`","kind":"skip","reason":"`+marker+`","seen_ms":1}`)
	api("POST", in+"/items/"+items.Items[0].ID+"/comments", `{"text":"`+marker+`"}`)
	form(in+"/label/comments", "item", items.Items[0].ID, "text", marker)
	// Uploads: good, with wrong lines, and broken ones whose reader fails.
	for name, body := range map[string]string{
		marker + ".csv":     "text,label\n" + marker + "," + marker + "\n\"" + marker,
		marker + ".parquet": "PAR1" + marker + strings.Repeat("\x00", 100) + "PAR1",
		marker + ".jsonl":   `{"text":"` + marker + `"}` + "\n{" + marker,
	} {
		var up struct{ ID string }
		text := send("POST", "/api/v1"+in+"/uploads?name="+url.QueryEscape(name), "application/octet-stream", body, l.token)
		if err := json.Unmarshal([]byte(text), &up); err != nil || up.ID == "" {
			t.Fatalf("%s: %s (%v)", name, text, err)
		}
		api("GET", in+"/imports/"+up.ID+"/preview", "")
		api("POST", in+"/imports/"+up.ID+"/start", `{"dataset":"`+marker+`","purpose":"training"}`)
	}
	// Review and models.
	api("POST", in+"/candidates", `{"model":"`+marker+`"}`)
	form(in+"/candidates/1/votes", "value", "1", "comment", marker, "password", marker)
	form(in+"/candidates/1/comments", "text", marker)
	api("POST", in+"/runs", `{"recipe":"`+marker+`","params":{"`+marker+`":"`+marker+`"}}`)
	send("POST", "/api/v1"+in+"/predictions?model="+marker+"&snapshot="+marker, "application/octet-stream", marker, l.token)
	send("GET", in+"/history?person="+marker, "", "", "")
	if statuses[2] < 8 || statuses[4] < 5 || statuses[5] > 0 {
		t.Errorf("the rooms were hardly driven: answers by hundreds %v", statuses)
	}
}
