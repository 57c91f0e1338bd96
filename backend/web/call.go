package web

import (
	"context"
	"net/http"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
	"github.com/adjudge/adjudge/backend/ledger"
)

// call is what is known about a request. The outermost middleware makes it and
// the guard fills it in, so that the log line at the end knows all of it.
type call struct {
	id      string // quoted to people as the reference
	host    string // as the browser addressed us; checked
	address string // IP address of the other end
	pattern string
	access  access
	visit   identity.Visit
	attempt string
	place   Place
	asked   *http.Request // as the handler got it: it knows the form, and none of those it was copied from does
	kind    fault.Kind    // of the error that was answered, if one was
}

type callKey struct{}

func callIn(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// actorOf returns who sends the request; the zero Actor on a route for anybody.
func actorOf(r *http.Request) ledger.Actor { return callIn(r.Context()).visit.Actor }

// visitOf returns the person and login or token behind the request.
func visitOf(r *http.Request) identity.Visit { return callIn(r.Context()).visit }

// projectOf returns the project that {project} names.
func projectOf(r *http.Request) Place { return callIn(r.Context()).place }

// attemptOf returns the training attempt that sends the request.
func attemptOf(r *http.Request) string { return callIn(r.Context()).attempt }

// actorIn, projectIn and attemptIn are the same for operations of the API.
func actorIn(ctx context.Context) ledger.Actor { return callIn(ctx).visit.Actor }
func projectIn(ctx context.Context) Place      { return callIn(ctx).place }
