-- +goose Up
-- Facts about this installation, by name.
CREATE TABLE meta (
  key   TEXT COLLATE "C" PRIMARY KEY,
  value TEXT COLLATE "C" NOT NULL
);

-- The history: one chain, never edited.
CREATE TABLE event (
  seq          BIGINT PRIMARY KEY,
  at           BIGINT NOT NULL,
  actor        TEXT COLLATE "C" NOT NULL,
  via          TEXT COLLATE "C" NOT NULL,
  project      TEXT COLLATE "C" NOT NULL,
  kind         TEXT COLLATE "C" NOT NULL,
  subject_kind TEXT COLLATE "C" NOT NULL,
  subject      TEXT COLLATE "C" NOT NULL,
  commitment   TEXT COLLATE "C" NOT NULL,
  prev         TEXT COLLATE "C" NOT NULL,
  hash         TEXT COLLATE "C" NOT NULL
);
CREATE INDEX event_subject ON event (subject_kind, subject, seq);
CREATE INDEX event_project ON event (project, seq);
CREATE INDEX event_actor ON event (actor, seq);

-- What an event commits to; a row can be erased and the chain still verifies.
CREATE TABLE event_payload (
  seq     BIGINT PRIMARY KEY REFERENCES event (seq),
  salt    BYTEA NOT NULL,
  payload TEXT COLLATE "C" NOT NULL
);

-- Follow-up work. due = 0: parked for good, with the reason.
CREATE TABLE work (
  id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind    TEXT COLLATE "C" NOT NULL,
  key     TEXT COLLATE "C" NOT NULL,
  payload TEXT COLLATE "C" NOT NULL,
  due     BIGINT NOT NULL,
  lease   BIGINT NOT NULL,
  tries   BIGINT NOT NULL,
  reason  TEXT COLLATE "C" NOT NULL
);
CREATE INDEX work_due ON work (due, id) WHERE due > 0;
CREATE UNIQUE INDEX work_key ON work (kind, key) WHERE key <> '' AND due > 0;

-- +goose Down
DROP TABLE work;
DROP TABLE event_payload;
DROP TABLE event;
DROP TABLE meta;
