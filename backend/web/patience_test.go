package web

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// slowServer answers uploads with what came and why it ended, and /much with
// more than any socket holds.
func slowServer(t *testing.T, limit time.Duration) (address string, ended chan error) {
	t.Helper()
	ended = make(chan error, 8)
	s := closed(t, func(d *Deps) { d.Patience = limit })
	s.mux.Post("/upload", s.answering(func(w http.ResponseWriter, r *http.Request) error {
		n, err := io.Copy(io.Discard, r.Body)
		ended <- err
		if err == nil {
			// Long work after the body: a deadline left behind would end it.
			select {
			case <-r.Context().Done():
				err = r.Context().Err()
				ended <- err
			case <-time.After(2 * limit):
				_, err = fmt.Fprintf(w, "%d bytes", n)
			}
		}
		return err
	}))
	s.mux.Get("/much", func(w http.ResponseWriter, _ *http.Request) {
		piece := make([]byte, 1<<20)
		for {
			if _, err := w.Write(piece); err != nil {
				ended <- err
				return
			}
		}
	})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "127.0.0.1:8484"
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return strings.TrimPrefix(front.URL, "http://"), ended
}

func dialServer(t *testing.T, address, request string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return conn
}

// slowly writes a byte every while, until the other end hangs up or all is sent.
func slowly(conn net.Conn, bytes int, every time.Duration) {
	for range bytes {
		if _, err := io.WriteString(conn, "x"); err != nil {
			return
		}
		time.Sleep(every)
	}
}

const manyBytes = "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"

func TestAClientThatDripsItsBodyIsGivenUp(t *testing.T) {
	t.Parallel()
	address, ended := slowServer(t, 300*time.Millisecond)
	conn := dialServer(t, address, manyBytes)
	go slowly(conn, 1_000_000, 5*time.Millisecond)
	answer, err := io.ReadAll(conn)
	if !strings.Contains(string(answer), " 503 ") || !strings.Contains(string(answer), "given up") {
		t.Errorf("it was answered %q (%v)", answer, err)
	}
	if err := <-ended; err == nil {
		t.Error("the upload counts as whole")
	}
}

func TestAnUploadThatIsSlowButMovesIsTaken(t *testing.T) {
	t.Parallel()
	const limit = 700 * time.Millisecond
	for round := 1; ; round++ {
		address, ended := slowServer(t, limit)
		conn := dialServer(t, address, "POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 30720\r\n\r\n")
		longest := make(chan time.Duration, 1)
		go func() {
			// It takes longer as a whole than the limit, and pauses on the way.
			var paused time.Duration
			for last, n := time.Now(), 0; n < 15; n++ {
				_, _ = io.WriteString(conn, strings.Repeat("x", 2048))
				time.Sleep(100 * time.Millisecond)
				paused, last = max(paused, time.Since(last)), time.Now()
			}
			longest <- paused
		}()
		answer, err := io.ReadAll(conn)
		if strings.Contains(string(answer), "30720 bytes") {
			return
		}
		if paused := <-longest; paused > limit/3 && round < 50 {
			t.Logf("round %d says nothing: the machine itself paused for %v", round, paused)
			continue
		}
		t.Fatalf("it was answered %q (%v); the upload ended with %v", answer, err, <-ended)
	}
}

func TestAClientThatTakesNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	address, ended := slowServer(t, 200*time.Millisecond)
	dialServer(t, address, "GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case err := <-ended:
		if err == nil {
			t.Error("writing ends without an error")
		}
	case <-time.After(time.Minute):
		t.Error("the server writes to nobody for ever")
	}
}

func TestAConnectionServesTheNextRequestAfterASlowOne(t *testing.T) {
	t.Parallel()
	address, _ := slowServer(t, 200*time.Millisecond)
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	for range 3 { // each takes longer than the limit, on one connection
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/upload", strings.NewReader("all at once"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || string(body) != "11 bytes" {
			t.Fatalf("%s %q (%v)", answer.Status, body, err)
		}
	}
}
