package outbound_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/outbound"
)

func get(t *testing.T, client *http.Client, address string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return at.Host
}

func TestPrivateAddressesAreRefusedUnlessTheOperatorNamedTheHost(t *testing.T) {
	t.Parallel()
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inside") }))
	defer inner.Close()
	host := hostOf(t, inner.URL)
	byName := strings.Replace(inner.URL, "127.0.0.1", "localhost", 1)

	for _, address := range []string{inner.URL, byName} {
		_, err := get(t, outbound.New(outbound.Config{}), address)
		if _, refused := outbound.IsPrivateRefusal(err); !refused || !fault.Is(err, fault.Denied) {
			t.Errorf("a call of %s gave %v, and should be refused", address, err)
		}
	}
	if _, err := get(t, outbound.New(outbound.Config{Allow: []string{"127.0.0.1:1"}}), inner.URL); err == nil {
		t.Error("another port of a named host was called")
	}
	if body, err := get(t, outbound.New(outbound.Config{Allow: []string{host}}), inner.URL); err != nil || body != "inside" {
		t.Errorf("a host that the operator named answered %q, %v", body, err)
	}
	if body, err := get(t, outbound.New(outbound.Config{Allow: []string{"LOCALHOST"}}), byName); err != nil || body != "inside" {
		t.Errorf("a name that the operator named answered %q, %v", body, err)
	}
}

func TestARedirectIsLookedAtLikeAFirstCall(t *testing.T) {
	t.Parallel()
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inside") }))
	defer inner.Close()
	for name, target := range map[string]string{"another port": inner.URL, "another scheme": "file:///etc/passwd", "itself without end": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				http.Redirect(w, r, target, http.StatusFound)
			}))
			defer outer.Close()
			body, err := get(t, outbound.New(outbound.Config{Allow: []string{hostOf(t, outer.URL)}}), outer.URL)
			if err == nil || body != "" {
				t.Errorf("a redirect to %q was followed to %q", target, body)
			}
			if calls > 6 {
				t.Errorf("%d redirects were followed", calls)
			}
		})
	}
}

func TestASecretIsNotSentOnByARedirect(t *testing.T) {
	t.Parallel()
	var got string
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = string(body)
	}))
	defer thief.Close()
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
	}))
	defer outer.Close()
	client := outbound.New(outbound.Config{Allow: []string{"127.0.0.1"}})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, outer.URL, strings.NewReader("client_secret=hush"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if got != "" || answer.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("the body %q went to where the redirect pointed (status %d)", got, answer.StatusCode)
	}
}

func TestAnAnswerThatIsTooLongIsAnErrorAndNotItsBeginning(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", len(r.URL.Path)-1))
	}))
	defer server.Close()
	client := outbound.New(outbound.Config{Allow: []string{"127.0.0.1"}, MaxBody: 10})
	if body, err := get(t, client, server.URL+"/"+strings.Repeat("a", 10)); err != nil || len(body) != 10 {
		t.Errorf("an answer of exactly the limit gave %d bytes, %v", len(body), err)
	}
	if body, err := get(t, client, server.URL+"/"+strings.Repeat("a", 11)); err == nil || len(body) > 10 {
		t.Errorf("an answer over the limit gave %d bytes, %v", len(body), err)
	}
}

func TestACallThatHangsEnds(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(hold)
	if _, err := get(t, outbound.New(outbound.Config{Allow: []string{"127.0.0.1"}, Timeout: 50 * time.Millisecond}), server.URL); err == nil {
		t.Error("a server that says nothing was waited for")
	}
}

func TestWhichAddressesArePrivate(t *testing.T) {
	t.Parallel()
	for text, private := range map[string]bool{
		"127.0.0.1": true, "10.1.2.3": true, "172.16.0.1": true, "192.168.1.1": true, "169.254.169.254": true, "100.64.0.1": true, "0.0.0.0": true,
		"224.0.0.1": true, "255.255.255.255": true, "198.18.0.1": true, "::1": true, "fe80::1": true, "fd00::1": true, "::": true, "ff02::1": true,
		"::ffff:10.0.0.1": true, "64:ff9b::a00:1": true, "2002:a00:1::": true, "2001:db8::1": true,
		"8.8.8.8": false, "172.32.0.1": false, "2606:4700::1111": false, "::ffff:8.8.8.8": false,
	} {
		if got := outbound.IsPrivate(netip.MustParseAddr(text)); got != private {
			t.Errorf("IsPrivate(%s) = %v", text, got)
		}
	}
}

func TestWhoWatchesSeesEachCallAndWhetherItsHostWasNamed(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 1)
	inside := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.Header.Get("Traceparent") }))
	defer inside.Close()
	at, err := url.Parse(inside.URL)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	client := outbound.New(outbound.Config{Allow: []string{at.Host}, Trace: func(r *http.Request, named bool) (*http.Request, func(*http.Response, error)) {
		sent := r.Clone(r.Context())
		sent.Header.Set("Traceparent", "this")
		return sent, func(answer *http.Response, err error) {
			seen = append(seen, fmt.Sprint(named, answer != nil, err != nil))
		}
	}})
	for _, address := range []string{inside.URL, "http://localhost:" + at.Port()} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := client.Do(request); err == nil {
			_ = answer.Body.Close()
		}
	}
	if got := <-heard; got != "this" {
		t.Errorf("the server was told %q", got)
	}
	if want := []string{"true true false", "false false true"}; !slices.Equal(seen, want) {
		t.Errorf("seen %q", seen)
	}
}
