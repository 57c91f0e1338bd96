-- +goose Up
-- Used with PostgreSQL alone, where several servers write; here for one schema.
CREATE TABLE server (
  id            TEXT PRIMARY KEY,
  commit_number INTEGER NOT NULL,
  at            INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE server;
