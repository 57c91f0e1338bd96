// Package media reads pictures, recordings and videos that items refer to, from
// where the operator of the server allows it: directories that were named, out of
// which nothing leads, and hosts on the web. Objects are never copied to stay;
// what is shown is read anew each time, whole, before its first byte goes out, so
// that what was compared with its digest is what is sent.
package media

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/outbound"
	"github.com/adjudge/adjudge/labeling"
)

// Config says where objects may come from.
type Config struct {
	Dirs  map[string]string // directories by name; see ParseDir
	Hosts []string          // hosts of https addresses, "img.example.org" or with a port
	Temp  string            // directory for what is shown right now; made if it is not there, and emptied; "": objects are looked at alone
	Agent string            // User-Agent
	// Trace, if set, sees each call of a host; see outbound.Config.
	Trace func(r *http.Request, named bool) (*http.Request, func(*http.Response, error))
}

// Sources reads objects.
type Sources struct {
	Config
	roots  map[string]*os.Root
	client *http.Client
	slots  chan struct{} // one for each object that is being read or shown
	plain  bool          // http as well, in tests
}

// mostOpen is how many objects are read or shown at once; together with the
// largest size it bounds the room that they take.
const mostOpen = 32

// webTimeout is for a whole object over the web.
const webTimeout = 2 * time.Minute

// scheme begins references to directories.
const scheme = "media://"

var dirName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$`)

// ParseDir reads "NAME=DIR" as an operator writes it.
func ParseDir(text string) (name, dir string, err error) {
	name, dir, both := strings.Cut(text, "=")
	if !both || dir == "" || !dirName.MatchString(name) {
		return "", "", fault.New(fault.Invalid, "%.80q names no directory; write NAME=DIR, the name in letters, digits, - and _", text)
	}
	return name, dir, nil
}

// Open opens the directories.
func Open(c Config) (_ *Sources, err error) {
	s := &Sources{Config: c, roots: map[string]*os.Root{}, slots: make(chan struct{}, mostOpen)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for name, dir := range c.Dirs {
		if s.roots[name], err = os.OpenRoot(dir); err != nil {
			delete(s.roots, name)
			return nil, fault.As(fault.Invalid, err, "The directory %s of --media %s cannot be opened", dir, name)
		}
	}
	if err := makeTemp(c.Temp); err != nil {
		return nil, err
	}
	s.client = outbound.New(outbound.Config{Allow: c.Hosts, Agent: c.Agent, Timeout: webTimeout, MaxBody: labeling.MostMedia + 1024, Trace: c.Trace})
	follow := s.client.CheckRedirect
	s.client.CheckRedirect = func(next *http.Request, before []*http.Request) error {
		if !s.allows(next.URL) {
			return fault.New(fault.Denied, "%s sends on to %s, which the operator of this server did not name with --media-host", before[0].URL.Host, next.URL.Host)
		}
		return follow(next, before)
	}
	return s, nil
}

// makeTemp makes an empty directory for what is shown, where something will be.
func makeTemp(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil { // of a server that died
		return fault.As(fault.Unavailable, err, "The directory %s cannot be emptied", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.As(fault.Unavailable, err, "The directory %s cannot be made", dir)
	}
	return nil
}

// Close gives the directories back.
func (s *Sources) Close() error {
	var errs []error
	for _, root := range s.roots {
		errs = append(errs, root.Close())
	}
	return errors.Join(errs...)
}

// allows reports whether the operator named the host of an address.
func (s *Sources) allows(at *url.URL) bool {
	return slices.ContainsFunc(s.Hosts, func(named string) bool {
		return strings.EqualFold(named, at.Host) || at.Port() == "" && strings.EqualFold(named, at.Hostname())
	})
}

// Name implements labeling.MediaSource.
func (s *Sources) Name(reference string) (string, error) {
	if strings.ContainsFunc(reference, unicode.IsControl) || ledger.Plain("media", reference) != nil {
		return "", fault.Field("media", "The reference %.80q holds characters that nobody sees; write it anew", reference)
	}
	switch at, err := url.Parse(reference); {
	case strings.HasPrefix(reference, scheme):
		reference = strings.TrimPrefix(reference, scheme)
	case err == nil && (at.Scheme == "https" || at.Scheme == "http" && s.plain):
		at.Fragment = ""
		switch {
		case at.User != nil:
			return "", fault.Field("media", "The address %s carries a name or password, which would stand in every export; leave it out", at.Redacted())
		case !s.allows(at):
			return "", fault.New(fault.Denied, "The host %s is none that the operator of this server named; it is named with serve --media-host %s", at.Host, at.Host)
		}
		return at.String(), nil
	case err == nil && at.Scheme != "" && strings.Contains(reference, "://"):
		return "", fault.Field("media", "%.80q cannot be read; write NAME/path of a directory that the operator named, or an https:// address", reference)
	}
	name, path, _ := strings.Cut(reference, "/")
	if _, err := s.root(name); err != nil {
		return "", err
	}
	if !fs.ValidPath(path) || path == "." || strings.Contains(path, `\`) {
		return "", fault.Field("media", "%.200q leads out of the directory %s or nowhere; write the path below it, with no .. in it", path, name)
	}
	return scheme + name + "/" + path, nil
}

// root returns a directory by its name. That none has it says nothing about what
// stands there.
func (s *Sources) root(name string) (*os.Root, error) {
	if root := s.roots[name]; root != nil {
		return root, nil
	}
	return nil, fault.New(fault.Unavailable, "This server knows no directory %.80q; its operator names one with serve --media %.80s=DIR", name, name)
}

// Look implements labeling.MediaSource.
func (s *Sources) Look(ctx context.Context, uri string) (labeling.MediaObject, error) {
	if err := s.take(ctx); err != nil {
		return labeling.MediaObject{}, err
	}
	defer s.give()
	return s.read(ctx, uri, io.Discard)
}

// Fetch implements labeling.MediaSource.
func (s *Sources) Fetch(ctx context.Context, uri string) (_ labeling.MediaObject, err error) {
	if err := s.take(ctx); err != nil {
		return labeling.MediaObject{}, err
	}
	kept := &spool{dir: s.Temp, give: s.give}
	defer func() {
		if err != nil {
			err = errors.Join(err, kept.Close())
		}
	}()
	object, err := s.read(ctx, uri, kept)
	if err != nil {
		return labeling.MediaObject{}, err
	}
	if object.ReadSeekCloser, err = kept.reader(); err != nil {
		return labeling.MediaObject{}, err
	}
	return object, nil
}

func (s *Sources) take(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fault.As(fault.Unavailable, ctx.Err(), "Too much is being read at once; try again")
	}
}

func (s *Sources) give() { <-s.slots }

// read copies an object as it is now.
func (s *Sources) read(ctx context.Context, uri string, to io.Writer) (labeling.MediaObject, error) {
	uri, err := s.Name(uri) // what was named at the import need not be any more
	if err != nil {
		if fault.Is(err, fault.Denied) {
			err = fault.As(fault.Unavailable, err, "%s", fault.Message(err))
		}
		return labeling.MediaObject{}, err
	}
	in, err := s.open(ctx, uri)
	if err != nil {
		return labeling.MediaObject{}, err
	}
	defer func() { _ = in.Close() }() // it was only read
	sum, head := sha256.New(), &head{}
	n, err := io.Copy(io.MultiWriter(sum, head, to), io.LimitReader(untilDone{ctx, in}, labeling.MostMedia+1))
	switch {
	case ctx.Err() != nil:
		return labeling.MediaObject{}, fault.As(fault.Unavailable, ctx.Err(), "Reading %s was given up", uri)
	case err != nil && fault.KindOf(err) != fault.Internal:
		return labeling.MediaObject{}, err
	case err != nil:
		return labeling.MediaObject{}, fault.As(fault.Unavailable, err, "%s could not be read to its end; try again later", uri)
	case n > labeling.MostMedia:
		return labeling.MediaObject{}, fault.New(fault.TooLarge, "%s has more than %d MB, which is the most; make it smaller", uri, labeling.MostMedia>>20)
	}
	return labeling.MediaObject{Digest: ledger.DigestFrom([sha256.Size]byte(sum.Sum(nil))), Bytes: n, Type: kindOf(head.b)}, nil
}

func (s *Sources) open(ctx context.Context, uri string) (io.ReadCloser, error) {
	if below, ok := strings.CutPrefix(uri, scheme); ok {
		name, path, _ := strings.Cut(below, "/")
		root, err := s.root(name)
		if err != nil {
			return nil, err
		}
		return openBelow(root, uri, filepath.FromSlash(path))
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, http.NoBody)
	if err != nil {
		return nil, fault.As(fault.Invalid, err, "%.200q is no address on the web", uri)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		if kind := fault.KindOf(err); kind == fault.Denied || kind == fault.Unavailable || kind == fault.Invalid {
			return nil, fault.As(fault.Unavailable, err, "%s", strings.TrimSuffix(fault.Message(err), "."))
		}
		return nil, fault.As(fault.Unavailable, err, "%s cannot be reached; try again later", r.URL.Host)
	}
	switch answer.StatusCode {
	case http.StatusOK:
		return answer.Body, nil
	case http.StatusNotFound, http.StatusGone:
		err = fault.New(fault.NotFound, "There is nothing at %s (%s); correct the reference", uri, answer.Status)
	default:
		err = fault.New(fault.Unavailable, "%s answers %s for %s; try again later", r.URL.Host, answer.Status, r.URL.Path)
	}
	return nil, errors.Join(err, answer.Body.Close())
}

// openBelow opens a plain file. A link that leads out of the directory is as good
// as nothing.
func openBelow(root *os.Root, uri, path string) (io.ReadCloser, error) {
	info, err := root.Stat(path)
	if err != nil {
		return nil, missing(err, uri)
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for a writer
		return nil, fault.New(fault.NotFound, "%s is no file; correct the reference", uri)
	}
	file, err := root.Open(path)
	if err != nil {
		return nil, missing(err, uri)
	}
	return file, nil
}

func missing(err error, uri string) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.As(fault.NotFound, err, "There is no file %s; correct the reference, or put the file there", uri)
	case strings.Contains(err.Error(), "escapes"):
		return fault.As(fault.NotFound, err, "%s leads out of its directory by a link; put the file itself there", uri)
	case errors.Is(err, fs.ErrPermission):
		return fault.As(fault.Unavailable, err, "The server may not read %s; let it", uri)
	}
	return fault.As(fault.Unavailable, fmt.Errorf("open %s: %w", uri, err), "%s cannot be read; try again later", uri)
}

// untilDone stops reading when its context ends.
type untilDone struct {
	ctx context.Context
	in  io.Reader
}

// Read implements io.Reader.
func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.in.Read(p)
}
