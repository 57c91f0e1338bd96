-- +goose Up
-- Only SQLite looks for the words of its index.
SELECT 1;

-- +goose Down
SELECT 1;
