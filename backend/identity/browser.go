package identity

import (
	"slices"
	"strings"
	"time"
)

// A browser in which somebody signed in is known for that person, long after
// they signed out: wrong passwords that strangers try elsewhere do not hold them
// up there. It opens nothing, and a password is asked for all the same. The
// browser keeps a secret for each person it is known for; here stands the hash of
// secret, person and password, so that the table says about nobody where they sign
// in, and that a changed password forgets every browser but the one in which it
// was changed: whoever had the old one is a stranger from then on.

// KnownLasts is how long a browser is known after the last sign-in.
const KnownLasts = 180 * 24 * time.Hour

// mostKnown is for how many people one browser is known: those who share a
// computer, the latest first.
const mostKnown = 8

// secretsOf reads what a browser keeps.
func secretsOf(browser string) []string {
	secrets := slices.DeleteFunc(strings.Split(clip(browser, 1000), "."), func(s string) bool { return s == "" })
	return secrets[:min(len(secrets), mostKnown)]
}

func browserKey(person Person, secret string) Hash {
	return HashOf("browser\x00" + string(person.ID) + "\x00" + person.Password + "\x00" + secret)
}

// knownBy returns by which secret a browser is known for a person, and the key
// that goes with it; both are empty where it is not.
func (s *Service) knownBy(tx Tx, person Person, browser string) (secret string, key Hash, err error) {
	for _, secret := range secretsOf(browser) {
		key := browserKey(person, secret)
		until, err := tx.KnownBrowser(key)
		if err != nil {
			return "", "", err
		}
		if s.now().Before(until) {
			return secret, key, nil
		}
	}
	return "", "", nil
}

// remember makes a browser known for a person who has just signed in, and
// returns what it keeps from now on. A secret is always one of ours: whoever
// plants their own in somebody's browser does not become known by it.
func (s *Service) remember(tx Tx, person Person, browser, fresh string) (string, error) {
	secret, _, err := s.knownBy(tx, person, browser)
	if err != nil {
		return "", err
	}
	others := slices.DeleteFunc(secretsOf(browser), func(other string) bool { return other == secret })
	if secret == "" {
		secret = fresh
	}
	kept := slices.Concat([]string{secret}, others)
	return strings.Join(kept[:min(len(kept), mostKnown)], "."), tx.KnowBrowser(browserKey(person, secret), s.now().Add(KnownLasts))
}

// stayKnown keeps a browser known in which a person changes their password.
func (s *Service) stayKnown(tx Tx, was, is Person, browser string) error {
	secret, _, err := s.knownBy(tx, was, browser)
	if err != nil || secret == "" {
		return err
	}
	return tx.KnowBrowser(browserKey(is, secret), s.now().Add(KnownLasts))
}
