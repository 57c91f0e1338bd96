-- +goose Up
-- How far the comparison of a candidate with its baseline is on a snapshot;
-- snapshot '' stands for the whole. It can be computed anew at any time.
CREATE TABLE measurement (
  candidate  TEXT NOT NULL REFERENCES candidate (id),
  baseline   TEXT NOT NULL,
  snapshot   TEXT NOT NULL,
  state      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  digest     TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (candidate, baseline, snapshot)
) STRICT;

-- +goose Down
DROP TABLE measurement;
