package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/adjudge/adjudge/backend/fault"
)

// Hashing is the cost of an argon2id hash.
type Hashing struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// OWASP is the least that the OWASP password storage cheat sheet asks for.
func OWASP() Hashing { return Hashing{MemoryKiB: 19 * 1024, Passes: 2, Threads: 1} }

const (
	saltBytes = 16
	keyBytes  = 32
	// minPassword follows NIST SP 800-63B: length counts, composition rules do not.
	minPassword = 10
	maxPassword = 256
)

func validPassword(field, password, username string) error {
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return fault.Field(field, "The password contains broken characters.")
	case n < minPassword:
		return fault.Field(field, "Use at least %d characters; three or four words do well.", minPassword)
	case n > maxPassword:
		return fault.Field(field, "Use at most %d characters.", maxPassword)
	case username != "" && strings.EqualFold(password, username):
		return fault.Field(field, "The password must not be the name you sign in with.")
	case strings.Count(password, password[:1]) == len(password):
		return fault.Field(field, "One repeated character is too easy to guess.")
	}
	return nil
}

var encoding = base64.RawStdEncoding

// hash returns the PHC string of a password with a fresh salt.
func (h Hashing) hash(password string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	key := argon2.IDKey([]byte(password), salt, h.Passes, h.MemoryKiB, h.Threads, keyBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.MemoryKiB, h.Passes, h.Threads,
		encoding.EncodeToString(salt), encoding.EncodeToString(key))
}

// matches reports whether password belongs to the PHC string.
func matches(phc, password string) (bool, error) {
	var version int
	var h Hashing
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return false, errors.New("not an argon2id PHC string")
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, fmt.Errorf("argon2 version %q is unknown", parts[2])
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.MemoryKiB, &h.Passes, &h.Threads); err != nil {
		return false, fmt.Errorf("parameters %q: %w", parts[3], err)
	}
	if h.Passes < 1 || h.Threads < 1 || h.MemoryKiB > 1<<20 {
		return false, fmt.Errorf("parameters %q are out of range", parts[3])
	}
	salt, err := encoding.DecodeString(parts[4])
	if err != nil {
		return false, fmt.Errorf("salt: %w", err)
	}
	want, err := encoding.DecodeString(parts[5])
	if err != nil || len(want) == 0 {
		return false, errors.New("key is not base64")
	}
	got := argon2.IDKey([]byte(password), salt, h.Passes, h.MemoryKiB, h.Threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// kitchen bounds how many hashes are computed at once, so that a flood of
// sign-ins costs time and not memory.
type kitchen struct {
	hashing Hashing
	slots   chan struct{}
	dummy   string // verified where there is no such person, so that both answers take as long
}

func newKitchen(h Hashing, slots int) *kitchen {
	return &kitchen{hashing: h, slots: make(chan struct{}, slots), dummy: h.hash("nobody has this password")}
}

func (k *kitchen) enter(ctx context.Context) error {
	select {
	case k.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fault.As(fault.Unavailable, ctx.Err(), "Too many people are signing in at this moment. Try again.")
	}
}

func (k *kitchen) hash(ctx context.Context, password string) (string, error) {
	if err := k.enter(ctx); err != nil {
		return "", err
	}
	defer func() { <-k.slots }()
	return k.hashing.hash(password), nil
}

func (k *kitchen) matches(ctx context.Context, phc, password string) (bool, error) {
	if err := k.enter(ctx); err != nil {
		return false, err
	}
	defer func() { <-k.slots }()
	if phc == "" {
		_, _ = matches(k.dummy, password)
		return false, nil
	}
	return matches(phc, password)
}
