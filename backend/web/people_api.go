package web

import (
	"context"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/review"
)

// Me is the person behind a request.
type Me struct {
	ID       ledger.PersonID                    `json:"id"`
	Username string                             `json:"username"`
	Name     string                             `json:"name"`
	TimeZone string                             `json:"time_zone"`
	Admin    bool                               `json:"admin"`
	Via      ledger.Via                         `json:"via" enum:"login,token,local"`
	Scope    ledger.Scope                       `json:"scope" enum:"full,read,gate"`
	Roles    map[ledger.ProjectID][]ledger.Role `json:"roles" doc:"Roles by project id"`
}

// PersonBody is a person as the API shows them.
type PersonBody struct {
	ID        ledger.PersonID `json:"id"`
	Username  string          `json:"username,omitempty"`
	Name      string          `json:"name"`
	TimeZone  string          `json:"time_zone,omitempty"`
	Admin     bool            `json:"admin"`
	Disabled  bool            `json:"disabled"`
	Invited   bool            `json:"invited" doc:"Has not chosen a password yet"`
	CreatedAt time.Time       `json:"created_at"`
	Roles     []ledger.Role   `json:"roles,omitempty" doc:"In the project asked about"`
	Link      string          `json:"link,omitempty" doc:"One-time link on which they choose a password; given once"`
}

func personBody(p identity.Person) PersonBody {
	return PersonBody{ID: p.ID, Username: p.Username, Name: p.Name, TimeZone: p.TimeZone, Admin: p.Admin, Disabled: p.Disabled, Invited: p.Invited(), CreatedAt: p.CreatedAt}
}

// TokenBody is an API token as the API shows it.
type TokenBody struct {
	ID        identity.TokenID `json:"id"`
	Person    ledger.PersonID  `json:"person"`
	Name      string           `json:"name"`
	Scope     ledger.Scope     `json:"scope"`
	Hint      string           `json:"hint" doc:"The first characters of the token"`
	CreatedAt time.Time        `json:"created_at"`
	ExpiresAt *time.Time       `json:"expires_at,omitempty"`
	UsedAt    *time.Time       `json:"used_at,omitempty"`
	RevokedAt *time.Time       `json:"revoked_at,omitempty"`
	Token     string           `json:"token,omitempty" doc:"The token itself; given once, when it is made"`
}

func tokenBody(t identity.Token) TokenBody {
	some := func(at time.Time) *time.Time {
		if at.IsZero() {
			return nil
		}
		return &at
	}
	return TokenBody{ID: t.ID, Person: t.Person, Name: t.Name, Scope: t.Scope, Hint: t.Hint, CreatedAt: t.CreatedAt,
		ExpiresAt: some(t.ExpiresAt), UsedAt: some(t.UsedAt), RevokedAt: some(t.RevokedAt)}
}

// CreatePersonInput asks for a new person.
type CreatePersonInput struct {
	Body struct {
		Username string   `json:"username" doc:"What they type to sign in"`
		Name     string   `json:"name,omitempty" doc:"What others see; the username if empty"`
		TimeZone string   `json:"time_zone,omitempty" doc:"IANA name"`
		Password string   `json:"password,omitempty" doc:"Without it, the answer carries a one-time link"`
		Admin    bool     `json:"admin,omitempty"`
		Project  string   `json:"project,omitempty" doc:"Slug or id of a project they join at once"`
		Roles    []string `json:"roles,omitempty" doc:"Their roles there"`
	}
}

// PersonInput names a person by id or username.
type PersonInput struct {
	Person string `path:"person" doc:"Id or username" maxLength:"100"`
}

// ChangePersonInput changes what is given.
type ChangePersonInput struct {
	PersonInput
	Body struct {
		Name     *string `json:"name,omitempty"`
		TimeZone *string `json:"time_zone,omitempty"`
		Admin    *bool   `json:"admin,omitempty"`
		Disabled *bool   `json:"disabled,omitempty"`
		Reason   string  `json:"reason,omitempty" doc:"Why; needed where admin changes" maxLength:"4000"`
	}
}

// RoleInput names one role of one person in a project.
type RoleInput struct {
	InProject
	PersonInput
	Role string `path:"role" doc:"annotator, lead, reviewer, approver, data_scientist, auditor or admin" maxLength:"40"`
	Because
}

// Because is the body of a change whose only word is why.
type Because struct {
	Body *struct {
		Reason string `json:"reason,omitempty" doc:"Why; stands in the history beside the change" maxLength:"4000"`
	}
}

func (b Because) reason() string {
	if b.Body == nil {
		return ""
	}
	return b.Body.Reason
}

// TokensInput asks for one's own tokens, or everybody's.
type TokensInput struct {
	All bool `query:"all" doc:"Everybody's, for admins"`
}

// CreateTokenInput asks for a new API token.
type CreateTokenInput struct {
	Body struct {
		Name      string       `json:"name" doc:"What it is for"`
		Scope     ledger.Scope `json:"scope,omitempty" doc:"full, read or gate; full if empty"`
		ExpiresAt *time.Time   `json:"expires_at,omitempty" doc:"Never if absent"`
		Person    string       `json:"person,omitempty" doc:"Id or username of whose it is; yours if empty, somebody else's needs an admin"`
	}
}

// TokenInput names a token.
type TokenInput struct {
	ID string `path:"id" maxLength:"100"`
}

// identityAPI registers the operations about people and tokens.
func (s *Server) identityAPI() {
	operation(s, api{GET, "/me", "get-me", "Who am I", either, ledger.ActionRead}, func(ctx context.Context, _ *struct{}) (*Answer[Me], error) {
		v := callIn(ctx).visit
		return &Answer[Me]{Me{v.Person.ID, v.Person.Username, v.Person.Name, v.Person.TimeZone, v.Person.Admin, v.Actor.Via, v.Actor.Scope, v.Actor.Roles}}, nil
	})
	operation(s, api{GET, "/people", "list-people", "List everybody", either, ledger.ActionAdminister}, s.listPeople)
	operation(s, api{POST, "/people", "create-person", "Create a person", there, ledger.ActionManage}, s.createPerson)
	operation(s, api{PATCH, "/people/{person}", "change-person", "Change a person", there, ledger.ActionAdminister}, s.changePerson)
	operation(s, api{POST, "/people/{person}/invitations", "invite-person", "Make a one-time link on which a person chooses a password", there, ledger.ActionAdminister}, s.invitePerson)
	operation(s, api{GET, "/projects/{project}/people", "list-members", "List the people of a project with their roles", either, ledger.ActionRead}, s.listMembers)
	operation(s, api{PUT, "/projects/{project}/people/{person}/roles/{role}", "grant-role", "Give a person a role", there, ledger.ActionManage}, s.grantRole)
	operation(s, api{POST, "/projects/{project}/people/{person}/confirmations", "confirm-voter", "Confirm that a reviewer or approver may vote here, whoever let them in", there, ledger.ActionManage}, s.confirmVoter)
	operation(s, api{DELETE, "/projects/{project}/people/{person}/roles/{role}", "revoke-role", "Take a role from a person", there, ledger.ActionManage}, s.revokeRole)
	operation(s, api{GET, "/tokens", "list-tokens", "List API tokens", either, ledger.ActionRead}, s.listTokens)
	operation(s, api{POST, "/tokens", "create-token", "Make an API token", there, ledger.ActionComment}, s.createToken)
	operation(s, api{POST, "/tokens/{id}/revoke", "revoke-token", "Revoke an API token", there, ledger.ActionComment}, s.revokeToken)
}

func (s *Server) listPeople(ctx context.Context, _ *struct{}) (*Answer[List[PersonBody]], error) {
	people, err := s.Identity.People(ctx, actorIn(ctx))
	body := List[PersonBody]{Items: []PersonBody{}}
	for _, p := range people {
		body.Items = append(body.Items, personBody(p))
	}
	return &Answer[List[PersonBody]]{body}, err
}

func (s *Server) createPerson(ctx context.Context, in *CreatePersonInput) (*Answer[PersonBody], error) {
	req := identity.CreatePersonRequest{
		Username: in.Body.Username, Name: in.Body.Name, TimeZone: in.Body.TimeZone, Password: in.Body.Password, Admin: in.Body.Admin,
	}
	if in.Body.Project != "" {
		place, err := s.Place(ctx, in.Body.Project)
		if err != nil {
			return nil, err
		}
		req.Project = place.ID
	}
	for _, text := range in.Body.Roles {
		role, err := identity.ParseRole(text)
		if err != nil {
			return nil, err
		}
		req.Roles = append(req.Roles, role)
	}
	person, secret, err := s.Identity.CreatePerson(ctx, actorIn(ctx), req)
	body := personBody(person)
	body.Roles, body.Link = req.Roles, s.welcomeLink(ctx, secret)
	return &Answer[PersonBody]{body}, err
}

// ConfirmVoterInput says why somebody may vote.
type ConfirmVoterInput struct {
	InProject
	PersonInput
	Body struct {
		Reason string `json:"reason" doc:"How you know; stands in the history" maxLength:"4000"`
	}
}

// ConfirmedVoter says what became of the open candidates.
type ConfirmedVoter struct {
	Candidates []ConfirmedCandidate `json:"candidates" nullable:"false" doc:"The open candidates of the project, decided anew"`
}

// ConfirmedCandidate is a candidate and its state after a confirmation.
type ConfirmedCandidate struct {
	Number int          `json:"number"`
	Name   string       `json:"name"`
	State  review.State `json:"state"`
}

func (s *Server) confirmVoter(ctx context.Context, in *ConfirmVoterInput) (*Answer[ConfirmedVoter], error) {
	person, err := s.personNamed(ctx, in.Person)
	if err != nil {
		return nil, err
	}
	decided, err := s.Review.ConfirmVoter(ctx, actorIn(ctx), review.ConfirmVoterRequest{Project: projectIn(ctx).ID, Person: person.ID, Reason: in.Body.Reason})
	out := ConfirmedVoter{Candidates: []ConfirmedCandidate{}}
	for _, c := range decided {
		out.Candidates = append(out.Candidates, ConfirmedCandidate{c.Number, c.Name, c.State})
	}
	return &Answer[ConfirmedVoter]{out}, err
}

// personNamed finds a person by id or username.
func (s *Server) personNamed(ctx context.Context, text string) (identity.Person, error) {
	return s.Identity.PersonNamed(ctx, actorIn(ctx), text)
}

func (s *Server) changePerson(ctx context.Context, in *ChangePersonInput) (*Answer[PersonBody], error) {
	person, err := s.personNamed(ctx, in.Person)
	if err != nil {
		return nil, err
	}
	person, err = s.Identity.ChangePerson(ctx, actorIn(ctx), person.ID, identity.ChangePersonRequest(in.Body))
	return &Answer[PersonBody]{personBody(person)}, err
}

func (s *Server) invitePerson(ctx context.Context, in *PersonInput) (*Answer[PersonBody], error) {
	person, err := s.personNamed(ctx, in.Person)
	if err != nil {
		return nil, err
	}
	secret, err := s.Identity.Invite(ctx, actorIn(ctx), person.ID)
	body := personBody(person)
	body.Link = s.welcomeLink(ctx, secret)
	return &Answer[PersonBody]{body}, err
}

func (s *Server) listMembers(ctx context.Context, _ *InProject) (*Answer[List[PersonBody]], error) {
	members, err := s.Identity.Members(ctx, actorIn(ctx), projectIn(ctx).ID)
	body := List[PersonBody]{Items: []PersonBody{}}
	for _, m := range members {
		p := personBody(m.Person)
		p.Invited, p.Roles = false, m.All()
		body.Items = append(body.Items, p)
	}
	return &Answer[List[PersonBody]]{body}, err
}

func (s *Server) membership(ctx context.Context, in *RoleInput) (identity.Membership, error) {
	person, err := s.personNamed(ctx, in.Person)
	if err != nil {
		return identity.Membership{}, err
	}
	role, err := identity.ParseRole(in.Role)
	return identity.Membership{Project: projectIn(ctx).ID, Person: person.ID, Role: role}, err
}

func (s *Server) grantRole(ctx context.Context, in *RoleInput) (*struct{}, error) {
	m, err := s.membership(ctx, in)
	if err == nil {
		err = s.Identity.Grant(ctx, actorIn(ctx), m, in.reason())
	}
	return nil, err
}

func (s *Server) revokeRole(ctx context.Context, in *RoleInput) (*struct{}, error) {
	m, err := s.membership(ctx, in)
	if err == nil {
		err = s.Identity.Revoke(ctx, actorIn(ctx), m, in.reason())
	}
	return nil, err
}

func (s *Server) listTokens(ctx context.Context, in *TokensInput) (*Answer[List[TokenBody]], error) {
	tokens, err := s.Identity.Tokens(ctx, actorIn(ctx), in.All)
	body := List[TokenBody]{Items: []TokenBody{}}
	for _, t := range tokens {
		body.Items = append(body.Items, tokenBody(t))
	}
	return &Answer[List[TokenBody]]{body}, err
}

func (s *Server) createToken(ctx context.Context, in *CreateTokenInput) (*Answer[TokenBody], error) {
	req := identity.CreateTokenRequest{Name: in.Body.Name, Scope: in.Body.Scope}
	if in.Body.Person != "" {
		person, err := s.personNamed(ctx, in.Body.Person)
		if err != nil {
			return nil, err
		}
		req.Person = person.ID
	}
	if at := in.Body.ExpiresAt; at != nil {
		if req.ExpiresAt = *at; at.IsZero() {
			return nil, fault.Field("expires_at", "Give a time to come, or leave it out for never.")
		}
	}
	token, secret, err := s.Identity.CreateToken(ctx, actorIn(ctx), req)
	body := tokenBody(token)
	body.Token = secret
	return &Answer[TokenBody]{body}, err
}

func (s *Server) revokeToken(ctx context.Context, in *TokenInput) (*struct{}, error) {
	return nil, s.Identity.RevokeToken(ctx, actorIn(ctx), identity.TokenID(in.ID))
}
