package identity

import "context"

// LinkTo is what comes of a journey that adds the provider to an account.
func LinkTo(ctx context.Context, s *Service, visit Visit, issuer, subject string) error {
	return s.linkTo(ctx, visit, Journey{Person: visit.Actor.Person}, stranger{issuer: issuer, subject: subject})
}

// ConfirmBy is what comes of a journey that stands in for a password.
func ConfirmBy(ctx context.Context, s *Service, visit Visit, issuer, subject string) error {
	_, err := s.confirmBy(ctx, visit, Journey{Person: visit.Actor.Person}, stranger{issuer: issuer, subject: subject})
	return err
}
