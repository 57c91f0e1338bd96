package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnAnswerOfLongTextsIsBoundedInBytesAndGoesOn(t *testing.T) {
	t.Parallel()
	const items, size, bound = 40, 500_000, 10 << 20
	data := t.TempDir()
	address, token, stop := startServer(t, data)
	defer stop()
	file := filepath.Join(t.TempDir(), "long.jsonl")
	var rows strings.Builder
	for n := range items {
		fmt.Fprintf(&rows, "{\"key\":\"k%02d\",\"text\":\"%02d %s\"}\n", n, n, strings.Repeat("word ", size/5))
	}
	if err := os.WriteFile(file, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	adjudge := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary(t), args...)
		cmd.Env = append(os.Environ(), "ADJUDGE_SERVER="+address, "ADJUDGE_TOKEN="+token)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	adjudge("import", file, "--project", "long", "--dataset", "texts")
	seen := map[string]bool{}
	for after, pages := "", 0; ; pages++ {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/api/v1/projects/long/items?limit=500&after="+after, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		var page struct {
			Items []struct{ Key, Text string }
			Next  string
			Total int
		}
		if err == nil {
			err = json.Unmarshal(raw, &page)
		}
		if err != nil || len(page.Items) == 0 || page.Total != items {
			t.Fatalf("%s: %d items of %d: %v", response.Status, len(page.Items), page.Total, err)
		}
		if len(raw) > bound {
			t.Errorf("an answer has %d bytes", len(raw))
		}
		for _, i := range page.Items {
			if len(i.Text) < size || seen[i.Key] {
				t.Errorf("%s has %d bytes, seen before: %v", i.Key, len(i.Text), seen[i.Key])
			}
			seen[i.Key] = true
		}
		if after = page.Next; after == "" {
			if len(seen) != items || pages == 0 {
				t.Errorf("%d items on %d pages", len(seen), pages+1)
			}
			return
		}
	}
}
