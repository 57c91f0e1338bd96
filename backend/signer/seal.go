package signer

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"path/filepath"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
)

// leastSecret is how many characters the secret of a key file has at least; 32
// random bytes in Base64 are 44.
const leastSecret = 32

const sealed = "sealed-1:"

// Seal returns the private key as text that is worth nothing without the secret,
// so that a database can hold it for all servers that know the secret. It
// returns Invalid for a secret that could be guessed.
func (k *Key) Seal(secret string) (string, error) {
	box, err := boxOf(secret)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // crypto/rand never fails
	return sealed + base64.StdEncoding.EncodeToString(box.Seal(nonce, nonce, der, []byte(sealed))), nil
}

// Unseal returns the key that Seal wrote. It returns Invalid for another secret
// or a changed text.
func Unseal(text, secret string) (*Key, error) {
	box, err := boxOf(secret)
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, sealed))
	if err != nil || !strings.HasPrefix(text, sealed) || len(raw) < box.NonceSize() {
		return nil, fault.New(fault.Invalid, "The signing key in the database cannot be read.")
	}
	der, err := box.Open(nil, raw[:box.NonceSize()], raw[box.NonceSize():], []byte(sealed))
	if err != nil {
		return nil, fault.As(fault.Invalid, err, "The key file does not open the signing key in the database. Give this server the same key file as the others.")
	}
	return parsePrivate(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func boxOf(secret string) (cipher.AEAD, error) {
	secret = strings.TrimSpace(secret)
	if len(secret) < leastSecret {
		return nil, fault.New(fault.Invalid, "The key file holds less than %d characters. Make one with: openssl rand -base64 32", leastSecret)
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "adjudge signing key", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// WritePublic writes the public key into a directory, for people who verify.
func (p Public) WritePublic(dir string) error {
	if err := replaceFile(filepath.Join(dir, PublicFile), p.pem); err != nil {
		return fault.As(fault.Unavailable, err, "The public key cannot be written to %s.", dir)
	}
	return nil
}
