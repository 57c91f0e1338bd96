package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/labeling"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	listen, public, database string
	blobs, keyFile           string
	proxies                  []string
	cert, key                string
	lockAfter                time.Duration
	witness                  []string
	logLevel, logFormat      string
	news                     string
	media, mediaHosts        []string
	oidc                     providerOptions
	importRecords            int64
	importSize               string
}

func serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start the server",
		Long: "serve runs until it is told to stop. The variables of OpenTelemetry are honoured: where OTEL_EXPORTER_OTLP_ENDPOINT\n" +
			"(or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) names a collector that takes http/protobuf, it is told how long requests,\n" +
			"transactions, follow-up work and training attempts take, and never what anybody wrote or who they are.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd, o, func(ctx context.Context, h *house, address string, out io.Writer) error {
				link, err := h.identity.FirstAdminLink(ctx)
				if err != nil || link == "" {
					return err
				}
				_, err = fmt.Fprintf(out, "Open this link to make the first account, an admin; it works once:\n\n    %s/first-start?token=%s\n\n", address, link)
				return err
			})
		},
	}
	o.flags(cmd)
	return cmd
}

func (o *serveOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8484", "address to listen on")
	f.StringVar(&o.public, "url", "", "public address, as people and CI reach the server (https://…)")
	f.StringVar(&o.database, "database", os.Getenv("ADJUDGE_DATABASE"), "database: a path or postgres://… (default: $ADJUDGE_DATABASE, else adjudge.db in the data directory)")
	f.StringSliceVar(&o.proxies, "trusted-proxy", nil, "address or network of a proxy whose X-Forwarded-For is believed (default: this machine, where there is a --url)")
	f.StringVar(&o.blobs, "blobs", os.Getenv("ADJUDGE_BLOBS"), "where files are kept: a directory or s3://bucket/prefix?endpoint=https://… (default: $ADJUDGE_BLOBS, else blobs in the data directory)")
	f.StringVar(&o.keyFile, "key-file", os.Getenv("ADJUDGE_KEY_FILE"), "file with a secret under which the database keeps the signing key, the same for all servers on one database (default: $ADJUDGE_KEY_FILE, else the key is a file in the data directory)")
	f.StringArrayVar(&o.witness, "witness", strings.Fields(os.Getenv("ADJUDGE_WITNESS")), "where signed checkpoints of the history are kept outside: git+URL, s3://bucket/prefix?endpoint=URL&days=3650 of a bucket with object lock, or smtp://user@host:port?from=A&to=B (default: $ADJUDGE_WITNESS, several apart by blanks; password of the mail server: $ADJUDGE_SMTP_PASSWORD)")
	f.StringVar(&o.news, "news", os.Getenv("ADJUDGE_NEWS"), "address of a JSON file that names the newest version; asked once a day, and admins are told (default: $ADJUDGE_NEWS, else nobody is asked)")
	f.StringVar(&o.logLevel, "log-level", cmp.Or(os.Getenv("ADJUDGE_LOG_LEVEL"), "warn"), "what is logged: error, warn, info (a line per request) or debug; never what people wrote (default: $ADJUDGE_LOG_LEVEL, else warn)")
	f.StringVar(&o.logFormat, "log-format", cmp.Or(os.Getenv("ADJUDGE_LOG_FORMAT"), "text"), "how: text, or json with one object per line (default: $ADJUDGE_LOG_FORMAT, else text)")
	mediaFlags(f, &o.media, &o.mediaHosts)
	f.StringVar(&o.cert, "tls-cert", "", "certificate file; serves https together with --tls-key")
	f.StringVar(&o.key, "tls-key", "", "key file of --tls-cert")
	o.oidc.flags(f)
	f.Int64Var(&o.importRecords, "import-records", labeling.DefaultImport().Records, "most records that one uploaded file may bring in")
	f.StringVar(&o.importSize, "import-size", "20GB", "most bytes of values that one uploaded file may bring in, as they are once unpacked: a number with MB, GB or TB")
	f.DurationVar(&o.lockAfter, "lock-after", 0, "lock a browser that stood idle for this long, for example 10m; people may choose less for themselves (0: only by Alt+L)")
}

// importBound reads how much an import may bring in.
func (o *serveOptions) importBound() (labeling.ImportBound, error) {
	if o.importRecords <= 0 {
		return labeling.ImportBound{}, usage{errors.New("--import-records is a number above 0")}
	}
	for unit, size := range map[string]float64{"MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40} {
		number, is := strings.CutSuffix(strings.ToUpper(strings.ReplaceAll(o.importSize, " ", "")), unit)
		if !is {
			continue
		}
		if n, err := strconv.ParseFloat(number, 64); err == nil && n > 0 && n*size >= 1<<20 && n*size < 1<<62 {
			return labeling.ImportBound{Records: o.importRecords, Bytes: int64(n * size)}, nil
		}
	}
	return labeling.ImportBound{}, usage{fmt.Errorf("--import-size %q is no size; write it as 500MB, 20GB or 1.5TB", o.importSize)}
}

// logger writes to standard error, which systemd and containers keep.
func (o *serveOptions) logger(out io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, usage{fmt.Errorf("--log-level %q is none of error, warn, info and debug", o.logLevel)}
	}
	options := &slog.HandlerOptions{Level: level}
	switch o.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(out, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, options)), nil
	}
	return nil, usage{fmt.Errorf("--log-format %q is neither text nor json", o.logFormat)}
}

// serve runs a server until the command's context ends. ready is called once
// it listens, to prepare data and say where it is.
func serve(cmd *cobra.Command, o serveOptions, ready func(ctx context.Context, h *house, address string, out io.Writer) error) error {
	ctx, out := cmd.Context(), terminal(cmd)
	if (o.cert == "") != (o.key == "") {
		return usage{errors.New("--tls-cert and --tls-key go together")}
	}
	flag, _ := cmd.Flags().GetString("data")
	path, err := dataPath(flag)
	if err != nil {
		return err
	}
	if o.lockAfter < 0 {
		return usage{errors.New("--lock-after is a time such as 10m")}
	}
	set := settings{Data: path, Database: o.database, Blobs: o.blobs, KeyFile: o.keyFile, LockAfter: o.lockAfter, Out: out, Witness: o.witness}
	if set.Import, err = o.importBound(); err != nil {
		return err
	}
	if set.Log, err = o.logger(cmd.ErrOrStderr()); err != nil {
		return err
	}
	set.Trace, set.Log = startTraces(ctx, newID(), set.Log)
	defer set.Trace.Close()
	if set.Provider, err = o.oidc.provider(set.Trace); err != nil {
		return err
	}
	if set.News, err = newNews(o.news, set.Trace); err != nil {
		return err
	}
	if set.Media, err = mediaSettings(o.media, o.mediaHosts); err != nil {
		return err
	}
	if o.public != "" {
		if set.Public, err = url.Parse(o.public); err != nil || set.Public.Host == "" {
			return usage{fmt.Errorf("--url %q is no address; it looks like https://adjudge.example.org", o.public)}
		}
	}
	for _, text := range o.proxies {
		network, err := parseNetwork(text)
		if err != nil {
			return usage{fmt.Errorf("--trusted-proxy %q is no address; it looks like 10.0.0.5 or 10.0.0.0/24", text)}
		}
		set.Proxies = append(set.Proxies, network)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fault.As(fault.Unavailable, err, "Cannot listen on %s; choose another address with --listen", o.listen)
	}
	defer func() { _ = listener.Close() }() // closed by Shutdown when all went well
	_, set.Port, _ = net.SplitHostPort(listener.Addr().String())
	if o.cert != "" && set.Public == nil {
		// https without a public address is this machine's; cookies must be Secure.
		set.Public = &url.URL{Scheme: "https", Host: "localhost:" + set.Port}
	}
	h, err := openHouse(ctx, set)
	if err != nil {
		return err
	}
	here, address := h.addresses(listener, o)
	served := h.answer(listener, o.cert, o.key)
	h.run(ctx)
	err = h.data.announce(here, h.identity.OpenLocal())
	if err == nil {
		_, err = fmt.Fprintf(out, "Adjudge %s listens on %s (data in %s)\n", version(), address, path)
	}
	if err == nil {
		err = ready(ctx, h, address, out)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil // told to stop while it was getting ready
	}
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-served:
		}
	}
	return errors.Join(err, h.close())
}

// answer begins to answer what comes in on the listener, until close. What the
// channel gives ended it before.
func (h *house) answer(listener net.Listener, cert, key string) <-chan error {
	h.server = &http.Server{
		Handler: h.web, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(h.Log.Handler(), slog.LevelDebug),
	}
	h.server.RegisterOnShutdown(h.hub.Close)
	served := make(chan error, 1)
	go func() {
		if cert != "" {
			served <- h.server.ServeTLS(listener, cert, key)
		} else {
			served <- h.server.Serve(listener)
		}
	}()
	return served
}

// hangUp lets running requests finish for a while and ends the rest.
func (h *house) hangUp() {
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if late := h.server.Shutdown(grace); late != nil {
		_ = h.server.Close() // what is still open was given its time
	}
}

// addresses returns how this machine reaches the server and how people do.
func (h *house) addresses(listener net.Listener, o serveOptions) (here, public string) {
	scheme := "http"
	if o.cert != "" {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	here = scheme + "://" + net.JoinHostPort(host, port)
	public = here
	if h.Public != nil {
		public = h.Public.Scheme + "://" + h.Public.Host + strings.TrimRight(h.Public.EscapedPath(), "/")
	}
	return here, public
}

// parseNetwork reads a network, or one address as a network of its own.
func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
	}
	return netip.ParsePrefix(text)
}
