package app

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/labeling"
)

// A list that Excel saved as Windows-1252 made a person called "Anna M\uFFFDller",
// and votes print that name.
func TestBytesThatAreNotUTF8AreRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file("credential.json", `{"server":"`+server.URL+`","token":"adj_local_x"}`)
	people := file("people.csv", "name,username\nBo,bo\nAnna M\xfcller,anna\n")
	policy := file("policy.json", "{\n\"title\": \"F\xfcr Modelle\"}")
	schema := file("schema.json", "{\"question\": \"\xe9?\", \"classes\": []}")
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"person", "invite", "--csv", people}, "people.csv is not UTF-8 text: line 3 holds the byte 0xFC. Save it as UTF-8"},
		{[]string{"person", "invite", "--csv", people, "--preview"}, "people.csv is not UTF-8 text: line 3"},
		{[]string{"policy", "check", policy}, "policy.json is not UTF-8 text: line 2 holds the byte 0xFC"},
		{[]string{"policy", "save", policy, "--project", "p", "--reason", "why"}, "policy.json is not UTF-8 text: line 2"},
		{[]string{"project", "create", "P", "--schema", schema}, "schema.json is not UTF-8 text: line 1 holds the byte 0xE9"},
		{[]string{"person", "create", "anna", "--name", "Anna M\xfcller"}, "name is not UTF-8 text"},
		{[]string{"project", "create", "P\xe4", "--class", "a"}, "name is not UTF-8 text"},
		{[]string{"project", "create", "P", "--class", "\xe4"}, "name is not UTF-8 text"},
	} {
		var out, errs bytes.Buffer
		code := Main(append(tc.args, "--data", dir), strings.NewReader(""), &out, &errs)
		if code != 2 || !strings.Contains(errs.String(), tc.says) {
			t.Errorf("%q: code %d, %s; want 2 and %q", tc.args, code, errs.String(), tc.says)
		}
	}
	close(asked)
	for path := range asked {
		t.Errorf("%s was asked", path)
	}
}

func TestWhatIsUTF8IsSentAsItIs(t *testing.T) {
	t.Parallel()
	for _, request := range []any{
		nil, struct{}{}, map[string]any{"name": "Jörg \U0001F600", "roles": []string{"lead"}, "schema": labeling.Schema{Question: "¿?"}},
		map[string]any{"bytes": []byte{0xff}, "none": (*string)(nil)},
	} {
		if err := readable(request); err != nil {
			t.Errorf("%v: %v", request, err)
		}
	}
}
