package checkpoint

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/smtp"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// patience is how long one push may take.
const patience = 2 * time.Minute

// ParseWitness reads the address of a witness: git+URL for a Git repository that
// the git program may push to, smtp://[USER@]HOST:PORT?from=ADDRESS&to=ADDRESS
// for a mailbox. dir is where a clone may stand. It returns Invalid for any other.
func ParseWitness(address, dir, installation, password string) (Pusher, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
	case strings.HasPrefix(address, "git+"):
		inner, err := url.Parse(strings.TrimPrefix(address, "git+"))
		if err == nil && inner.Path != "" {
			name := "git " + inner.Redacted()
			return &Git{URL: inner.String(), Installation: installation, name: name,
				Clone: filepath.Join(dir, "git-"+ledger.DigestOf([]byte(inner.String())).Hex()[:12])}, nil
		}
	case u.Scheme == "smtp":
		from, err := mail.ParseAddress(u.Query().Get("from"))
		to, err2 := mail.ParseAddress(u.Query().Get("to"))
		if err == nil && err2 == nil && u.Port() != "" {
			return &Mail{Host: u.Host, User: u.User.Username(), Password: password, From: from.Address, To: to.Address}, nil
		}
	}
	return nil, fault.Field("witness", "%q is no witness. Name git+https://host/repository, git+ssh://git@host/repository, s3://bucket/prefix?endpoint=https://host (with object lock) or smtp://user@host:587?from=a@example.org&to=b@example.org.", address)
}

// Git is a repository with a file of checkpoints for each installation. It is
// only ever added to: nothing is forced, and a file there that holds what we
// never made is refused.
type Git struct {
	URL, Clone, Installation string

	name string
}

// Name implements Pusher.
func (g *Git) Name() string { return g.name }

// Push implements Pusher.
func (g *Git) Push(ctx context.Context, list []ledger.Checkpoint) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// A clone of our own costs little and is never in a state of yesterday.
	if err := errors.Join(os.RemoveAll(g.Clone), os.MkdirAll(filepath.Dir(g.Clone), 0o700)); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(g.Clone) }() // made anew next time
	if err := g.git(ctx, filepath.Dir(g.Clone), "clone", "--quiet", "--depth", "1", "--", g.URL, g.Clone); err != nil {
		return err
	}
	path := filepath.Join(g.Clone, g.Installation+".jsonl")
	there, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	content := there
	for _, c := range list {
		if !bytes.Contains(content, c.Envelope) {
			content = append(append(content, c.Envelope...), '\n')
		}
	}
	if len(content) == len(there) {
		return nil
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	last := list[len(list)-1]
	message := fmt.Sprintf("Checkpoint of %s: %d events\n\n%s\n", g.Installation, last.Seq, last.Hash)
	if err := g.git(ctx, g.Clone, "add", "--", filepath.Base(path)); err != nil {
		return err
	}
	if err := g.git(ctx, g.Clone, "-c", "user.name=Adjudge", "-c", "user.email=adjudge@localhost", "-c", "commit.gpgsign=false", "commit", "--quiet", "-m", message); err != nil {
		return err
	}
	return g.git(ctx, g.Clone, "push", "--quiet", "origin", "HEAD")
}

func (g *Git) git(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=true", "LC_ALL=C")
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return fault.As(fault.Unavailable, err, "The program git is not installed on the server.")
	}
	if err != nil {
		words := strings.ReplaceAll(strings.Join(strings.Fields(said.String()), " "), g.URL, strings.TrimPrefix(g.name, "git "))
		return fault.As(fault.Unavailable, err, "git cannot %s: %.300s", args[0], words)
	}
	return nil
}

// Mail is a mailbox: each checkpoint is a mail that carries it.
type Mail struct {
	Host, User, Password, From, To string
}

// Name implements Pusher.
func (m *Mail) Name() string { return "mail to " + m.To }

// Push implements Pusher.
func (m *Mail) Push(ctx context.Context, list []ledger.Checkpoint) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", m.Host)
	if err != nil {
		return fault.As(fault.Unavailable, err, "The mail server %s does not answer.", m.Host)
	}
	defer func() { _ = conn.Close() }() // closed by Quit when all went well
	deadline, _ := ctx.Deadline()
	if err := m.send(conn, deadline, list); err != nil {
		return fault.As(fault.Unavailable, err, "The mail server %s refused: %v", m.Host, err)
	}
	return nil
}

func (m *Mail) send(conn net.Conn, deadline time.Time, list []ledger.Checkpoint) error {
	host, _, _ := net.SplitHostPort(m.Host)
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	if err := begin(client, host, m.User, m.Password); err != nil {
		return err
	}
	for _, c := range list {
		if err := errors.Join(client.Mail(m.From), client.Rcpt(m.To)); err != nil {
			return err
		}
		body, err := client.Data()
		if err != nil {
			return err
		}
		_, err = body.Write(m.message(c))
		if err = errors.Join(err, body.Close()); err != nil {
			return err
		}
	}
	return client.Quit()
}

// message is a mail whose last line is the checkpoint, ready to be saved into a
// file for doctor.
func (m *Mail) message(c ledger.Checkpoint) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nDate: %s\r\nSubject: Adjudge checkpoint of %s: %d events\r\nMessage-ID: <%d.%s@adjudge>\r\n",
		m.From, m.To, c.At.Format(time.RFC1123Z), c.Installation, c.Seq, c.At.UnixMicro(), c.Installation)
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
	fmt.Fprintf(&b, "On %s UTC the history of %s held %d events; the last had the hash\r\n%s.\r\n\r\n", c.At.UTC().Format(time.DateTime), c.Installation, c.Seq, c.Hash)
	b.WriteString("Keep this mail. `adjudge doctor --checkpoint FILE` reads it as it is and says whether\r\nthe history was rewritten or cut since. The signed checkpoint:\r\n\r\n")
	b.WriteString(armorBegin + "\r\n")
	for line := range bytes.SplitSeq(fold(c.Envelope), []byte("\n")) {
		b.Write(append(line, "\r\n"...))
	}
	b.WriteString(armorEnd + "\r\n")
	return b.Bytes()
}

// begin greets the mail server: over TLS where it can, and with a password only then.
func begin(client *smtp.Client, host, user, password string) error {
	if ok, _ := client.Extension("STARTTLS"); ok {
		if err := client.StartTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}); err != nil {
			return err
		}
	}
	if user == "" {
		return nil
	}
	return client.Auth(smtp.PlainAuth("", user, password, host)) // refuses without TLS, but on this machine
}
