package signer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/adjudge/adjudge/backend/fault"
)

// Key signs in the name of this installation.
type Key struct {
	Public
	private *ecdsa.PrivateKey
}

// Public checks what a key has signed.
type Public struct {
	key *ecdsa.PublicKey
	pem []byte
}

// Names of the key files in the data directory.
const (
	PrivateFile = "signing-key.pem"
	PublicFile  = "signing-key.pub"
)

// Open reads the key in a directory and makes one where there is none. The
// private key is readable by its owner alone; a key that others can read is
// refused, for its signatures prove nothing.
func Open(dir string) (*Key, error) {
	path := filepath.Join(dir, PrivateFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(dir, path); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fault.As(fault.Unavailable, err, "The signing key cannot be written to %s.", path)
		}
		info, err = os.Stat(path)
	}
	if err != nil {
		return nil, fault.As(fault.Unavailable, err, "The signing key %s cannot be read.", path)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fault.New(fault.Invalid, "Others can read the signing key %s. Run chmod 600 on it, or replace it if you do not trust them.", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.As(fault.Unavailable, err, "The signing key %s cannot be read.", path)
	}
	key, err := parsePrivate(text)
	if err != nil {
		return nil, fault.As(fault.Invalid, err, "The file %s holds no ECDSA P-256 key. Restore it from a backup.", path)
	}
	// The public key stands beside it for people; it is written anew at each
	// start, so that it cannot drift from the private one.
	if err := replaceFile(filepath.Join(dir, PublicFile), key.PEM()); err != nil {
		return nil, fault.As(fault.Unavailable, err, "The public key cannot be written beside %s.", path)
	}
	return key, nil
}

func create(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	temp := path + ".new"
	if err := writeFile(temp, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return err
	}
	// A link never replaces a key that somebody else made meanwhile.
	err = os.Link(temp, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(temp, path) // a file system without links
	}
	_ = os.Remove(temp)
	return err
}

// writeFile writes a file with exactly these permissions and waits until the
// bytes are on the disk.
func writeFile(path string, content []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
}

// replaceFile writes a file that everybody may read beside its place and moves it
// there, so that there is never half of it.
func replaceFile(path string, content []byte) error {
	temp := path + ".new"
	err := writeFile(temp, content, 0o644)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp)
	}
	return err
}

func parsePrivate(text []byte) (*Key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, errors.New("not an ECDSA P-256 key")
	}
	public, err := newPublic(&private.PublicKey)
	return &Key{Public: public, private: private}, err
}

func newPublic(key *ecdsa.PublicKey) (Public, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return Public{}, err
	}
	return Public{key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}, nil
}

// ParsePublic reads a public key in PEM. It returns Invalid for anything but an
// ECDSA P-256 key.
func ParsePublic(text []byte) (Public, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return Public{}, fault.Field("key", "This is no public key in PEM; it starts with -----BEGIN PUBLIC KEY-----.")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Public{}, fault.As(fault.Invalid, err, "The public key cannot be read.")
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return Public{}, fault.Field("key", "The key is not an ECDSA P-256 key.")
	}
	return newPublic(key)
}

// PEM returns the public key's text.
func (p Public) PEM() []byte { return p.pem }

// Hint names the public key: the hex SHA-256 of its PEM text.
func (p Public) Hint() string {
	sum := sha256.Sum256(p.pem)
	return hex.EncodeToString(sum[:])
}

// Sign returns a DSSE envelope around a payload.
func (k *Key) Sign(payload []byte) ([]byte, error) {
	sum := sha256.Sum256(PAE(PayloadType, payload))
	sig, err := ecdsa.SignASN1(rand.Reader, k.private, sum[:])
	if err != nil {
		return nil, fault.Wrap(err, "sign")
	}
	envelope, err := json.Marshal(Envelope{
		PayloadType: PayloadType,
		Payload:     base64.StdEncoding.EncodeToString(payload),
		Signatures:  []Signature{{Sig: base64.StdEncoding.EncodeToString(sig)}},
	})
	return envelope, fault.Wrap(err, "encode an envelope")
}
