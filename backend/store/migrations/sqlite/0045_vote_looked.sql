-- +goose Up
-- The document of what a voter had opened, which their vote names by its digest.
ALTER TABLE vote ADD COLUMN looked TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE vote DROP COLUMN looked;
