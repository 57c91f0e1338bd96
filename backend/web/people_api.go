package web

import (
	"context"

	"github.com/adjudge/adjudge/backend/ledger"
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

// identityAPI registers the operations about people and tokens.
func (s *Server) identityAPI() {
	operation(s, api{GET, "/me", "get-me", "Who am I", either, ledger.ActionRead}, func(ctx context.Context, _ *struct{}) (*Answer[Me], error) {
		v := callIn(ctx).visit
		return &Answer[Me]{Me{v.Person.ID, v.Person.Username, v.Person.Name, v.Person.TimeZone, v.Person.Admin, v.Actor.Via, v.Actor.Scope, v.Actor.Roles}}, nil
	})
}
