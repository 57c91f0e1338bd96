package app

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A pipeline acts on the exit code: 1 is an answer of the gate and nothing else.
func TestTheExitCodeOfTheGateSaysWhoseFaultItIs(t *testing.T) {
	t.Parallel()
	problem := func(kind, detail string) string {
		return fmt.Sprintf(`{"status":0,"detail":%q,"kind":%q}`, detail, kind)
	}
	for name, c := range map[string]struct {
		status int
		body   string
		want   int
	}{
		"approved":                       {http.StatusOK, `{"data":{"ok":true,"state":"approved","decided":true,"reason":"It may ship."}}`, exitOK},
		"not approved":                   {http.StatusOK, `{"data":{"ok":false,"state":"rejected","decided":true,"reason":"No."}}`, exitFailed},
		"open":                           {http.StatusOK, `{"data":{"ok":false,"state":"open","decided":false,"reason":"Needs a vote."}}`, exitFailed},
		"a token that is wrong":          {http.StatusUnauthorized, problem("unauthenticated", "This token is not right."), exitUsage},
		"a token that may not ask":       {http.StatusForbidden, problem("denied", "This token may not."), exitUsage},
		"a proxy that asks who it is":    {http.StatusUnauthorized, `<h1>401</h1>`, exitUsage},
		"a proxy that forbids":           {http.StatusForbidden, `<h1>403</h1>`, exitUsage},
		"a project that there is not":    {http.StatusNotFound, problem("not_found", "There is no such project."), exitUsage},
		"several candidates":             {http.StatusUnprocessableEntity, problem("invalid", "Say which with --project."), exitUsage},
		"a conflict":                     {http.StatusConflict, problem("conflict", "It changed."), exitUsage},
		"too many questions":             {http.StatusTooManyRequests, problem("unavailable", "Try again later."), exitUnreachable},
		"a server in trouble":            {http.StatusInternalServerError, problem("internal", "Something went wrong."), exitUnreachable},
		"a server that starts":           {http.StatusServiceUnavailable, `starting`, exitUnreachable},
		"a gateway without its server":   {http.StatusBadGateway, `<h1>502</h1>`, exitUnreachable},
		"something else that answers":    {http.StatusOK, `<html>Welcome</html>`, exitUnreachable},
		"something else that says 'yes'": {http.StatusOK, `{"data":"ok"}`, exitUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			cmd := exec.CommandContext(t.Context(), binary(t), "gate", "1", "--server", server.URL)
			cmd.Env = append(os.Environ(), "ADJUDGE_TOKEN=x")
			out, err := cmd.CombinedOutput()
			code := exitOK
			if failed, ok := errors.AsType[*exec.ExitError](err); ok {
				code = failed.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if code != c.want || len(out) == 0 {
				t.Errorf("exit %d instead of %d:\n%s", code, c.want, out)
			}
		})
	}
}

// What goes wrong before anybody could be asked is no answer either.
func TestAGateThatCouldNotAskSaysNoNo(t *testing.T) {
	t.Parallel()
	quiet := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(quiet.Close)
	t.Cleanup(quiet.CloseClientConnections)
	data := func(credential string) string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "credential.json"), []byte(credential), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, c := range map[string]struct {
		args []string
		want int
	}{
		"files that are not there":       {[]string{"--model", filepath.Join(t.TempDir(), "nowhere"), "--server", quiet.URL}, exitUsage},
		"a credential file that is torn": {[]string{"1", "--data", data(`{"server":`)}, exitUsage},
		"an empty credential file":       {[]string{"1", "--data", data(`{}`)}, exitUsage},
		"a command that is ended":        {[]string{"1", "--server", quiet.URL}, exitUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), binary(t), append([]string{"gate"}, c.args...)...)
			cmd.Env = append(os.Environ(), "ADJUDGE_SERVER=")
			if c.want == exitUnreachable {
				cmd.Env = append(cmd.Env, "ADJUDGE_TOKEN=x")
				time.AfterFunc(2*time.Second, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
			}
			out, err := cmd.CombinedOutput()
			if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != c.want || len(out) == 0 {
				t.Errorf("%v instead of %d:\n%s", err, c.want, out)
			}
		})
	}
}

// The other commands ask for the same token.
func TestATokenThatIsNotTakenIsWrongUsage(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(server.Close)
		for _, args := range [][]string{
			{"project", "list"}, {"candidate", "list", "--project", "bank"}, {"candidate", "show", "1"}, {"evidence", "export", "1", "-o", t.TempDir()},
			{"vote", "1", "--value", "+2"}, {"history", "list", "--project", "bank"}, {"token", "list"},
		} {
			cmd := exec.CommandContext(t.Context(), binary(t), append(args, "--server", server.URL)...)
			cmd.Env = append(os.Environ(), "ADJUDGE_TOKEN=x")
			out, err := cmd.CombinedOutput()
			if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != exitUsage {
				t.Errorf("%v at %d: %v\n%s", args, status, err, out)
			}
		}
	}
}
