package identity

import (
	"context"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// CreateTokenRequest asks for an API token.
type CreateTokenRequest struct {
	Person    ledger.PersonID // oneself if empty; somebody else needs an admin
	Name      string
	Scope     ledger.Scope // full if empty
	ExpiresAt time.Time    // zero: never
}

// CreateToken makes an API token and returns its secret, which is shown once.
func (s *Service) CreateToken(ctx context.Context, actor ledger.Actor, req CreateTokenRequest) (Token, string, error) {
	if err := actor.MustBeThere(); err != nil {
		return Token{}, "", err
	}
	if req.Person == "" {
		req.Person = actor.Person
	}
	may := func(actor ledger.Actor) error {
		if req.Person != actor.Person {
			return mustAdminister(actor)
		}
		return nil
	}
	if err := may(actor); err != nil {
		return Token{}, "", err
	}
	if req.Scope == "" {
		req.Scope = ledger.ScopeFull
	}
	secret, now := newSecret(tokenPrefix), s.now()
	token := Token{
		ID: TokenID(s.newID()), Person: req.Person, Name: strings.TrimSpace(req.Name), Scope: req.Scope,
		Hash: HashOf(secret), Hint: secret[:len(tokenPrefix)+4], CreatedAt: now, ExpiresAt: req.ExpiresAt.UTC().Truncate(time.Microsecond),
	}
	if req.ExpiresAt.IsZero() {
		token.ExpiresAt = time.Time{}
	}
	if err := token.Validate(now); err != nil {
		return Token{}, "", err
	}
	err := s.asActor(ctx, actor, may, func(tx Tx, actor ledger.Actor) error {
		if _, err := tx.Person(token.Person); err != nil {
			return err
		}
		if err := tx.CreateToken(token); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{
			Actor: actor, Kind: "token.created", Subject: ledger.Subject{Kind: "token", ID: string(token.ID)},
			Payload: map[string]string{"name": token.Name, "scope": string(token.Scope), "person": string(token.Person)},
		})
	})
	return token, secret, err
}

// Tokens lists the actor's tokens, or everybody's for an admin who asks for all.
func (s *Service) Tokens(ctx context.Context, actor ledger.Actor, all bool) (tokens []Token, err error) {
	whose := actor.Person
	if all {
		if err := mustAdminister(actor); err != nil {
			return nil, err
		}
		whose = ""
	}
	err = s.view(ctx, func(tx Tx) (err error) {
		tokens, err = tx.Tokens(whose)
		return err
	})
	return tokens, err
}

// RevokeToken makes a token worthless at once: one's own, or anybody's for an admin.
func (s *Service) RevokeToken(ctx context.Context, actor ledger.Actor, id TokenID) error {
	return s.asActor(ctx, actor, func(ledger.Actor) error { return nil }, func(tx Tx, actor ledger.Actor) error {
		token, err := tx.TokenByID(id)
		if err != nil {
			return err
		}
		if token.Person != actor.Person && mustAdminister(actor) != nil {
			return fault.New(fault.NotFound, "There is no such token among yours.")
		}
		if !token.RevokedAt.IsZero() {
			return nil
		}
		if err := tx.RevokeToken(id, s.now()); err != nil {
			return err
		}
		return tx.Record(ledger.Entry{Actor: actor, Kind: "token.revoked", Subject: ledger.Subject{Kind: "token", ID: string(id)}})
	})
}
