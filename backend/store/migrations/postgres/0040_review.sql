-- +goose Up
-- What is proposed to ship. baseline_* is what shipped when it was opened.
CREATE TABLE candidate (
  id               TEXT COLLATE "C" PRIMARY KEY,
  project          TEXT COLLATE "C" NOT NULL,
  number           BIGINT NOT NULL,
  subject_kind     TEXT COLLATE "C" NOT NULL,
  subject          TEXT COLLATE "C" NOT NULL,
  name             TEXT COLLATE "C" NOT NULL,
  model            TEXT COLLATE "C" NOT NULL,
  environment      TEXT COLLATE "C" NOT NULL,
  note             TEXT COLLATE "C" NOT NULL,
  state            TEXT COLLATE "C" NOT NULL,
  policy           TEXT COLLATE "C" NOT NULL,
  baseline         TEXT COLLATE "C" NOT NULL,
  baseline_number  BIGINT NOT NULL,
  baseline_name    TEXT COLLATE "C" NOT NULL,
  baseline_model   TEXT COLLATE "C" NOT NULL,
  baseline_subject TEXT COLLATE "C" NOT NULL,
  proposed_by      TEXT COLLATE "C" NOT NULL,
  trained_by       TEXT COLLATE "C" NOT NULL,
  created_at       BIGINT NOT NULL,
  opened_at        BIGINT NOT NULL,
  decided_at       BIGINT NOT NULL,
  UNIQUE (project, number)
);
CREATE INDEX candidate_subject ON candidate (subject, environment);
CREATE INDEX candidate_state ON candidate (project, environment, state);

-- What people said. Rows are added, never changed; each matches one event.
CREATE TABLE vote (
  seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id           TEXT COLLATE "C" NOT NULL UNIQUE,
  candidate    TEXT COLLATE "C" NOT NULL REFERENCES candidate (id),
  subject_kind TEXT COLLATE "C" NOT NULL,
  subject      TEXT COLLATE "C" NOT NULL,
  environment  TEXT COLLATE "C" NOT NULL,
  policy       TEXT COLLATE "C" NOT NULL,
  baseline     TEXT COLLATE "C" NOT NULL,
  person       TEXT COLLATE "C" NOT NULL,
  printed_name TEXT COLLATE "C" NOT NULL,
  role         TEXT COLLATE "C" NOT NULL,
  label        TEXT COLLATE "C" NOT NULL,
  value        BIGINT NOT NULL,
  words        TEXT COLLATE "C" NOT NULL,
  withdrawn    BOOLEAN NOT NULL,
  comment      TEXT COLLATE "C" NOT NULL,
  sentence     TEXT COLLATE "C" NOT NULL,
  assurance    TEXT COLLATE "C" NOT NULL,
  time_zone    TEXT COLLATE "C" NOT NULL,
  evidence     TEXT COLLATE "C" NOT NULL,
  at           BIGINT NOT NULL
);
CREATE INDEX vote_candidate ON vote (candidate, seq);

-- The conversation.
CREATE TABLE candidate_comment (
  seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id           TEXT COLLATE "C" NOT NULL UNIQUE,
  candidate    TEXT COLLATE "C" NOT NULL REFERENCES candidate (id),
  person       TEXT COLLATE "C" NOT NULL,
  printed_name TEXT COLLATE "C" NOT NULL,
  text         TEXT COLLATE "C" NOT NULL,
  via          TEXT COLLATE "C" NOT NULL,
  at           BIGINT NOT NULL
);
CREATE INDEX candidate_comment_candidate ON candidate_comment (candidate, seq);

-- Approvals, and what took them back.
CREATE TABLE sign_off (
  seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id           TEXT COLLATE "C" NOT NULL UNIQUE,
  candidate    TEXT COLLATE "C" NOT NULL REFERENCES candidate (id),
  subject_kind TEXT COLLATE "C" NOT NULL,
  subject      TEXT COLLATE "C" NOT NULL,
  environment  TEXT COLLATE "C" NOT NULL,
  policy       TEXT COLLATE "C" NOT NULL,
  results      TEXT COLLATE "C" NOT NULL,
  votes        TEXT COLLATE "C" NOT NULL,
  evidence     TEXT COLLATE "C" NOT NULL,
  at           BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL
);
CREATE INDEX sign_off_candidate ON sign_off (candidate, seq);

CREATE TABLE revocation (
  seq          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id           TEXT COLLATE "C" NOT NULL UNIQUE,
  sign_off     TEXT COLLATE "C" NOT NULL REFERENCES sign_off (id),
  candidate    TEXT COLLATE "C" NOT NULL REFERENCES candidate (id),
  subject_kind TEXT COLLATE "C" NOT NULL,
  subject      TEXT COLLATE "C" NOT NULL,
  environment  TEXT COLLATE "C" NOT NULL,
  person       TEXT COLLATE "C" NOT NULL,
  printed_name TEXT COLLATE "C" NOT NULL,
  reason       TEXT COLLATE "C" NOT NULL,
  sentence     TEXT COLLATE "C" NOT NULL,
  assurance    TEXT COLLATE "C" NOT NULL,
  time_zone    TEXT COLLATE "C" NOT NULL,
  at           BIGINT NOT NULL
);
CREATE INDEX revocation_candidate ON revocation (candidate, seq);

-- Signed statements, byte for byte.
CREATE TABLE attestation (
  seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  candidate TEXT COLLATE "C" NOT NULL REFERENCES candidate (id),
  kind      TEXT COLLATE "C" NOT NULL,
  ref       TEXT COLLATE "C" NOT NULL,
  predicate TEXT COLLATE "C" NOT NULL,
  key       TEXT COLLATE "C" NOT NULL,
  envelope  BYTEA NOT NULL,
  digest    TEXT COLLATE "C" NOT NULL,
  at        BIGINT NOT NULL,
  UNIQUE (kind, ref)
);
CREATE INDEX attestation_candidate ON attestation (candidate, seq);

-- What must hold. A newer version supersedes the older, which stays for what it decided.
CREATE TABLE policy (
  project    TEXT COLLATE "C" NOT NULL,
  version    BIGINT NOT NULL,
  digest     TEXT COLLATE "C" NOT NULL,
  text       TEXT COLLATE "C" NOT NULL,
  created_by TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project, version)
);
CREATE INDEX policy_digest ON policy (project, digest);

-- +goose Down
DROP TABLE policy;
DROP TABLE attestation;
DROP TABLE revocation;
DROP TABLE sign_off;
DROP TABLE candidate_comment;
DROP TABLE vote;
DROP TABLE candidate;
