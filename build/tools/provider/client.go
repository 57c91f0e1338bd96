package main

import (
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// authRequest is somebody on their way through the provider.
type authRequest struct {
	*oidc.AuthRequest
	id      string
	subject string // "" until they have signed in
	authAt  time.Time
}

// accepts reports whether a sign-in at a time is recent enough for the request.
func (r *authRequest) accepts(at time.Time) bool {
	// The library has made max_age=0 of prompt=login.
	return r.MaxAge == nil || time.Since(at) < time.Duration(*r.MaxAge)*time.Second
}

func (r *authRequest) GetID() string                      { return r.id }
func (r *authRequest) GetACR() string                     { return "" }
func (r *authRequest) GetAMR() []string                   { return []string{"pwd"} }
func (r *authRequest) GetAudience() []string              { return []string{r.ClientID} }
func (r *authRequest) GetAuthTime() time.Time             { return r.authAt }
func (r *authRequest) GetClientID() string                { return r.ClientID }
func (r *authRequest) GetNonce() string                   { return r.Nonce }
func (r *authRequest) GetRedirectURI() string             { return r.RedirectURI }
func (r *authRequest) GetResponseType() oidc.ResponseType { return r.ResponseType }
func (r *authRequest) GetResponseMode() oidc.ResponseMode { return r.ResponseMode }
func (r *authRequest) GetScopes() []string                { return r.Scopes }
func (r *authRequest) GetState() string                   { return r.State }
func (r *authRequest) GetSubject() string                 { return r.subject }
func (r *authRequest) Done() bool                         { return r.subject != "" }
func (r *authRequest) GetCodeChallenge() *oidc.CodeChallenge {
	if r.CodeChallenge == "" {
		return nil
	}
	return &oidc.CodeChallenge{Challenge: r.CodeChallenge, Method: r.CodeChallengeMethod}
}

// relyingParty is the one client.
type relyingParty struct {
	id, secret string
	redirects  []string
}

var _ op.HasRedirectGlobs = (*relyingParty)(nil)

func (c *relyingParty) GetID() string                        { return c.id }
func (c *relyingParty) RedirectURIs() []string               { return c.redirects }
func (c *relyingParty) RedirectURIGlobs() []string           { return c.redirects }
func (c *relyingParty) PostLogoutRedirectURIs() []string     { return c.redirects }
func (c *relyingParty) PostLogoutRedirectURIGlobs() []string { return c.redirects }
func (c *relyingParty) ApplicationType() op.ApplicationType  { return op.ApplicationTypeWeb }
func (c *relyingParty) AuthMethod() oidc.AuthMethod          { return oidc.AuthMethodBasic }
func (c *relyingParty) LoginURL(id string) string            { return "/login?id=" + id }
func (c *relyingParty) AccessTokenType() op.AccessTokenType  { return op.AccessTokenTypeBearer }
func (c *relyingParty) DevMode() bool                        { return true }
func (c *relyingParty) IsScopeAllowed(scope string) bool     { return scope == "groups" }
func (c *relyingParty) IDTokenUserinfoClaimsAssertion() bool { return false }

const lifetime = 5 * time.Minute

// The library has no clock that could be set but this: it takes the skew from the
// times at which something was issued and somebody signed in, and adds it to the
// end of the lifetime.
func (c *relyingParty) ClockSkew() time.Duration       { return -moved() }
func (c *relyingParty) IDTokenLifetime() time.Duration { return lifetime + 2*moved() }

func (c *relyingParty) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c *relyingParty) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeCode}
}
func (c *relyingParty) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}
func (c *relyingParty) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}
