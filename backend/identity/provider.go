package identity

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/adjudge/adjudge/backend/fault"
)

// Provider is an OpenID Connect provider at which people may sign in.
type Provider struct {
	Issuer   string       // its address, exactly as it calls itself
	ClientID string       // as which this installation is known there
	Secret   string       // of the client; "" for a public one
	Name     string       // what the button says; the issuer's host if empty
	Scopes   []string     // asked for beside openid, profile and email
	Groups   string       // the claim that lists a person's groups; "groups" if empty
	Client   *http.Client // of backend/outbound
}

// Validate returns an Invalid fault where no provider can be so.
func (p Provider) Validate() error {
	at, err := url.Parse(p.Issuer)
	switch {
	case err != nil || at.Host == "" || at.RawQuery != "" || at.Fragment != "" || at.User != nil:
		return fault.Field("issuer", "%.200q is no issuer; it looks like https://login.example.org", p.Issuer)
	case at.Scheme == "http" && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, at.Hostname()):
	case at.Scheme != "https":
		return fault.Field("issuer", "An issuer is reached by https; only one on this machine may do with http.")
	}
	if p.ClientID == "" {
		return fault.Field("client_id", "Name the client as which the provider knows this installation.")
	}
	return nil
}

// foundFor is how long what a provider says about itself is believed.
const foundFor = time.Hour

// awayFor is how long a provider is left alone that did not answer.
const awayFor = 5 * time.Second

// door is the way to a provider: what it says about itself, asked when it is
// first needed, so that a server starts while its provider is down.
type door struct {
	Provider
	now func() time.Time

	mu    sync.Mutex
	found *oidc.Provider
	again time.Time // before which a provider that did not answer is left alone
	why   error     // it is left alone
	end   string    // address at which its own session is ended
	at    time.Time
}

func newDoor(p *Provider, now func() time.Time) *door {
	if p == nil {
		return nil
	}
	d := &door{Provider: *p, now: now}
	if at, err := url.Parse(p.Issuer); err == nil {
		d.Name = cmp.Or(p.Name, at.Host)
	}
	d.Groups = cmp.Or(p.Groups, "groups")
	return d
}

func (d *door) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, d.Client)
}

// discover returns what the provider says about itself. Where it is out of
// reach, what it said before holds.
func (d *door) discover(ctx context.Context) (*oidc.Provider, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.found != nil && d.now().Sub(d.at) < foundFor {
		return d.found, nil
	}
	if d.found == nil && d.now().Before(d.again) {
		return nil, d.why
	}
	// Its keys are fetched later with the context given here.
	found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), reaching(d.Client)), d.Issuer)
	if err != nil && d.found == nil {
		d.again, d.why = d.now().Add(awayFor), d.errUnfound(err)
		return nil, d.why
	}
	if err == nil {
		var says struct {
			End string `json:"end_session_endpoint"`
		}
		_ = found.Claims(&says) // most providers say so, none must
		d.found, d.end = found, says.End
	}
	d.at = d.now()
	return d.found, nil
}

// reaching returns a client for which a server that is overloaded or down is out
// of reach: go-oidc tells such a status from others in the text of its error alone.
func reaching(client *http.Client) *http.Client {
	other := http.Client{}
	if client != nil {
		other = *client
	}
	if other.Transport == nil {
		other.Transport = http.DefaultTransport
	}
	other.Transport = reached{other.Transport}
	return &other
}

type reached struct{ http.RoundTripper }

func (r reached) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := r.RoundTripper.RoundTrip(request)
	if err == nil && (answer.StatusCode >= http.StatusInternalServerError || answer.StatusCode == http.StatusTooManyRequests) {
		_ = answer.Body.Close()
		return nil, errors.New(answer.Status)
	}
	return answer, err
}

// errUnfound says why a provider told nothing about itself that can be used: it
// is away, or it is another than this server was told.
func (d *door) errUnfound(cause error) error {
	if other, ok := errors.AsType[*oidc.IssuerMismatchError](cause); ok {
		is := clip(other.Discovered, 300)
		return fault.As(fault.Unavailable, cause, "%s calls itself %s, and this server looks for %s. If that is the right one, whoever runs this server starts it with --oidc-issuer %s; every character counts, a slash at the end too.", d.Name, is, d.Issuer, is)
	}
	_, unreached := errors.AsType[net.Error](cause)
	if _, transport := errors.AsType[*url.Error](cause); unreached || transport {
		return d.errAway(cause)
	}
	return fault.As(fault.Unavailable, cause, "Something answers at %s, and it is no OpenID Connect provider. Whoever runs this server corrects --oidc-issuer; the log says what came.", d.Issuer)
}

func (d *door) errAway(cause error) error {
	return fault.As(fault.Unavailable, cause, "%s cannot be reached just now. Try again in a minute, or sign in with a password.", d.Name)
}

func (d *door) client(found *oidc.Provider, back string) *oauth2.Config {
	scopes := append([]string{oidc.ScopeOpenID, "profile", "email"}, d.Scopes...)
	return &oauth2.Config{ClientID: d.ClientID, ClientSecret: d.Secret, Endpoint: found.Endpoint(), RedirectURL: back, Scopes: scopes}
}

// derive makes state, nonce and verifier of a journey from the secret in its
// cookie: whoever has not that cookie cannot end the journey.
func derive(secret, what string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(what))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// address is where a journey leads first.
func (d *door) address(ctx context.Context, j Journey) (string, error) {
	found, err := d.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(derive(j.Secret, "nonce")), oauth2.S256ChallengeOption(derive(j.Secret, "verifier"))}
	if j.Fresh {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return d.client(found, j.Back).AuthCodeURL(derive(j.Secret, "state"), options...), nil
}

// stranger is who the provider says somebody is.
type stranger struct {
	issuer, subject      string
	username, name, zone string
	groups               []string
	email                string // claimed, and kept to be shown alone
}

// Answer is what the provider sends a browser back with.
type Answer struct {
	Code, State string
	Issuer      string // "" where the provider does not say it
	Error       string // "" where all went well
}

// clockSkew is how far the clocks of a provider and of this server may differ.
const clockSkew = time.Minute

func errProof(cause error) error {
	return fault.As(fault.Invalid, cause, "The sign-in could not be completed: it took too long, was begun in another window, or the answer was not the provider’s. Try again.")
}

type unproven string

func (u unproven) Error() string { return string(u) }

// prove exchanges an answer for who somebody is. Everything that could be
// another browser's, another client's or somebody else's answer is refused.
func (d *door) prove(ctx context.Context, j Journey, a Answer) (who stranger, err error) {
	switch {
	case subtle.ConstantTimeCompare([]byte(a.State), []byte(derive(j.Secret, "state"))) != 1:
		return who, errProof(unproven("the state is not this browser's"))
	case a.Issuer != "" && a.Issuer != d.Issuer:
		return who, errProof(unproven("another issuer answered"))
	case a.Error == "access_denied" || a.Error == "login_required" || a.Error == "interaction_required":
		return who, fault.As(fault.Invalid, unproven(clip(a.Error, 100)), "%s did not let you in, or you turned back there. Try again, or ask whoever runs it.", d.Name)
	case a.Error != "" || a.Code == "":
		return who, errProof(unproven("the provider says " + clip(a.Error, 100)))
	}
	found, err := d.discover(ctx)
	if err != nil {
		return who, err
	}
	ctx = d.context(ctx)
	client := d.client(found, j.Back)
	token, err := client.Exchange(ctx, a.Code, oauth2.VerifierOption(derive(j.Secret, "verifier")))
	if _, refused := errors.AsType[*oauth2.RetrieveError](err); err != nil && !refused {
		return who, d.errAway(err)
	}
	if err != nil {
		return who, errProof(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := found.Verifier(&oidc.Config{ClientID: d.ClientID, Now: d.now}).Verify(ctx, raw)
	if err != nil {
		return who, errProof(err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(derive(j.Secret, "nonce"))) != 1 {
		return who, errProof(unproven("the nonce is not this browser's"))
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return who, errProof(err)
	}
	if j.Fresh {
		seconds, _ := claims["auth_time"].(float64)
		if time.Unix(int64(seconds), 0).Before(j.At.Add(-clockSkew)) {
			return who, fault.As(fault.Invalid, unproven("auth_time is from before the journey"), "%s did not ask you anew who you are. Sign in there with your password, then try again.", d.Name)
		}
	}
	// Many providers tell names and groups at their userinfo endpoint alone.
	if found.UserInfoEndpoint() != "" {
		info, err := found.UserInfo(ctx, client.TokenSource(ctx, token))
		if err != nil {
			return who, errProof(err)
		}
		if info.Subject != id.Subject {
			return who, errProof(unproven("userinfo is about somebody else"))
		}
		more := map[string]any{}
		if err := info.Claims(&more); err != nil {
			return who, errProof(err)
		}
		for name, value := range more {
			if _, known := claims[name]; !known {
				claims[name] = value
			}
		}
	}
	if id.Subject == "" || len(id.Subject) > 255 {
		return who, errProof(unproven("there is no subject"))
	}
	who, err = d.read(claims)
	who.issuer, who.subject = d.Issuer, id.Subject
	return who, err
}

// read takes from the claims what this installation keeps of a person.
func (d *door) read(claims map[string]any) (who stranger, err error) {
	text := func(name string) string {
		value, _ := claims[name].(string)
		return strings.TrimSpace(toValid(value))
	}
	who.username = FoldUsername(cmp.Or(text("preferred_username"), text("email"), text("sub")))
	who.name = cmp.Or(text("name"), strings.TrimSpace(text("given_name")+" "+text("family_name")), who.username)
	who.email = clip(text("email"), 320)
	if who.zone = text("zoneinfo"); validTimeZone(who.zone) != nil {
		who.zone = ""
	}
	if elsewhere, _ := claims["_claim_names"].(map[string]any); elsewhere[d.Groups] != nil {
		return who, fault.New(fault.Unmet, "You are in more groups than %s can list. Whoever runs it limits the list to the groups of this application.", d.Name)
	}
	switch listed := claims[d.Groups].(type) {
	case string:
		who.groups = []string{listed}
	case []any:
		for _, one := range listed {
			if name, ok := one.(string); ok {
				who.groups = append(who.groups, name)
			}
		}
	}
	return who, nil
}

// ProviderName is what the button of the provider says, "" where there is none.
func (s *Service) ProviderName() string {
	if s.door == nil {
		return ""
	}
	return s.door.Name
}

// LeaveProvider returns where a browser ends its session at the provider and
// comes back from, "" where the provider has no such place.
func (s *Service) LeaveProvider(ctx context.Context, back string) string {
	if s.door == nil {
		return ""
	}
	if _, err := s.door.discover(ctx); err != nil || s.door.end == "" {
		return ""
	}
	at, err := url.Parse(s.door.end)
	if err != nil {
		return ""
	}
	query := at.Query()
	query.Set("client_id", s.door.ClientID)
	query.Set("post_logout_redirect_uri", back)
	at.RawQuery = query.Encode()
	return at.String()
}
