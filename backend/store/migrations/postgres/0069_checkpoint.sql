-- +goose Up
-- Signed heads of the history, as they also stand in a file beside the data.
CREATE TABLE checkpoint (
  made_at      BIGINT PRIMARY KEY,
  seq          BIGINT NOT NULL,
  hash         TEXT COLLATE "C" NOT NULL,
  installation TEXT COLLATE "C" NOT NULL,
  reason       TEXT COLLATE "C" NOT NULL,
  key          TEXT COLLATE "C" NOT NULL,
  envelope     TEXT COLLATE "C" NOT NULL
);

-- How far they have come to each place outside.
CREATE TABLE witness (
  name      TEXT COLLATE "C" PRIMARY KEY,
  last      BIGINT NOT NULL, -- made_at of the newest that is there
  pushed_at BIGINT NOT NULL,
  failed_at BIGINT NOT NULL,
  reason    TEXT COLLATE "C" NOT NULL
);

-- +goose Down
DROP TABLE witness;
DROP TABLE checkpoint;
