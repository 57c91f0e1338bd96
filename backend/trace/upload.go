package trace

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	wire "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// upload hands spans to a collector by OTLP over HTTP. OpenTelemetry's own client
// does the same, and brings gRPC into the program though it speaks none: that is a
// fifth of the whole program.
type upload struct {
	to      string
	headers http.Header
	zip     bool
	client  *http.Client
}

var _ otlptrace.Client = (*upload)(nil)

// How often a collector that is busy is asked again.
const (
	firstPause = time.Second
	lastPause  = 15 * time.Second
	insistence = time.Minute
)

// newUpload reads the standard variables about the exporter. Each has a form for
// traces alone, which counts more.
func newUpload(env func(string) string, agent string) (*upload, error) {
	of := func(name string) string {
		return strings.TrimSpace(cmp.Or(env("OTEL_EXPORTER_OTLP_TRACES_"+name), env("OTEL_EXPORTER_OTLP_"+name)))
	}
	to, err := url.Parse(of("ENDPOINT"))
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return nil, errors.New("the endpoint is no address; it looks like http://collector:4318")
	}
	if env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		to = to.JoinPath("v1", "traces")
	} else if to.Path == "" {
		to.Path = "/"
	}
	u := &upload{to: to.String(), headers: http.Header{}}
	u.headers.Set("User-Agent", agent)
	for pair := range strings.SplitSeq(of("HEADERS"), ",") {
		name, value, found := strings.Cut(pair, "=")
		name, err1 := url.PathUnescape(strings.TrimSpace(name))
		value, err2 := url.PathUnescape(strings.TrimSpace(value))
		if !found || name == "" || errors.Join(err1, err2) != nil {
			if strings.TrimSpace(pair) == "" {
				continue
			}
			return nil, errors.New("OTEL_EXPORTER_OTLP_HEADERS does not look like name=value,name=value")
		}
		u.headers.Add(name, value)
	}
	u.headers.Set("Content-Type", "application/x-protobuf")
	switch how := of("COMPRESSION"); how {
	case "", "none":
	case "gzip":
		u.zip = true
		u.headers.Set("Content-Encoding", "gzip")
	default:
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_COMPRESSION is %q; there are gzip and none", how)
	}
	patience, err := strconv.Atoi(cmp.Or(of("TIMEOUT"), "10000"))
	if err != nil || patience <= 0 {
		return nil, errors.New("OTEL_EXPORTER_OTLP_TIMEOUT is no number of milliseconds")
	}
	trust, err := trusted(of("CERTIFICATE"), of("CLIENT_CERTIFICATE"), of("CLIENT_KEY"))
	if err != nil {
		return nil, err
	}
	u.client = &http.Client{
		Timeout:   time.Duration(patience) * time.Millisecond,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust, ForceAttemptHTTP2: true, MaxIdleConns: 2, IdleConnTimeout: time.Minute},
		// The headers hold a key that belongs to this address alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return u, nil
}

// trusted reads the files of certificates, where any are named.
func trusted(authority, certificate, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if authority != "" {
		text, err := os.ReadFile(authority)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %w", err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %s holds no certificate", authority)
		}
	}
	if certificate != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and _KEY: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// Start implements otlptrace.Client.
func (*upload) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (u *upload) Stop(context.Context) error {
	u.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client. A collector that is busy is asked
// again, for as long as the context and a minute last.
func (u *upload) UploadTraces(ctx context.Context, spans []*wire.ResourceSpans) error {
	// On the wire it is what a collector calls ExportTraceServiceRequest.
	body, err := proto.Marshal(&wire.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	if u.zip {
		var small bytes.Buffer
		w := gzip.NewWriter(&small)
		if _, err := w.Write(body); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		body = small.Bytes()
	}
	ctx, cancel := context.WithTimeout(ctx, insistence)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		wait, err := u.send(ctx, body)
		if err == nil || wait < 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(max(wait, pause)):
		}
	}
}

// send sends a batch once. Where that fails it returns for how long the collector
// wants to be left alone, negative where asking again cannot help.
func (u *upload) send(ctx context.Context, body []byte) (time.Duration, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.to, bytes.NewReader(body))
	if err != nil {
		return -1, err
	}
	r.Header = u.headers.Clone()
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	answer, err := u.client.Do(r)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err // the address may hold a key
		}
		return 0, fmt.Errorf("the collector %s does not answer: %w", r.URL.Host, err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection can be used again
	switch answer.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return 0, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return time.Duration(max(seconds, 0)) * time.Second, fmt.Errorf("the collector %s is busy: %s", r.URL.Host, answer.Status)
	}
	return -1, fmt.Errorf("the collector %s refuses: %s", r.URL.Host, answer.Status)
}
