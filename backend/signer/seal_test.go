package signer_test

import (
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/signer"
)

func TestASealedKeyOpensWithItsSecretAlone(t *testing.T) {
	t.Parallel()
	key, err := signer.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.Repeat("s3cret-", 6)
	text, err := key.Seal(secret)
	if err != nil {
		t.Fatal(err)
	}
	same, err := signer.Unseal(text, secret+"\n") // a file ends with a line break
	if err != nil || same.Hint() != key.Hint() {
		t.Errorf("unsealed: %v", err)
	}
	for name, change := range map[string][2]string{
		"another secret": {text, strings.Repeat("S3cret-", 6)},
		"a changed text": {text[:30] + "A" + text[31:], secret},
		"a cut text":     {text[:20], secret},
		"a short secret": {text, "short"},
		"no sealed text": {"hello", secret},
	} {
		if change[0] == text && change[1] == secret {
			continue // the changed character was an A
		}
		if _, err := signer.Unseal(change[0], change[1]); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := key.Seal("short"); !fault.Is(err, fault.Invalid) {
		t.Errorf("sealed under a secret that can be guessed: %v", err)
	}
}
