package identity

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Person is somebody who can sign in.
type Person struct {
	ID        ledger.PersonID
	Username  string // what they type to sign in: unique, lower case
	Name      string // what others see, and what a vote prints
	TimeZone  string // IANA name, "" for UTC
	Admin     bool   // admin of the whole installation
	Disabled  bool   // may not sign in any more
	Owner     bool   // owns the data directory: the command line on the server's machine acts in their name
	Password  string // PHC string of the argon2id hash, "" while none is set
	CreatedAt time.Time
	ChangedAt time.Time
	AskedAt   time.Time // when they asked for a new link to sign in, zero where they did not
	Linked    bool      // signs in by a provider as well; read only
	// Demanded is the shortest time, in minutes, after which a project that the
	// person may open wants an idle browser locked; 0: none does. Read only.
	Demanded int
	Preferences
}

// Location returns the person's time zone, UTC where none is set or known.
func (p Person) Location() *time.Location {
	if loc, err := time.LoadLocation(p.TimeZone); err == nil {
		return loc
	}
	return time.UTC
}

// Invited reports whether the person has no way to sign in yet.
func (p Person) Invited() bool { return p.Password == "" && !p.Linked && !p.Owner }

// FoldUsername brings a username into the form in which it is stored.
func FoldUsername(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Validate returns an Invalid fault per field that is wrong.
func (p Person) Validate() error {
	return errors.Join(validUsername(p.Username), validName(p.Name), validTimeZone(p.TimeZone), p.Preferences.Validate())
}

func validUsername(name string) error {
	switch {
	case name == "":
		return fault.Field("username", "Choose the name to sign in with, for example anna.")
	case utf8.RuneCountInString(name) > 100:
		return fault.Field("username", "Use at most 100 characters.")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) || !utf8.ValidString(name):
		if err := ledger.Plain("username", name); err != nil {
			return err // it says which
		}
		return fault.Field("username", "Leave out spaces and invisible characters.")
	}
	return nil
}

func validName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fault.Field("name", "Give the name that colleagues will see.")
	case utf8.RuneCountInString(name) > 100:
		return fault.Field("name", "Use at most 100 characters.")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) }) || !utf8.ValidString(name):
		return fault.Field("name", "Leave out line breaks and control characters.")
	}
	return ledger.Plain("name", name) // votes print it
}

func validTimeZone(name string) error {
	if name == "Local" {
		return fault.Field("time_zone", "Choose a time zone by its name, for example Europe/Berlin.")
	}
	if _, err := time.LoadLocation(name); err != nil {
		return fault.Field("time_zone", "There is no time zone %.60q. Choose one by its name, for example Europe/Berlin.", name)
	}
	return nil
}
