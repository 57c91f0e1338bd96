package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
)

// client speaks to a server's API for the commands.
type client struct {
	base  string // without a slash at the end
	token string
}

// unreachable says that no server answered; it ends a command with code 3.
type unreachable struct{ error }

func (u unreachable) Unwrap() error { return u.error }

// connect finds the server: --server or ADJUDGE_SERVER with ADJUDGE_TOKEN, else
// the one that runs on the data directory.
func connect(cmd *cobra.Command) (*client, error) {
	server, _ := cmd.Flags().GetString("server")
	if server == "" {
		server = os.Getenv("ADJUDGE_SERVER")
	}
	token := os.Getenv("ADJUDGE_TOKEN")
	if server != "" {
		if u, err := url.Parse(server); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, usage{fmt.Errorf("%q is no address of a server; it looks like https://adjudge.example.org", server)}
		}
		if token == "" {
			return nil, usage{errors.New("set ADJUDGE_TOKEN to a token of the server; make one under Settings, Tokens")}
		}
		return &client{base: strings.TrimRight(server, "/"), token: token}, nil
	}
	flag, _ := cmd.Flags().GetString("data")
	path, err := dataPath(flag)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(path, "credential.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unreachable{fmt.Errorf("no server runs on %s; start one with `adjudge serve`, or name one with --server and ADJUDGE_TOKEN", path)}
	}
	var found credentialFile
	if err == nil {
		err = json.Unmarshal(raw, &found)
	}
	if err != nil {
		return nil, usage{fmt.Errorf("read the credential file in %s: %w", path, err)}
	}
	if found.Server == "" || found.Token == "" {
		return nil, usage{fmt.Errorf("the credential file in %s says neither where the server is nor how to get in; restart the server", path)}
	}
	if token != "" {
		found.Token = token
	}
	return &client{base: found.Server, token: found.Token}, nil
}

// apiPath joins segments, each escaped, behind /api/v1.
func apiPath(segments ...string) string {
	var b strings.Builder
	b.WriteString("/api/v1")
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

// do sends a request and decodes the JSON answer into out, unless out is nil.
// A problem that the server answers comes back as a fault of its kind.
func (c *client) do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		if err := readable(in); err != nil {
			return err
		}
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	response, err := c.send(ctx, method, path, "application/json", body)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if out == nil {
		return nil
	}
	if raw, ok := out.(*json.RawMessage); ok {
		*raw, err = io.ReadAll(response.Body)
		return err
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return fmt.Errorf("decode the answer to %s %s: %w", method, path, err)
	}
	return nil
}

// get fetches JSON into out.
func (c *client) get(ctx context.Context, path string, out any) error {
	return c.do(ctx, http.MethodGet, path, nil, out)
}

// post sends JSON and decodes the answer into out.
func (c *client) post(ctx context.Context, path string, in, out any) error {
	return c.do(ctx, http.MethodPost, path, in, out)
}

// download copies the body of an answer to out.
func (c *client) download(ctx context.Context, path string, out io.Writer) error {
	response, err := c.send(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(out, response.Body)
	return err
}

// send sends a request with any body and returns an answer below 400; the
// caller closes its body.
func (c *client) send(ctx context.Context, method, path, media string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if media != "" && body != nil {
		request.Header.Set("Content-Type", media)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, unreachable{fmt.Errorf("no answer from %s: %w", c.base, err)}
	}
	if response.StatusCode < 400 {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }()
	var problem struct {
		Detail string     `json:"detail"`
		Kind   fault.Kind `json:"kind"`
		Errors []struct {
			Message  string `json:"message"`
			Location string `json:"location"`
		} `json:"errors"`
	}
	raw, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20)) // what came is all there is to say
	_ = json.Unmarshal(raw, &problem)
	message := problem.Detail
	for _, e := range problem.Errors {
		if e.Message != "" && !strings.Contains(message, e.Message) {
			message = strings.TrimSpace(message + " " + e.Location + ": " + e.Message)
		}
	}
	if message == "" {
		message = fmt.Sprintf("The server answered %s to %s %s.", response.Status, method, path)
	}
	if problem.Kind == "" {
		problem.Kind = kindOfStatus(response.StatusCode)
	}
	return nil, fault.New(problem.Kind, "%s", message)
}

// kindOfStatus tells the kind of an answer that does not say it itself, as a
// proxy's does not.
func kindOfStatus(status int) fault.Kind {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return fault.Invalid
	case http.StatusUnauthorized:
		return fault.Unauthenticated
	case http.StatusForbidden:
		return fault.Denied
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusConflict:
		return fault.Conflict
	case http.StatusRequestEntityTooLarge:
		return fault.TooLarge
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return fault.Unavailable
	}
	return fault.Internal
}

// printJSON writes one JSON document, as --json asks for.
func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(terminal(cmd))
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
