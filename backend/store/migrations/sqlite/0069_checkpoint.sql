-- +goose Up
-- Signed heads of the history, as they also stand in a file beside the data.
CREATE TABLE checkpoint (
  made_at      INTEGER PRIMARY KEY,
  seq          INTEGER NOT NULL,
  hash         TEXT NOT NULL,
  installation TEXT NOT NULL,
  reason       TEXT NOT NULL,
  key          TEXT NOT NULL,
  envelope     TEXT NOT NULL
) STRICT;

-- How far they have come to each place outside.
CREATE TABLE witness (
  name      TEXT PRIMARY KEY,
  last      INTEGER NOT NULL, -- made_at of the newest that is there
  pushed_at INTEGER NOT NULL,
  failed_at INTEGER NOT NULL,
  reason    TEXT NOT NULL
) STRICT;

-- +goose Down
DROP TABLE witness;
DROP TABLE checkpoint;
