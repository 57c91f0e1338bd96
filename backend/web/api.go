package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/frontend/ui"
)

// apiPrefix is where the JSON API lives.
const apiPrefix = "/api/v1"

// api declares one operation. The path is below apiPrefix; id is its unique
// name in the OpenAPI document ("list-snapshots").
type api struct {
	method  string
	path    string
	id      string
	summary string
	access  access
	action  ledger.Action
}

// InProject is the input of operations under /projects/{project}; embed it.
type InProject struct {
	Project string `path:"project" doc:"Slug or id of the project" maxLength:"100"`
}

// Answer is an output whose body is T.
type Answer[T any] struct{ Body T }

// List is the body of every listing.
type List[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"Pass it as after to get the next page; absent on the last"`
}

// operation registers an operation behind the same guard as pages. Its handler
// returns faults; they become problem+json.
func operation[I, O any](s *Server, a api, handle func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		OperationID: a.id, Method: a.method, Path: a.path, Summary: a.summary,
		Tags:     []string{tagOf(a.path)},
		Metadata: map[string]any{declared: a},
		// One byte less than the guard's limit, so that huma answers 413 itself.
		MaxBodyBytes: maxBody - 1,
		Responses: map[string]*huma.Response{"default": {
			Description: "Error",
			Content: map[string]*huma.MediaType{
				"application/problem+json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")},
			},
		}},
	}
	switch a.access {
	case none:
	case attempt:
		op.Security = []map[string][]string{{"attempt": {}}}
	case there:
		op.Security = []map[string][]string{{"login": {}}}
		op.Description = "A browser that is signed in, or the command line on the server's machine; an API token is refused. "
	default:
		op.Security = []map[string][]string{{"token": {}}, {"login": {}}}
	}
	if a.action != "" {
		op.Description += "Needs the permission to " + string(a.action) + "."
	}
	cut := readWhole[I, O]()
	if cut {
		op.Parameters = append(op.Parameters, afterParameter())
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err == nil && cut {
			err = any(out).(whole).from(afterIn(ctx))
		}
		if err != nil {
			return nil, s.problemOf(ctx, err)
		}
		return out, nil
	})
}

// declared is the key under which an operation keeps its declaration.
const declared = "adjudge"

func tagOf(path string) string {
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/projects/{project}"), "/") {
		if part != "" {
			return part
		}
	}
	return "projects"
}

// newAPI makes huma ready: no docs page (it loads foreign scripts), no schema
// links, no hooks.
func (s *Server) newAPI() huma.API {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	return huma.NewAPI(huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Adjudge", Version: s.Version,
				Description: "Label data, compare models, sign off candidates, ask the gate. Errors are problem+json (RFC 9457).",
			},
			Servers: []*huma.Server{{URL: apiPrefix}},
			Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
				"token":   {Type: "http", Scheme: "bearer", Description: "An API token, made under Account"},
				"login":   {Type: "apiKey", In: "cookie", Name: s.cookieName(), Description: "The cookie of a browser that is signed in"},
				"attempt": {Type: "http", Scheme: "bearer", Description: "The token of a training attempt"},
			}},
		},
		Formats:       map[string]huma.Format{"application/json": utf8JSON(), "json": utf8JSON()},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{oneShape},
	}, adapter{s})
}

// utf8JSON reads JSON that holds Unicode, as it has to; see mustBeUnicode.
func utf8JSON() huma.Format {
	format := huma.DefaultJSONFormat
	decode := format.Unmarshal
	format.Unmarshal = func(data []byte, v any) error {
		if err := mustBeUnicode(data); err != nil {
			return err
		}
		return decode(data, v)
	}
	return format
}

// mustBeUnicode refuses JSON that is not UTF-8, and escapes of half a character
// (\uD800 without its other half). The decoder would put a replacement character
// for each, and so change a name in silence.
func mustBeUnicode(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("the request is not UTF-8; send JSON in UTF-8")
	}
	for i := bytes.IndexByte(data, '\\'); i >= 0 && i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		if first := escaped(data[i:]); utf16.IsSurrogate(first) {
			second := escaped(data[min(i+6, len(data)):])
			if utf16.DecodeRune(first, second) == utf8.RuneError {
				return fmt.Errorf("the request holds half a character, \\u%04X; send JSON in UTF-8", first)
			}
			i += 6
		}
		i++ // what is escaped, which may be a backslash
	}
	return nil
}

// escaped reads \uXXXX at the beginning of some JSON; 0 if there is none.
func escaped(data []byte) rune {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(n)
}

// oneShape names the language of errors, and gives those that huma found itself (a missing field, broken JSON)
// the shape of all others.
func oneShape(ctx huma.Context, _ string, v any) (any, error) {
	if _, ok := v.(*Problem); ok {
		ctx.SetHeader("Content-Language", ui.LanguageOf(ctx.Context()).Tag)
	}
	found, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := &Problem{Type: "about:blank", Status: found.Status, Detail: found.Detail, Reference: callIn(ctx.Context()).id}
	p.Kind = fault.Invalid
	for kind, status := range statuses {
		if status.code == found.Status && kind != fault.Unmet {
			p.Kind, p.Title = kind, status.title
		}
	}
	if p.Title == "" {
		p.Title = statuses[fault.Invalid].title
	}
	for _, e := range found.Errors {
		p.Errors = append(p.Errors, ProblemField{Location: strings.TrimPrefix(e.Location, "body."), Message: e.Message})
	}
	return p, nil
}

// adapter puts huma's operations into the server's own route table.
type adapter struct{ s *Server }

// Handle adds an operation as a route.
func (m adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	a := op.Metadata[declared].(api)
	m.s.add(route{a.method, apiPrefix + a.path, a.access, a.action, func(w http.ResponseWriter, r *http.Request) error {
		handler(humachi.NewContext(op, r.WithContext(withAfter(r.Context(), r.URL.Query().Get("after"))), w))
		return nil
	}})
}

// ServeHTTP makes it a huma.Adapter; requests come through the server itself.
func (m adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.s.ServeHTTP(w, r) }

// schemaName names a schema after its type, with the package in front for types
// of other rooms, so that two Models do not collide.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	room := t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]
	if room == "" || room == "web" {
		return name
	}
	return strings.ToUpper(room[:1]) + room[1:] + name
}

// getOpenAPI serves the OpenAPI document.
func (s *Server) getOpenAPI() func(http.ResponseWriter, *http.Request) error {
	document := sync.OnceValues(func() ([]byte, error) { return s.api.OpenAPI().MarshalJSON() })
	return func(w http.ResponseWriter, _ *http.Request) error {
		text, err := document()
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		_, err = w.Write(text)
		return ignoreGone(err)
	}
}

// listed makes a list that is never null.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
