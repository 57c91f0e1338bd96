package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// A desktop window on a team's server cannot follow a sign-in at a provider: its
// pages stand on loopback, where no provider leads back to, and people rightly
// give their password to their own browser alone. So the window keeps a secret
// (the verifier), the browser is shown what follows from it (the challenge), and
// what the browser is given for the window is worth nothing without the secret.

// PurposeWindow is a link's that hands a sign-in over from a browser to a
// desktop window of the same computer. It is a code, never an address.
const PurposeWindow Purpose = "window"

// HandOverLasts is how long a code waits for the window.
const HandOverLasts = time.Minute

// handedOver is what stands in a code. The hash that is kept is that of the code
// and the challenge together: changed, or with another verifier, it is unknown.
type handedOver struct {
	Secret string `json:"k"`
	Issuer string `json:"i,omitempty"` // at which the sign-in was proven
	Since  int64  `json:"s"`           // of the sign-in, in microseconds
	Proof  bool   `json:"p,omitempty"` // stands in for a password once, instead of signing in
}

func (h handedOver) code() (string, error) {
	text, err := json.Marshal(h)
	return base64.RawURLEncoding.EncodeToString(text), err
}

// Challenge is what a window shows of its verifier.
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// ValidChallenge returns Invalid for what no window can have made.
func ValidChallenge(challenge string) error {
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(challenge); err != nil || len(raw) != sha256.Size {
		return fault.Field("challenge", "This is not how the Adjudge window asks for a sign-in. Press the button in the window again.")
	}
	return nil
}

// Digits are what window and browser show of a challenge, so that a person sees
// that they belong together: six, in two groups.
func Digits(challenge string) string {
	sum := sha256.Sum256([]byte("adjudge window " + challenge))
	n := binary.BigEndian.Uint64(sum[:8]) % 1_000_000
	return fmt.Sprintf("%03d %03d", n/1000, n%1000)
}

// HandOver makes the code by which the window that made a challenge gets a login
// of the person of a visit. With a proof (of ErrandConfirm) the window gets that
// instead of a login, for one signature.
func (s *Service) HandOver(ctx context.Context, visit Visit, challenge, proof string) (code string, err error) {
	if visit.Actor.Via != ledger.ViaLogin {
		return "", fault.New(fault.Denied, "Sign in with a browser to sign in the window.")
	}
	if err := ValidChallenge(challenge); err != nil {
		return "", err
	}
	secret := newSecret("")
	return code, s.update(ctx, func(tx Tx) error {
		if proof != "" {
			link, err := s.use(tx, PurposeProof, proof)
			if err == nil && link.Person != visit.Actor.Person {
				err = errLink()
			}
			if err != nil {
				return err
			}
		}
		logins, err := tx.Logins(visit.Actor.Person)
		if err != nil {
			return err
		}
		for _, l := range logins {
			if l.ID != visit.Login {
				continue
			}
			h := handedOver{Secret: secret, Issuer: l.Issuer, Since: l.CreatedAt.UnixMicro(), Proof: proof != ""}
			if code, err = h.code(); err != nil {
				return err
			}
			if err := tx.DeleteLinks(PurposeWindow, visit.Actor.Person); err != nil {
				return err
			}
			return tx.CreateLink(s.link(PurposeWindow, visit.Actor.Person, code+"."+challenge))
		}
		return errNobody()
	})
}

func errHandOver(cause error) error {
	return fault.As(fault.Invalid, cause, "The sign-in could not be brought to the window: it took longer than a minute, was brought already, or was begun elsewhere. Press the button in the window again.")
}

// Fetched is what a window got.
type Fetched struct {
	In    SignedIn
	Name  string // of the person
	Proof string // instead of In, where one was handed over
}

// Fetch exchanges a code and the verifier of its challenge, once. before is
// the secret of the login that the window has, "" for none: where that is
// locked, only a sign-in from after the lock opens the window, and a proof is
// taken by its own person alone.
func (s *Service) Fetch(ctx context.Context, code, verifier, before string, from From) (taken Fetched, err error) {
	var h handedOver
	text, err := base64.RawURLEncoding.DecodeString(code)
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	if err != nil {
		return taken, errHandOver(err)
	}
	secret := code + "." + Challenge(verifier)
	person, err := s.PeekLink(ctx, PurposeWindow, secret)
	if fault.Is(err, fault.NotFound) {
		return taken, errHandOver(err)
	}
	if err != nil {
		return taken, err
	}
	taken.Name = person.Name
	use := func(tx Tx) error {
		_, err := s.use(tx, PurposeWindow, secret)
		if fault.Is(err, fault.NotFound) {
			err = errHandOver(err)
		}
		return err
	}
	if h.Proof {
		visit, err := s.Present(ctx, before)
		if err == nil && visit.Actor.Person != person.ID {
			err = fault.New(fault.Denied, "You confirmed in the browser as somebody else than who signed in to the window.")
		}
		if err != nil {
			return taken, err
		}
		taken.Proof = newSecret("")
		return taken, s.update(ctx, func(tx Tx) error {
			if err := s.stillSignedIn(tx, visit); err != nil {
				return err
			}
			if err := use(tx); err != nil {
				return err
			}
			if err := tx.DeleteLinks(PurposeProof, person.ID); err != nil {
				return err
			}
			return tx.CreateLink(s.link(PurposeProof, person.ID, taken.Proof))
		})
	}
	if before != "" {
		login, _, err := s.locked(ctx, before)
		if ignoreNone(err) != nil {
			return taken, err
		}
		if err == nil && h.Since <= login.LockedAt.UnixMicro() {
			return taken, fault.New(fault.Denied, "The window was locked after this sign-in. Sign out in the browser, and press the button in the window again.")
		}
	}
	// It is the same sign-in, and ends when that would have ended.
	from.issuer, from.since = h.Issuer, time.UnixMicro(h.Since).UTC()
	taken.In, err = s.enter(ctx, person.ID, from, use)
	return taken, err
}
