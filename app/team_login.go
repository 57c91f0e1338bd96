package app

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// loginJar keeps the cookies of one server for the window, in memory and, those
// that outlive a browser's session, in a file that only its owner can read.
type loginJar struct {
	path string

	mu      sync.Mutex
	cookies []keptCookie
}

type keptCookie struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	// Expires is when it ends; the zero time is the end of the window.
	Expires time.Time `json:"expires"`
}

// openLogins reads what was kept. A file that cannot be understood is as good
// as none: people sign in again.
func openLogins(path string) (*loginJar, error) {
	j := &loginJar{path: path}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return j, nil
	}
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(text, &j.cookies) != nil {
		j.cookies = nil
	}
	return j, nil
}

// header returns the Cookie header of a request, "" where there are none.
func (j *loginJar) header(now time.Time) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var pairs []string
	for _, c := range j.cookies {
		if c.Expires.IsZero() || c.Expires.After(now) {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	return strings.Join(pairs, "; ")
}

// value returns a cookie whose name begins so, "" where there is none.
func (j *loginJar) value(prefix string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.cookies {
		if strings.HasPrefix(c.Name, prefix) {
			return c.Value
		}
	}
	return ""
}

// take keeps what an answer sets and forgets what it ends.
func (j *loginJar) take(set []*http.Cookie, now time.Time) error {
	if len(set) == 0 {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range set {
		j.cookies = slices.DeleteFunc(j.cookies, func(old keptCookie) bool { return old.Name == c.Name })
		expires := c.Expires
		if c.MaxAge > 0 {
			expires = now.Add(time.Duration(c.MaxAge) * time.Second)
		}
		if c.MaxAge < 0 || !expires.IsZero() && !expires.After(now) {
			continue
		}
		j.cookies = append(j.cookies, keptCookie{c.Name, c.Value, expires})
	}
	var lasting []keptCookie
	for _, c := range j.cookies {
		if !c.Expires.IsZero() {
			lasting = append(lasting, c)
		}
	}
	if len(lasting) == 0 {
		if err := os.Remove(j.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	text, err := json.Marshal(lasting)
	if err != nil {
		return err
	}
	return writeFile(j.path, text)
}
