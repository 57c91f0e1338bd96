package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// Hash is the SHA-256 of a secret in hex: what is stored instead of it. A
// secret has 256 random bits, so a plain hash is enough.
type Hash string

// HashOf returns the hash under which a secret is stored.
func HashOf(secret string) Hash {
	sum := sha256.Sum256([]byte(secret))
	return Hash(hex.EncodeToString(sum[:]))
}

// newSecret returns a prefix and 32 random bytes in base64url.
func newSecret(prefix string) string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails since Go 1.24
	return prefix + base64.RawURLEncoding.EncodeToString(raw)
}
