// Package outbound is the one way in which a server calls others over HTTP. An
// address that came from outside must not lead back inside: connections to
// private addresses are refused unless the operator named the host, and that is
// decided by the address that is dialled, so no name can be pointed elsewhere
// between the look and the call. Redirects are looked at like first calls,
// answers have a limit, and everything has a deadline.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
)

// Config says whom a client may call and how long it waits.
type Config struct {
	// Allow names hosts whose address may be private, "sso.internal" or with a
	// port "10.1.2.3:8443": those that an operator configured, never ones that a
	// page or another server named.
	Allow   []string
	Agent   string        // User-Agent
	Timeout time.Duration // for a whole call with its answer; 15 s if 0
	MaxBody int64         // bytes of an answer; 1 MiB if 0
	// Trace, if set, begins the span of a call to a host that the operator named
	// or did not; the request that it returns is sent, and what else it returns is
	// told how that went.
	Trace func(r *http.Request, named bool) (*http.Request, func(*http.Response, error))
}

// The limits of a call where Config names none, and those that are the same for all.
const (
	defaultTimeout = 15 * time.Second
	defaultMaxBody = 1 << 20
	dialTimeout    = 5 * time.Second
	maxRedirects   = 5
)

// Private is the cause of a refusal to call an address inside.
type Private struct {
	Host string
	Addr netip.Addr
}

// Error names host and address, for the log.
func (p Private) Error() string {
	return fmt.Sprintf("%s is at %s, which is a private address", p.Host, p.Addr)
}

// New returns a client. It follows no proxy of the environment: what a proxy
// connects to could not be looked at.
func New(c Config) *http.Client {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	transport := &http.Transport{
		DialContext: c.dial, ForceAttemptHTTP2: true, TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: c.Timeout,
		MaxIdleConns: 10, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
	return &http.Client{Transport: &caller{Config: c, inner: transport}, CheckRedirect: follow, Timeout: c.Timeout}
}

// allows reports whether the operator named a host.
func (c Config) allows(host, port string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return slices.ContainsFunc(c.Allow, func(named string) bool {
		named = strings.ToLower(named)
		return named == host || named == net.JoinHostPort(host, port)
	})
}

func (c Config) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: dialTimeout}
	if !c.allows(host, port) {
		d.Control = func(_, dialled string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(dialled)
			if err != nil {
				return err
			}
			if IsPrivate(at.Addr()) {
				return fault.As(fault.Denied, Private{host, at.Addr()}, "The address of %s is a private one; the server calls those only where its operator named them.", host)
			}
			return nil
		}
	}
	return d.DialContext(ctx, network, address)
}

// inside are the networks that are private, reserved, or stand for other
// addresses, beside those that netip knows.
func inside() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// IsPrivate reports whether an address is not one of the public internet: of
// this machine, of a local network, reserved, or a way around to one of those.
func IsPrivate(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return !addr.IsValid() || !addr.IsGlobalUnicast() || addr.IsPrivate() ||
		slices.ContainsFunc(inside(), func(p netip.Prefix) bool { return p.Contains(addr) })
}

// follow decides about a redirect: few, never from https to http, and never
// with a body, which would carry a secret to where it does not belong.
func follow(next *http.Request, before []*http.Request) error {
	last := before[len(before)-1]
	switch {
	case len(before) > maxRedirects:
		return fault.New(fault.Unavailable, "The server %s sends from one address to the next without end.", last.URL.Host)
	case next.URL.Scheme != "https" && last.URL.Scheme == "https":
		return fault.New(fault.Unavailable, "The server %s sends to an address without encryption.", last.URL.Host)
	case before[0].Method != http.MethodGet && before[0].Method != http.MethodHead:
		return http.ErrUseLastResponse
	}
	return nil
}

// caller looks at every call, a redirect's too.
type caller struct {
	Config
	inner http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c *caller) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := callable(r.URL); err != nil {
		return nil, err
	}
	if c.Agent != "" && r.Header.Get("User-Agent") == "" {
		named := r.Clone(r.Context())
		named.Header.Set("User-Agent", c.Agent)
		r = named
	}
	ended := func(*http.Response, error) {}
	if c.Trace != nil {
		r, ended = c.Trace(r, c.allows(r.URL.Hostname(), portOf(r.URL)))
	}
	answer, err := c.inner.RoundTrip(r)
	ended(answer, err)
	if err != nil {
		return nil, err
	}
	answer.Body = &limited{ReadCloser: answer.Body, left: c.MaxBody, host: r.URL.Host}
	return answer, nil
}

// portOf returns the port that a call goes to.
func portOf(at *url.URL) string {
	switch {
	case at.Port() != "":
		return at.Port()
	case at.Scheme == "https":
		return "443"
	}
	return "80"
}

func callable(at *url.URL) error {
	if at.Scheme != "https" && at.Scheme != "http" || at.Hostname() == "" {
		return fault.New(fault.Invalid, "%.200q is no address on the web.", at.Redacted())
	}
	return nil
}

// limited ends an answer that is longer than it may be with an error, so that
// nobody takes its beginning for the whole.
type limited struct {
	io.ReadCloser
	left int64
	host string
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, l.tooLong()
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n - 1, l.tooLong()
	}
	return n, err
}

func (l *limited) tooLong() error {
	return fault.New(fault.Unavailable, "The answer of %s is longer than it may be.", l.host)
}

// IsPrivateRefusal returns the host and address for which a call was refused.
func IsPrivateRefusal(err error) (Private, bool) { return errors.AsType[Private](err) }
