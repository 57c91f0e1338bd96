-- +goose Up
-- How far the comparison of a candidate with its baseline is on a snapshot;
-- snapshot '' stands for the whole. It can be computed anew at any time.
CREATE TABLE measurement (
  candidate  TEXT COLLATE "C" NOT NULL REFERENCES candidate (id),
  baseline   TEXT COLLATE "C" NOT NULL,
  snapshot   TEXT COLLATE "C" NOT NULL,
  state      TEXT COLLATE "C" NOT NULL,
  reason     TEXT COLLATE "C" NOT NULL,
  digest     TEXT COLLATE "C" NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (candidate, baseline, snapshot)
);

-- +goose Down
DROP TABLE measurement;
