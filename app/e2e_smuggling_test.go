//go:build e2e

package app

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Behind a proxy that keeps its connections, one person's requests follow
// another's on the same one. What somebody hides in a body must never be taken
// for a request: its answer would go to whoever is next, or it would swallow
// what the next one sends.
func TestBehindNginxNobodyGetsTheAnswerToARequestHiddenInABody(t *testing.T) {
	t.Parallel()
	if _, err := os.ReadFile(connectionTable); err != nil {
		t.Skipf("this system does not show its connections: %v", err)
	}
	for _, buffers := range []string{"on", "off"} {
		t.Run("buffers "+buffers, func(t *testing.T) {
			t.Parallel()
			back := "127.0.0.1:" + freePort(t)
			origin, trust := startNginxBuffering(t, buffers, "/", back)
			s := startSiteAt(t, back, seedItems(2, nil), "--url", origin+"/", "--trusted-proxy", "127.0.0.1")
			t.Cleanup(func() { _ = s.cmd.Process.Signal(syscall.SIGCONT) }) // one that is halted does not end
			tokens := map[string]string{}
			for _, name := range []string{"mallory", "victim"} {
				var made struct{ Token string }
				s.api("POST", "/people", map[string]any{"username": name, "password": "correct horse battery", "project": "news", "roles": []string{"lead"}}, nil)
				s.api("POST", "/tokens", map[string]any{"person": name, "name": "test", "scope": "full"}, &made)
				if tokens[name] = made.Token; made.Token == "" {
					t.Fatal("no token")
				}
			}
			host := strings.TrimPrefix(origin, "https://")
			conf := &tls.Config{RootCAs: trust, ServerName: "localhost", MinVersion: tls.VersionTLS12}
			client := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: conf, DisableKeepAlives: true}}
			head := func(line, who string) string {
				return line + " HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Bearer " + tokens[who] + "\r\n"
			}
			// The hidden request is longer than the body in which it stands, so that it
			// waits for what the next person sends, and is answered to them.
			const padding, swallowed = 300 << 10, 100
			inside := head("POST /api/v1/projects/news/uploads?name=caught.txt", "mallory") + fmt.Sprintf("Content-Length: %d\r\n\r\n", padding+swallowed) + strings.Repeat("x", padding)
			for round := range 10 {
				// As long as the limit of a body, and then more than is read on.
				body := `{"name":"` + strings.Repeat("a", 1<<20-1-len(`{"name":"`)) + inside
				conn, err := tls.Dial("tcp", host, conf)
				if err != nil {
					t.Fatal(err)
				}
				_ = conn.SetDeadline(time.Now().Add(patience))
				// The proxy has passed on all of it before the server reads: then it keeps the connection.
				if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
				go func() {
					_, _ = io.WriteString(conn, head("POST /api/v1/projects", "mallory")+
						fmt.Sprintf("Content-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
				}()
				s.until("the body is passed on", func() bool { return underWay(t, back) > len(body) })
				if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
					t.Fatal(err)
				}
				from, answers := bufio.NewReader(conn), 0
				for {
					answer, err := http.ReadResponse(from, nil)
					if err != nil {
						break
					}
					answers++
					text, _ := io.ReadAll(answer.Body)
					if answer.StatusCode == http.StatusOK || answers > 1 {
						t.Errorf("round %d: answer %d is %s %.200s", round, answers, answer.Status, text)
					}
				}
				_ = conn.Close()
				for range 3 {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, origin+"/api/v1/me", nil)
					if err != nil {
						t.Fatal(err)
					}
					r.Header.Set("Authorization", "Bearer "+tokens["victim"])
					answer, err := client.Do(r)
					if err != nil {
						t.Fatal(err)
					}
					text, _ := io.ReadAll(answer.Body)
					_ = answer.Body.Close()
					var me struct{ Username string }
					if _ = json.Unmarshal(text, &me); answer.StatusCode != http.StatusOK || me.Username != "victim" {
						t.Errorf("round %d: the next person is answered %s %.300s", round, answer.Status, text)
					}
				}
			}
			var caught struct{ Items []any }
			s.api("GET", "/projects/news/imports", nil, &caught)
			if len(caught.Items) > 0 {
				t.Errorf("what somebody else sent was swallowed: %v", caught.Items)
			}
		})
	}
}

// connectionTable is where Linux shows its connections.
const connectionTable = "/proc/net/tcp"

// underWay counts the bytes that were sent to a server of this machine and not
// read yet.
func underWay(t *testing.T, server string) (bytes int) {
	t.Helper()
	table, err := os.ReadFile(connectionTable)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := net.SplitHostPort(server)
	port, _ := strconv.Atoi(text)
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		out, in, _ := strings.Cut(f[4], ":")
		if strings.HasSuffix(f[1], suffix) {
			n, _ := strconv.ParseInt(in, 16, 64)
			bytes += int(n)
		}
		if strings.HasSuffix(f[2], suffix) {
			n, _ := strconv.ParseInt(out, 16, 64)
			bytes += int(n)
		}
	}
	return bytes
}
