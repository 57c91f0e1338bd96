-- +goose Up
CREATE TABLE snapshot (
  id             TEXT COLLATE "C" PRIMARY KEY,
  project        TEXT COLLATE "C" NOT NULL REFERENCES project (id),
  number         BIGINT NOT NULL,
  name           TEXT COLLATE "C" NOT NULL,
  purpose        TEXT COLLATE "C" NOT NULL,
  datasets       TEXT COLLATE "C" NOT NULL, -- JSON
  state          TEXT COLLATE "C" NOT NULL,
  failure        TEXT COLLATE "C" NOT NULL,
  digest         TEXT COLLATE "C" NOT NULL, -- empty until it is ready
  schema_digest  TEXT COLLATE "C" NOT NULL,
  schema_json    TEXT COLLATE "C" NOT NULL,
  row_file       TEXT COLLATE "C" NOT NULL, -- digest of the rows as JSON lines
  row_bytes      BIGINT NOT NULL,
  parquet_file   TEXT COLLATE "C" NOT NULL, -- digest of the rows as Parquet
  parquet_bytes  BIGINT NOT NULL,
  items          BIGINT NOT NULL,
  classes        TEXT COLLATE "C" NOT NULL, -- JSON
  answerers      TEXT COLLATE "C" NOT NULL, -- JSON
  merged         BIGINT NOT NULL,
  held_out       BIGINT NOT NULL,
  progress       BIGINT NOT NULL,
  progress_total BIGINT NOT NULL,
  created_by     TEXT COLLATE "C" NOT NULL,
  created_at     BIGINT NOT NULL,
  UNIQUE (project, number)
);
CREATE INDEX snapshot_digest ON snapshot (project, digest);
CREATE INDEX snapshot_name ON snapshot (project, name);

-- +goose Down
DROP TABLE snapshot;
