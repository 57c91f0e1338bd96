-- +goose Up
-- Somebody who can sign in. Names can be erased; the history holds only ids.
CREATE TABLE person (
  id         TEXT PRIMARY KEY,
  username   TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  time_zone  TEXT NOT NULL,
  admin      INTEGER NOT NULL,
  disabled   INTEGER NOT NULL,
  password   TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT;

-- A browser that is signed in, by the hash of its cookie's secret.
CREATE TABLE login (
  id         TEXT PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES person (id),
  hash       TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  agent      TEXT NOT NULL,
  address    TEXT NOT NULL
) STRICT;
CREATE INDEX login_person ON login (person, created_at);
CREATE INDEX login_expires ON login (expires_at);

-- API tokens, by the hash of their secret. 0 stands for never.
CREATE TABLE token (
  id         TEXT PRIMARY KEY,
  person     TEXT NOT NULL REFERENCES person (id),
  name       TEXT NOT NULL,
  scope      TEXT NOT NULL,
  hash       TEXT NOT NULL UNIQUE,
  hint       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL
) STRICT;
CREATE INDEX token_person ON token (person, created_at);

-- One-time links, by the hash of their secret. person is '' for the first admin.
CREATE TABLE link (
  hash       TEXT PRIMARY KEY,
  purpose    TEXT NOT NULL,
  person     TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

-- Roles of people in projects.
CREATE TABLE membership (
  project TEXT NOT NULL,
  person  TEXT NOT NULL REFERENCES person (id),
  role    TEXT NOT NULL,
  PRIMARY KEY (project, person, role)
) STRICT;
CREATE INDEX membership_person ON membership (person);

-- +goose Down
DROP TABLE membership;
DROP TABLE link;
DROP TABLE token;
DROP TABLE login;
DROP TABLE person;
