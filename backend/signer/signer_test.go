package signer

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestPAEIsTheOneOfTheSpecification(t *testing.T) {
	t.Parallel()
	got := string(PAE("http://example.com/HelloWorld", []byte("hello world")))
	if want := "DSSEv1 29 http://example.com/HelloWorld 11 hello world"; got != want {
		t.Errorf("PAE = %q, want %q", got, want)
	}
	// Lengths are bytes, not characters.
	if got, want := string(PAE("é", []byte("ü"))), "DSSEv1 2 é 2 ü"; got != want {
		t.Errorf("PAE = %q, want %q", got, want)
	}
}

func open(t *testing.T) (*Key, string) {
	t.Helper()
	dir := t.TempDir()
	key, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return key, dir
}

func TestAKeyIsMadeOnceAndReadableByItsOwnerAlone(t *testing.T) {
	t.Parallel()
	key, dir := open(t)
	again, err := Open(dir)
	if err != nil || again.Hint() != key.Hint() {
		t.Fatalf("a second start has the key %s, want %s (%v)", again.Hint(), key.Hint(), err)
	}
	info, err := os.Stat(filepath.Join(dir, PrivateFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, want 0600 (%v)", info.Mode(), err)
	}
	written, err := os.ReadFile(filepath.Join(dir, PublicFile))
	if err != nil || !bytes.Equal(written, key.PEM()) {
		t.Errorf("the public key file holds %q (%v)", written, err)
	}
	if err := os.Chmod(filepath.Join(dir, PrivateFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others can read is taken: %v", err)
	}
}

func TestASignatureHoldsForItsBytesAndItsKeyOnly(t *testing.T) {
	t.Parallel()
	key, _ := open(t)
	other, _ := open(t)
	payload := []byte(`{"_type":"https://in-toto.io/Statement/v1"}`)
	envelope, err := key.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	bundled, err := key.Bundle(envelope)
	if err != nil {
		t.Fatal(err)
	}
	for name, document := range map[string][]byte{"envelope": envelope, "bundle": bundled} {
		got, err := key.Verify(document)
		if err != nil || !bytes.Equal(got, payload) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		if _, err := other.Verify(document); err == nil {
			t.Errorf("%s: another key verifies it", name)
		}
	}
}

// Every byte of a signed file matters: whichever is changed, the file either no
// longer verifies or still says exactly what was signed.
func TestNoChangedByteOfAFileChangesWhatItSays(t *testing.T) {
	t.Parallel()
	key, _ := open(t)
	payload := []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[]}`)
	envelope, err := key.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	bundled, err := key.Bundle(envelope)
	if err != nil {
		t.Fatal(err)
	}
	for name, document := range map[string][]byte{"envelope": envelope, "bundle": bundled} {
		for i := range document {
			for _, flip := range []byte{0x01, 0x20, 0x80} {
				changed := bytes.Clone(document)
				changed[i] ^= flip
				got, err := key.Verify(changed)
				if err == nil && !bytes.Equal(got, payload) {
					t.Fatalf("%s: byte %d flipped by %#x verifies and says %q", name, i, flip, got)
				}
				// Only the case of a letter in a JSON key may change without harm.
				if err == nil && flip != 0x20 {
					t.Errorf("%s: byte %d flipped by %#x goes unseen", name, i, flip)
				}
			}
		}
	}
}

func TestAnEnvelopeWithoutAValidSignatureIsRefused(t *testing.T) {
	t.Parallel()
	key, _ := open(t)
	good, err := key.Sign([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Envelope){
		"no signature":                func(e *Envelope) { e.Signatures = nil },
		"a second, false signature":   func(e *Envelope) { e.Signatures = append(e.Signatures, Signature{Sig: "AAAA"}) },
		"another payload type":        func(e *Envelope) { e.PayloadType = "text/plain" },
		"a payload that is no base64": func(e *Envelope) { e.Payload = "*" },
	} {
		var envelope Envelope
		if err := json.Unmarshal(good, &envelope); err != nil {
			t.Fatal(err)
		}
		change(&envelope)
		document, err := json.Marshal(envelope)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := key.Verify(document); err == nil {
			t.Errorf("%s verifies", name)
		}
	}
	if _, err := key.Verify(append(bytes.Clone(good), good...)); err == nil {
		t.Error("two documents in one file verify")
	}
}

func TestOnlyAP256PublicKeyIsAKey(t *testing.T) {
	t.Parallel()
	key, _ := open(t)
	parsed, err := ParsePublic(key.PEM())
	if err != nil || parsed.Hint() != key.Hint() {
		t.Errorf("hint = %s, %v", parsed.Hint(), err)
	}
	for _, bad := range []string{"", "x", strings.ReplaceAll(string(key.PEM()), "PUBLIC", "PRIVATE"), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"} {
		if _, err := ParsePublic([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}

// OpenSSL is an independent judge of what is signed: the pre-authentication
// encoding with ECDSA over SHA-256.
func TestOpenSSLAgrees(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	key, dir := open(t)
	payload := []byte(`{"_type":"https://in-toto.io/Statement/v1"}`)
	document, err := key.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	var envelope Envelope
	if err := json.Unmarshal(document, &envelope); err != nil {
		t.Fatal(err)
	}
	sig, err := decode(envelope.Signatures[0].Sig)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	verify := func(pae []byte) (string, error) {
		out, err := exec.CommandContext(t.Context(), openssl, "dgst", "-sha256", "-verify", filepath.Join(dir, PublicFile),
			"-signature", write("sig", sig), write("pae", pae)).CombinedOutput()
		return string(out), err
	}
	if out, err := verify(PAE(PayloadType, payload)); err != nil {
		t.Errorf("openssl says %q: %v", out, err)
	}
	if out, err := verify(PAE(PayloadType, append(payload, ' '))); err == nil {
		t.Errorf("openssl verifies other bytes: %q", out)
	}
}
