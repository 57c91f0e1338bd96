package identity_test

import (
	"testing"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/identity"
)

func TestOwnKeysAreWrittenInOneForm(t *testing.T) {
	t.Parallel()
	k := identity.NewOwnKeys(map[string]string{"label.skip": "shift + alt+s", "lock": "", "palette": "Ctrl+K", "help": "f2"})
	if want := identity.OwnKeys("help=F2 label.skip=Alt+Shift+S"); k != want {
		t.Errorf("%q, want %q", k, want)
	}
	if err := k.Validate(); err != nil {
		t.Error(err)
	}
	if got := k.ByAction()["label.skip"]; got != "Alt+Shift+S" || identity.NewOwnKeys(k.ByAction()) != k {
		t.Errorf("read back: %q", got)
	}
}

func TestAKeyThatCannotBeIsRefusedWithTheRemedy(t *testing.T) {
	t.Parallel()
	for combo, want := range map[string]string{
		"S":            "S answers with a class on the labeling page. Choose a sign, or a key with Alt, Ctrl or Shift, such as Alt+S.",
		"7":            "7 answers with a class on the labeling page. Choose a sign, or a key with Alt, Ctrl or Shift, such as Alt+7.",
		"Shift+7":      "Shift+7 is another sign on each keyboard. Choose another key, such as Alt+7.",
		"Ctrl+W":       "Ctrl+W belongs to the browser. Choose another key, such as Alt+S.",
		"Enter":        "Enter belongs to the buttons. Choose another key, such as Alt+S.",
		"Hyper+S":      `"Hyper+S" is no key. Press the key in the field, or write it like Alt+S, Ctrl+Shift+Z or F2.`,
		"Alt+L":        `Alt+L stands for "lock the screen" already. Choose another key here, or give that one another first.`,
		"Ctrl+Shift+Z": `Ctrl+Shift+Z stands for "redo" already. Choose another key here, or give that one another first.`,
	} {
		err := identity.NewOwnKeys(map[string]string{"label.skip": combo}).Validate()
		if got := fault.Fields(err)["key.label.skip"]; got != want {
			t.Errorf("%s: %q, want %q", combo, got, want)
		}
	}
	for _, combo := range []string{"Alt+S", "Shift+S", "Ctrl+Space", ";", "F2", "Alt+0"} {
		if err := identity.NewOwnKeys(map[string]string{"label.skip": combo}).Validate(); err != nil {
			t.Errorf("%s: %v", combo, err)
		}
	}
	// Two keys may change places.
	if err := identity.NewOwnKeys(map[string]string{"label.peek": "/", "label.find": "."}).Validate(); err != nil {
		t.Error(err)
	}
	if err := identity.NewOwnKeys(map[string]string{"help": "/"}).Validate(); fault.Fields(err)["key.help"] == "" {
		t.Error("the key that searches in lists is given away")
	}
	if err := identity.OwnKeys("fly=Alt+F").Validate(); fault.Fields(err)["key.fly"] == "" {
		t.Errorf("an action that is none: %v", err)
	}
}
