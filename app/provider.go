package app

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/outbound"
	"github.com/adjudge/adjudge/backend/trace"
)

// providerOptions are the flags about signing in by OpenID Connect.
type providerOptions struct {
	issuer, client, name, groups string
	scopes                       []string
}

func (o *providerOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.issuer, "oidc-issuer", os.Getenv("ADJUDGE_OIDC_ISSUER"), "OpenID Connect provider at which people may sign in, https://… (default: $ADJUDGE_OIDC_ISSUER); it returns to /sign-in/oidc/callback below the public address")
	f.StringVar(&o.client, "oidc-client-id", os.Getenv("ADJUDGE_OIDC_CLIENT_ID"), "as which client the provider knows this installation (default: $ADJUDGE_OIDC_CLIENT_ID; its secret: $ADJUDGE_OIDC_SECRET)")
	f.StringVar(&o.name, "oidc-name", os.Getenv("ADJUDGE_OIDC_NAME"), "what the button calls the provider (default: $ADJUDGE_OIDC_NAME, else its host)")
	f.StringVar(&o.groups, "oidc-groups-claim", cmp.Or(os.Getenv("ADJUDGE_OIDC_GROUPS_CLAIM"), "groups"), "claim that lists the groups of a person; what they stand for here is set under People, Groups")
	f.StringSliceVar(&o.scopes, "oidc-scope", strings.Fields(os.Getenv("ADJUDGE_OIDC_SCOPE")), "scope to ask for beside openid, profile and email, for providers that tell groups only then (default: $ADJUDGE_OIDC_SCOPE, several apart by blanks)")
}

// provider is what the flags describe, nil where none is set.
func (o *providerOptions) provider(t *trace.Tracer) (*identity.Provider, error) {
	if o.issuer == "" {
		if o.client != "" {
			return nil, usage{fmt.Errorf("--oidc-client-id needs --oidc-issuer")}
		}
		return nil, nil
	}
	p := identity.Provider{
		Issuer: o.issuer, ClientID: o.client, Secret: os.Getenv("ADJUDGE_OIDC_SECRET"), Name: o.name, Scopes: o.scopes, Groups: o.groups,
	}
	if err := p.Validate(); err != nil {
		return nil, usage{fmt.Errorf("--oidc-issuer, --oidc-client-id: %s", fault.Message(err))}
	}
	at, err := url.Parse(o.issuer)
	if err != nil {
		return nil, err // Validate has parsed it
	}
	// The operator named this host, so it may stand in the same private network.
	p.Client = outbound.New(calls(t, outbound.Config{Allow: []string{at.Hostname()}, Agent: "Adjudge/" + version()}))
	return &p, nil
}
