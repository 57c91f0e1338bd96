package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Errand is what somebody goes to the provider for.
type Errand string

// The errands.
const (
	ErrandSignIn  Errand = "sign-in"
	ErrandWelcome Errand = "welcome" // takes an invitation
	ErrandLink    Errand = "link"    // adds the provider to the account that is signed in
	ErrandConfirm Errand = "confirm" // proves once more who one is, for one signature
)

// Journey is a browser's way to the provider and back. All of it stands in a
// short-lived cookie of that browser; servers keep nothing of it.
type Journey struct {
	Errand Errand          `json:"errand"`
	Next   string          `json:"next"`             // local path to go on at
	Back   string          `json:"back"`             // address at which the provider sends the browser back
	Link   string          `json:"link,omitempty"`   // secret of the invitation
	Person ledger.PersonID `json:"person,omitempty"` // who set out, where somebody was signed in
	Fresh  bool            `json:"fresh,omitempty"`  // the provider must ask for the password anew
	Secret string          `json:"secret"`
	At     time.Time       `json:"at"`
}

// JourneyLasts is how long a browser may stay away.
const JourneyLasts = 10 * time.Minute

// SetOut begins a journey: the cookie that the browser keeps, and the address
// at the provider to which it goes.
func (s *Service) SetOut(ctx context.Context, j Journey) (cookie, address string, err error) {
	if s.door == nil {
		return "", "", fault.New(fault.NotFound, "Nobody signs in by a provider here. An operator sets one with serve --oidc-issuer.")
	}
	j.Secret, j.At = newSecret(""), s.now()
	text, err := json.Marshal(j)
	if err != nil {
		return "", "", err
	}
	if address, err = s.door.address(ctx, j); err != nil {
		return "", "", err
	}
	return base64.RawURLEncoding.EncodeToString(text), address, nil
}

// journeyOf reads the cookie of a journey.
func (s *Service) journeyOf(cookie string) (j Journey, err error) {
	text, err := base64.RawURLEncoding.DecodeString(cookie)
	if err == nil {
		err = json.Unmarshal(text, &j)
	}
	if err == nil && (j.Secret == "" || s.now().Sub(j.At) > JourneyLasts || j.At.After(s.now().Add(clockSkew))) {
		err = unproven("the journey is too old")
	}
	if err != nil {
		return Journey{}, errProof(err)
	}
	return j, nil
}

// Arrival is how a journey ended.
type Arrival struct {
	Journey Journey
	In      SignedIn // by ErrandSignIn and ErrandWelcome
	Proof   string   // by ErrandConfirm: what stands in for a password, once
}

// Arrive ends a journey with the provider's answer. visit is who is signed in
// in this browser, if anybody. The journey is returned even where it failed, so
// that the page can say where it led.
func (s *Service) Arrive(ctx context.Context, cookie string, answer Answer, visit Visit, from From) (a Arrival, err error) {
	if s.door == nil {
		return a, fault.New(fault.NotFound, "Nobody signs in by a provider here.")
	}
	if a.Journey, err = s.journeyOf(cookie); err != nil {
		return a, err
	}
	// Every answer costs calls to the provider: those that fail are counted as
	// wrong passwords are.
	var who stranger
	var failed error
	_, wait, err := s.limited(ctx, try{actor: visit.Actor, address: from.Address, provided: true}, func() (bool, error) {
		who, failed = s.door.prove(ctx, a.Journey, answer)
		return failed == nil, nil
	})
	if err != nil {
		return a, err
	}
	if wait > 0 {
		return a, fault.As(fault.Unavailable, TooMany{Wait: wait}, "Too many sign-ins from this address failed. Wait a minute and try again.")
	}
	if failed != nil {
		return a, failed
	}
	from.issuer = who.issuer
	switch a.Journey.Errand {
	case ErrandSignIn:
		a.In, err = s.signInBy(ctx, who, from)
	case ErrandWelcome:
		a.In, err = s.welcomeBy(ctx, a.Journey.Link, who, from)
	case ErrandLink:
		err = s.linkTo(ctx, visit, a.Journey, who)
	case ErrandConfirm:
		a.Proof, err = s.confirmBy(ctx, visit, a.Journey, who)
	default:
		err = errProof(unproven("there is no such errand"))
	}
	return a, err
}
