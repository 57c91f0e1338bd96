-- +goose Up
-- Which payloads of the history were erased, and by which event: one that is
-- gone without standing here was taken away behind the server's back.
CREATE TABLE erased_payload (
  seq   INTEGER PRIMARY KEY,
  cause INTEGER NOT NULL -- seq of the event
) STRICT;

-- Who and what must not be erased, and why.
CREATE TABLE legal_hold (
  kind    TEXT NOT NULL, -- person, dataset, project
  subject TEXT NOT NULL,
  reason  TEXT NOT NULL,
  person  TEXT NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (kind, subject)
) STRICT;

-- Room for zeros that overwrite what deleted rows left behind.
CREATE TABLE scrub (
  id     INTEGER PRIMARY KEY,
  filler BLOB NOT NULL
) STRICT;

-- +goose Down
DROP TABLE scrub;
DROP TABLE legal_hold;
DROP TABLE erased_payload;
