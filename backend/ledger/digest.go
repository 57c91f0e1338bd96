package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
)

// Digest names bytes by their content: "sha256:" and 64 lowercase hex digits.
type Digest string

// DigestOf returns the digest of content.
func DigestOf(content []byte) Digest { return DigestFrom(sha256.Sum256(content)) }

// DigestFrom returns the digest that a finished SHA-256 stands for.
func DigestFrom(sum [sha256.Size]byte) Digest { return Digest("sha256:" + hex.EncodeToString(sum[:])) }

// ParseDigest reads a digest as people paste it. It returns Invalid for
// anything but "sha256:" and 64 hex digits; upper case is folded.
func ParseDigest(text string) (Digest, error) {
	d := Digest(strings.ToLower(strings.TrimSpace(text)))
	if raw, err := hex.DecodeString(d.Hex()); err != nil || len(raw) != sha256.Size || len(d) != 71 {
		return "", fault.Field("digest", "%.80q is not a digest; it looks like sha256: and 64 hexadecimal digits", text)
	}
	return d, nil
}

// Hex returns the 64 hex digits without the algorithm's name.
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), "sha256:") }

// Short returns the first twelve hex digits, for people's eyes only.
func (d Digest) Short() string { return d.Hex()[:min(12, len(d.Hex()))] }
