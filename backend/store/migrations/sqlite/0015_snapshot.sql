-- +goose Up
CREATE TABLE snapshot (
  id             TEXT PRIMARY KEY,
  project        TEXT NOT NULL REFERENCES project (id),
  number         INTEGER NOT NULL,
  name           TEXT NOT NULL,
  purpose        TEXT NOT NULL,
  datasets       TEXT NOT NULL, -- JSON
  state          TEXT NOT NULL,
  failure        TEXT NOT NULL,
  digest         TEXT NOT NULL, -- empty until it is ready
  schema_digest  TEXT NOT NULL,
  schema_json    TEXT NOT NULL,
  row_file       TEXT NOT NULL, -- digest of the rows as JSON lines
  row_bytes      INTEGER NOT NULL,
  parquet_file   TEXT NOT NULL, -- digest of the rows as Parquet
  parquet_bytes  INTEGER NOT NULL,
  items          INTEGER NOT NULL,
  classes        TEXT NOT NULL, -- JSON
  answerers      TEXT NOT NULL, -- JSON
  merged         INTEGER NOT NULL,
  held_out       INTEGER NOT NULL,
  progress       INTEGER NOT NULL,
  progress_total INTEGER NOT NULL,
  created_by     TEXT NOT NULL,
  created_at     INTEGER NOT NULL,
  UNIQUE (project, number)
) STRICT;
CREATE INDEX snapshot_digest ON snapshot (project, digest);
CREATE INDEX snapshot_name ON snapshot (project, name);

-- +goose Down
DROP TABLE snapshot;
