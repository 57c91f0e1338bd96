// Command provider is an OpenID Connect provider for tests: the server of
// github.com/zitadel/oidc, which is certified as one, with people from a file
// and a page on which they sign in. It has a go.mod of its own, so that nothing
// of it enters the product.
//
// Start it on a free port of this machine:
//
//	go run -C build/tools/provider . -people people.json
//
// It prints one line, "listening on http://127.0.0.1:PORT", once it answers.
// That address is the issuer:
//
//	ADJUDGE_OIDC_SECRET=secret adjudge serve --oidc-issuer http://127.0.0.1:PORT --oidc-client-id adjudge
//
// people.json is read again at each sign-in, so that a test can change it:
//
//	[{"subject": "u-1", "username": "nora", "password": "nora", "name": "Nora N.", "email": "nora@example.org", "groups": ["ward-3"]}]
//
// The client is adjudge with the secret "secret"; -client and -secret say
// otherwise. Every address of this machine whose path ends in
// /sign-in/oidc/callback may be returned to; -redirect names more, with * for
// a part. Who has signed in once is let through again without being asked,
// unless prompt or max_age ask for it, as real providers do. A program signs in
// by posting the fields id, username and password of the page to /login.
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "provider:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	people := flag.String("people", "", "JSON file of people")
	client := flag.String("client", "adjudge", "id of the one client")
	secret := flag.String("secret", "secret", "its secret")
	redirects := list{}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		for _, scheme := range []string{"http", "https"} {
			for _, path := range []string{"/sign-in/oidc/callback", "/*/sign-in/oidc/callback", "/sign-in", "/*/sign-in"} {
				redirects = append(redirects, scheme+"://"+host+":*"+path, scheme+"://"+host+path)
			}
		}
	}
	flag.Var(&redirects, "redirect", "address that may be returned to, * stands for a part (repeatable)")
	flag.Parse()

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	issuer := "http://" + listener.Addr().String()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	s := newStorage(*people, &relyingParty{id: *client, secret: *secret, redirects: redirects}, key)
	config := &op.Config{CodeMethodS256: true, AuthMethodPost: true, DefaultLogoutRedirectURI: "/signed-out"}
	_, _ = rand.Read(config.CryptoKey[:]) // never fails since Go 1.24
	provider, err := op.NewProvider(config, s, op.StaticIssuer(issuer), op.WithAllowInsecure(), op.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	pages := &pages{storage: s, back: op.AuthCallbackURL(provider)}
	withIssuer := op.NewIssuerInterceptor(provider.IssuerFromRequest)
	mux.Handle("GET /login", withIssuer.HandlerFunc(pages.ask))
	mux.Handle("POST /login", withIssuer.HandlerFunc(pages.take))
	mux.HandleFunc("GET /signed-out", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "Signed out.") })
	mux.Handle("/", pages.forgetAtEnd(provider))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close() // what is open belongs to a test that is over
	}()
	fmt.Println("listening on " + issuer)
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}
