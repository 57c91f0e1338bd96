-- +goose Up
-- Somebody who can sign in. Names can be erased; the history holds only ids.
CREATE TABLE person (
  id         TEXT COLLATE "C" PRIMARY KEY,
  username   TEXT COLLATE "C" NOT NULL UNIQUE,
  name       TEXT COLLATE "C" NOT NULL,
  time_zone  TEXT COLLATE "C" NOT NULL,
  admin      BOOLEAN NOT NULL,
  disabled   BOOLEAN NOT NULL,
  password   TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
);

-- A browser that is signed in, by the hash of its cookie's secret.
CREATE TABLE login (
  id         TEXT COLLATE "C" PRIMARY KEY,
  person     TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  hash       TEXT COLLATE "C" NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  seen_at    BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  agent      TEXT COLLATE "C" NOT NULL,
  address    TEXT COLLATE "C" NOT NULL
);
CREATE INDEX login_person ON login (person, created_at);
CREATE INDEX login_expires ON login (expires_at);

-- API tokens, by the hash of their secret. 0 stands for never.
CREATE TABLE token (
  id         TEXT COLLATE "C" PRIMARY KEY,
  person     TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  name       TEXT COLLATE "C" NOT NULL,
  scope      TEXT COLLATE "C" NOT NULL,
  hash       TEXT COLLATE "C" NOT NULL UNIQUE,
  hint       TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at    BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
);
CREATE INDEX token_person ON token (person, created_at);

-- One-time links, by the hash of their secret. person is '' for the first admin.
CREATE TABLE link (
  hash       TEXT COLLATE "C" PRIMARY KEY,
  purpose    TEXT COLLATE "C" NOT NULL,
  person     TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

-- Roles of people in projects.
CREATE TABLE membership (
  project TEXT COLLATE "C" NOT NULL,
  person  TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  role    TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (project, person, role)
);
CREATE INDEX membership_person ON membership (person);

-- +goose Down
DROP TABLE membership;
DROP TABLE link;
DROP TABLE token;
DROP TABLE login;
DROP TABLE person;
