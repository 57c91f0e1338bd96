package store

import (
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// SaveSigningKey writes down the public half of a key that is taken into use.
func (tx *Tx) SaveSigningKey(k ledger.SigningKey) error {
	_, err := tx.exec(`INSERT INTO signing_key (key, pem, statement, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key) DO UPDATE SET pem = excluded.pem, statement = excluded.statement, at = excluded.at`,
		k.Hint, k.PEM, string(k.Statement), micros(k.At))
	return fault.Wrap(err, "keep a signing key")
}

// SigningKeys lists the public halves of the keys that sign or signed, in the
// order in which they were taken into use.
func (tx *Tx) SigningKeys() ([]ledger.SigningKey, error) {
	var found []ledger.SigningKey
	err := tx.each(`SELECT key, pem, statement, at FROM signing_key ORDER BY at, key`, nil, func(scan func(...any) error) error {
		var k ledger.SigningKey
		var statement string
		var at int64
		if err := scan(&k.Hint, &k.PEM, &statement, &at); err != nil {
			return err
		}
		k.Statement, k.At = []byte(statement), fromMicros(at)
		found = append(found, k)
		return nil
	})
	return found, fault.Wrap(err, "list the signing keys")
}

// KeysUsed says how much each key signed, by the names of the keys.
func (tx *Tx) KeysUsed() ([]ledger.KeyUse, error) {
	var found []ledger.KeyUse
	err := tx.each(`SELECT key, SUM(attestations), SUM(checkpoints) FROM (
			SELECT key, COUNT(*) AS attestations, 0 AS checkpoints FROM attestation GROUP BY key
			UNION ALL SELECT key, 0, COUNT(*) FROM checkpoint GROUP BY key) AS used GROUP BY key ORDER BY key`,
		nil, func(scan func(...any) error) error {
			var u ledger.KeyUse
			err := scan(&u.Key, &u.Attestations, &u.Checkpoints)
			found = append(found, u)
			return err
		})
	return found, fault.Wrap(err, "see which keys signed")
}
