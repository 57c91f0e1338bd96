-- +goose Up
-- How many wrong passwords came lately, by the hash of an account and an
-- address or of an address. A row is worthless once empty_at has passed.
CREATE TABLE password_limit (
  key      TEXT COLLATE "C" PRIMARY KEY,
  empty_at BIGINT NOT NULL,
  refused  BOOLEAN NOT NULL
);
CREATE INDEX password_limit_empty ON password_limit (empty_at);

-- +goose Down
DROP TABLE password_limit;
