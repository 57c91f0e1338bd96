package signer

import (
	"bytes"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
)

// Whatever is sent as a signed document, what comes out was signed with the key.
func FuzzVerify(f *testing.F) {
	key, err := Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	payload := []byte(`{"_type":"x"}`)
	envelope, err := key.Sign(payload)
	if err != nil {
		f.Fatal(err)
	}
	bundled, err := key.Bundle(envelope)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(envelope)
	f.Add(bundled)
	f.Add([]byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}`))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":null}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		got, err := key.Verify(document)
		if err == nil && !bytes.Equal(got, payload) {
			t.Fatalf("%q was never signed", got)
		}
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatalf("%v is no reason for people", err)
		}
	})
}

// A public key that is taken is written as it is read.
func FuzzParsePublic(f *testing.F) {
	key, err := Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(key.PEM())
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePublic(text)
		if err != nil {
			return
		}
		if again, err := ParsePublic(p.PEM()); err != nil || again.Hint() != p.Hint() {
			t.Fatalf("read again it is %s, not %s: %v", again.Hint(), p.Hint(), err)
		}
	})
}
