-- +goose Up
-- What an approval was decided on about people: who gave them their say, as JSON;
-- null for one that was given before anybody asked.
ALTER TABLE sign_off ADD COLUMN people TEXT NOT NULL DEFAULT 'null';

-- +goose Down
ALTER TABLE sign_off DROP COLUMN people;
