-- +goose Up
-- What is proposed to ship. baseline_* is what shipped when it was opened.
CREATE TABLE candidate (
  id               TEXT PRIMARY KEY,
  project          TEXT NOT NULL,
  number           INTEGER NOT NULL,
  subject_kind     TEXT NOT NULL,
  subject          TEXT NOT NULL,
  name             TEXT NOT NULL,
  model            TEXT NOT NULL,
  environment      TEXT NOT NULL,
  note             TEXT NOT NULL,
  state            TEXT NOT NULL,
  policy           TEXT NOT NULL,
  baseline         TEXT NOT NULL,
  baseline_number  INTEGER NOT NULL,
  baseline_name    TEXT NOT NULL,
  baseline_model   TEXT NOT NULL,
  baseline_subject TEXT NOT NULL,
  proposed_by      TEXT NOT NULL,
  trained_by       TEXT NOT NULL,
  created_at       INTEGER NOT NULL,
  opened_at        INTEGER NOT NULL,
  decided_at       INTEGER NOT NULL,
  UNIQUE (project, number)
) STRICT;
CREATE INDEX candidate_subject ON candidate (subject, environment);
CREATE INDEX candidate_state ON candidate (project, environment, state);

-- What people said. Rows are added, never changed; each matches one event.
CREATE TABLE vote (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  id           TEXT NOT NULL UNIQUE,
  candidate    TEXT NOT NULL REFERENCES candidate (id),
  subject_kind TEXT NOT NULL,
  subject      TEXT NOT NULL,
  environment  TEXT NOT NULL,
  policy       TEXT NOT NULL,
  baseline     TEXT NOT NULL,
  person       TEXT NOT NULL,
  printed_name TEXT NOT NULL,
  role         TEXT NOT NULL,
  label        TEXT NOT NULL,
  value        INTEGER NOT NULL,
  words        TEXT NOT NULL,
  withdrawn    INTEGER NOT NULL,
  comment      TEXT NOT NULL,
  sentence     TEXT NOT NULL,
  assurance    TEXT NOT NULL,
  time_zone    TEXT NOT NULL,
  evidence     TEXT NOT NULL,
  at           INTEGER NOT NULL
) STRICT;
CREATE INDEX vote_candidate ON vote (candidate, seq);

-- The conversation.
CREATE TABLE candidate_comment (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  id           TEXT NOT NULL UNIQUE,
  candidate    TEXT NOT NULL REFERENCES candidate (id),
  person       TEXT NOT NULL,
  printed_name TEXT NOT NULL,
  text         TEXT NOT NULL,
  via          TEXT NOT NULL,
  at           INTEGER NOT NULL
) STRICT;
CREATE INDEX candidate_comment_candidate ON candidate_comment (candidate, seq);

-- Approvals, and what took them back.
CREATE TABLE sign_off (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  id           TEXT NOT NULL UNIQUE,
  candidate    TEXT NOT NULL REFERENCES candidate (id),
  subject_kind TEXT NOT NULL,
  subject      TEXT NOT NULL,
  environment  TEXT NOT NULL,
  policy       TEXT NOT NULL,
  results      TEXT NOT NULL,
  votes        TEXT NOT NULL,
  evidence     TEXT NOT NULL,
  at           INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_off_candidate ON sign_off (candidate, seq);

CREATE TABLE revocation (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  id           TEXT NOT NULL UNIQUE,
  sign_off     TEXT NOT NULL REFERENCES sign_off (id),
  candidate    TEXT NOT NULL REFERENCES candidate (id),
  subject_kind TEXT NOT NULL,
  subject      TEXT NOT NULL,
  environment  TEXT NOT NULL,
  person       TEXT NOT NULL,
  printed_name TEXT NOT NULL,
  reason       TEXT NOT NULL,
  sentence     TEXT NOT NULL,
  assurance    TEXT NOT NULL,
  time_zone    TEXT NOT NULL,
  at           INTEGER NOT NULL
) STRICT;
CREATE INDEX revocation_candidate ON revocation (candidate, seq);

-- Signed statements, byte for byte.
CREATE TABLE attestation (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  candidate TEXT NOT NULL REFERENCES candidate (id),
  kind      TEXT NOT NULL,
  ref       TEXT NOT NULL,
  predicate TEXT NOT NULL,
  key       TEXT NOT NULL,
  envelope  BLOB NOT NULL,
  digest    TEXT NOT NULL,
  at        INTEGER NOT NULL,
  UNIQUE (kind, ref)
) STRICT;
CREATE INDEX attestation_candidate ON attestation (candidate, seq);

-- What must hold. A newer version supersedes the older, which stays for what it decided.
CREATE TABLE policy (
  project    TEXT NOT NULL,
  version    INTEGER NOT NULL,
  digest     TEXT NOT NULL,
  text       TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (project, version)
) STRICT;
CREATE INDEX policy_digest ON policy (project, digest);

-- +goose Down
DROP TABLE policy;
DROP TABLE attestation;
DROP TABLE revocation;
DROP TABLE sign_off;
DROP TABLE candidate_comment;
DROP TABLE vote;
DROP TABLE candidate;
