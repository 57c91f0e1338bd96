// Package identity knows who is there: people, their passwords, logins, API
// tokens, one-time links, and which roles they hold in which project.
//
// Secrets are never stored. A password is kept as an argon2id hash, and every
// other secret (login, token, link) is 32 random bytes of which only the
// SHA-256 is kept. The rules live here; SQL lives in backend/store, cookies and
// forms in backend/web.
package identity
