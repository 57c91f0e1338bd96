-- +goose Up
-- An event commits to the rows that were written with it: row_digest is the digest
-- of row_seals, which its hash covers; the salts stand apart so that they can be erased.
ALTER TABLE event ADD COLUMN row_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE event ADD COLUMN row_salts BYTEA;
ALTER TABLE event ADD COLUMN row_seals BYTEA;
-- What was there before is sealed as it is found, when the program starts.
INSERT INTO meta (key, value) SELECT 'rows.unsealed', '1' WHERE EXISTS (SELECT 1 FROM event);

-- +goose Down
DELETE FROM meta WHERE key = 'rows.unsealed';
ALTER TABLE event DROP COLUMN row_seals;
ALTER TABLE event DROP COLUMN row_salts;
ALTER TABLE event DROP COLUMN row_digest;
