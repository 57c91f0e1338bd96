package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// human is a line of the file of people.
type human struct {
	Subject  string   `json:"subject"`
	Username string   `json:"username"`
	Password string   `json:"password"`
	Name     string   `json:"name"`
	Email    string   `json:"email"`
	Groups   []string `json:"groups"`
}

// storage is what the provider keeps: all of it in memory.
type storage struct {
	people string
	client *relyingParty
	key    *rsa.PrivateKey

	mu       sync.Mutex
	requests map[string]*authRequest
	codes    map[string]string // to ids of requests
	tokens   map[string]string // to subjects
}

var (
	_ op.Storage                   = (*storage)(nil)
	_ op.CanSetUserinfoFromRequest = (*storage)(nil)
)

func newStorage(people string, client *relyingParty, key *rsa.PrivateKey) *storage {
	return &storage{people: people, client: client, key: key, requests: map[string]*authRequest{}, codes: map[string]string{}, tokens: map[string]string{}}
}

func (s *storage) everybody() (all []human, err error) {
	text, err := os.ReadFile(s.people)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	return all, err
}

func (s *storage) find(is func(human) bool) (human, error) {
	all, err := s.everybody()
	if err != nil {
		return human{}, err
	}
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], nil
	}
	return human{}, errors.New("nobody is known by this name and password")
}

func (s *storage) byPassword(username, password string) (human, error) {
	return s.find(func(h human) bool { return h.Username == username && h.Password == password && password != "" })
}

func (s *storage) bySubject(subject string) (human, error) {
	return s.find(func(h human) bool { return h.Subject == subject })
}

func (s *storage) request(id string) (*authRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, found := s.requests[id]; found {
		return r, nil
	}
	return nil, errors.New("there is no such request; begin again")
}

func (s *storage) done(r *authRequest, subject string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.subject, r.authAt = subject, at
}

// CreateAuthRequest and the following implement op.Storage.
func (s *storage) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, subject string) (op.AuthRequest, error) {
	if slices.Contains(asked.Prompt, oidc.PromptNone) {
		return nil, oidc.ErrLoginRequired()
	}
	r := &authRequest{AuthRequest: asked, id: rand.Text(), subject: subject}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[r.id] = r
	return r, nil
}

func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	return s.request(id)
}

func (s *storage) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	id, found := s.codes[code]
	delete(s.codes, code) // a code is good once
	s.mu.Unlock()
	if !found {
		return nil, errors.New("the code was used or never given")
	}
	return s.request(id)
}

func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = id
	return nil
}

func (s *storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
	return nil
}

func (s *storage) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[id] = r.GetSubject()
	return id, time.Now().Add(moved() + lifetime), nil // less the skew
}

func (s *storage) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, errors.New("no refresh tokens here")
}

func (s *storage) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, op.ErrInvalidRefreshToken
}

func (s *storage) TerminateSession(context.Context, string, string) error { return nil }

func (s *storage) RevokeToken(context.Context, string, string, string) *oidc.Error { return nil }

func (s *storage) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}

func (s *storage) SigningKey(context.Context) (op.SigningKey, error) { return signingKey{s.key}, nil }

func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

func (s *storage) KeySet(context.Context) ([]op.Key, error) { return []op.Key{publicKey{s.key}}, nil }

func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != s.client.id {
		return nil, errors.New("there is no such client")
	}
	return s.client, nil
}

func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != s.client.id || secret != s.client.secret {
		return errors.New("the client's secret is wrong")
	}
	return nil
}

// The claims are told by the userinfo endpoint and stand in the ID token where
// the client asked for it: here the first alone, as is the default of many.
func (s *storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

func (s *storage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, r op.IDTokenRequest, _ []string) error {
	info.Subject = r.GetSubject()
	return nil
}

func (s *storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, token, subject, _ string) error {
	s.mu.Lock()
	whose, found := s.tokens[token]
	s.mu.Unlock()
	if !found || whose != subject {
		return errors.New("the token is unknown")
	}
	h, err := s.bySubject(subject)
	if err != nil {
		return err
	}
	info.Subject, info.Name, info.PreferredUsername = h.Subject, h.Name, h.Username
	info.Email, info.EmailVerified = h.Email, h.Email != ""
	info.AppendClaims("groups", h.Groups)
	return nil
}

func (s *storage) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errors.New("no introspection here")
}

func (s *storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

func (s *storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errors.New("clients have no keys here")
}

func (s *storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errors.New("no such grant here")
}

func (s *storage) Health(context.Context) error { return nil }

type signingKey struct{ key *rsa.PrivateKey }

func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k signingKey) Key() any                                    { return k.key }
func (k signingKey) ID() string                                  { return "test" }

type publicKey struct{ key *rsa.PrivateKey }

func (k publicKey) ID() string                         { return "test" }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                           { return &k.key.PublicKey }
