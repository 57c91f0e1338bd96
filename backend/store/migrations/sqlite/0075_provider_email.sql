-- +goose Up
-- The address of mail that a provider claimed of somebody when they last signed
-- in by it: shown to them and to admins, and never what anybody is known by.
ALTER TABLE provider_identity ADD COLUMN email TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE provider_identity DROP COLUMN email;
