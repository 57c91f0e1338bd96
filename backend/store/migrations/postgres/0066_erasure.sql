-- +goose Up
-- Which payloads of the history were erased, and by which event: one that is
-- gone without standing here was taken away behind the server's back.
CREATE TABLE erased_payload (
  seq   BIGINT PRIMARY KEY,
  cause BIGINT NOT NULL -- seq of the event
);

-- Who and what must not be erased, and why.
CREATE TABLE legal_hold (
  kind    TEXT COLLATE "C" NOT NULL, -- person, dataset, project
  subject TEXT COLLATE "C" NOT NULL,
  reason  TEXT COLLATE "C" NOT NULL,
  person  TEXT COLLATE "C" NOT NULL,
  at      BIGINT NOT NULL,
  PRIMARY KEY (kind, subject)
);

-- Room for zeros that overwrite what deleted rows left behind.
CREATE TABLE scrub (
  id     BIGINT PRIMARY KEY,
  filler BYTEA NOT NULL
);

-- +goose Down
DROP TABLE scrub;
DROP TABLE legal_hold;
DROP TABLE erased_payload;
