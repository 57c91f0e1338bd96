-- +goose Up
-- Facts about this installation, by name.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- The history: one chain, never edited.
CREATE TABLE event (
  seq          INTEGER PRIMARY KEY,
  at           INTEGER NOT NULL,
  actor        TEXT NOT NULL,
  via          TEXT NOT NULL,
  project      TEXT NOT NULL,
  kind         TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject      TEXT NOT NULL,
  commitment   TEXT NOT NULL,
  prev         TEXT NOT NULL,
  hash         TEXT NOT NULL
) STRICT;
CREATE INDEX event_subject ON event (subject_kind, subject, seq);
CREATE INDEX event_project ON event (project, seq);
CREATE INDEX event_actor ON event (actor, seq);

-- What an event commits to; a row can be erased and the chain still verifies.
CREATE TABLE event_payload (
  seq     INTEGER PRIMARY KEY REFERENCES event (seq),
  salt    BLOB NOT NULL,
  payload TEXT NOT NULL
) STRICT;

-- Follow-up work. due = 0: parked for good, with the reason.
CREATE TABLE work (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  kind    TEXT NOT NULL,
  key     TEXT NOT NULL,
  payload TEXT NOT NULL,
  due     INTEGER NOT NULL,
  lease   INTEGER NOT NULL,
  tries   INTEGER NOT NULL,
  reason  TEXT NOT NULL
) STRICT;
CREATE INDEX work_due ON work (due, id) WHERE due > 0;
CREATE UNIQUE INDEX work_key ON work (kind, key) WHERE key <> '' AND due > 0;

-- +goose Down
DROP TABLE work;
DROP TABLE event_payload;
DROP TABLE event;
DROP TABLE meta;
