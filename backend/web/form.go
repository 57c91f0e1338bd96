package web

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/frontend/page"
)

// parseForm reads the fields of a posted form into r.PostForm.
func parseForm(r *http.Request) error {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var err error
	if kind == "multipart/form-data" {
		err = r.ParseMultipartForm(maxBody)
	} else {
		err = r.ParseForm()
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); err != nil && !large {
		return fault.As(fault.Invalid, err, "The form could not be read. Reload the page and try again.")
	}
	return err
}

// typed returns what stood in the named fields, to show it again.
func typed(r *http.Request, names ...string) map[string]string {
	values := map[string]string{}
	for _, name := range names {
		values[name] = r.PostForm.Get(name)
	}
	return values
}

// refused is a form that is shown again with what was typed and what is wrong.
func (s *Server) refused(ctx context.Context, values map[string]string, err error) page.FormView {
	s.logAway(ctx, err)
	return page.Refused(ctx, values, err)
}

// isRefusal reports whether a form should be shown again with the error, rather
// than a page that only shows the error.
func isRefusal(err error) bool {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Conflict, fault.Unmet:
		return true
	}
	return false
}

// clipped returns text from a request that is only shown again, cut short.
func clipped(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), 200)], "")
}
