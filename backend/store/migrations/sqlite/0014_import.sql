-- +goose Up
CREATE TABLE import (
  id          TEXT PRIMARY KEY,
  project     TEXT NOT NULL REFERENCES project (id),
  file        TEXT NOT NULL,
  blob        TEXT NOT NULL, -- digest of the bytes
  size        INTEGER NOT NULL,
  state       TEXT NOT NULL,
  failure     TEXT NOT NULL,
  dataset     TEXT NOT NULL, -- empty until it is started
  format      TEXT NOT NULL,
  header      TEXT NOT NULL,
  map_text    TEXT NOT NULL,
  map_label   TEXT NOT NULL,
  map_key     TEXT NOT NULL,
  add_classes INTEGER NOT NULL,
  classes_in  INTEGER NOT NULL,
  passed      INTEGER NOT NULL, -- records dealt with: committed together with their rows
  bytes_read  INTEGER NOT NULL,
  added       INTEGER NOT NULL,
  unchanged   INTEGER NOT NULL,
  labeled     INTEGER NOT NULL,
  bad         INTEGER NOT NULL,
  created_by  TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  finished_at INTEGER NOT NULL
) STRICT;
CREATE INDEX import_project ON import (project, created_at);

CREATE TABLE import_problem (
  import TEXT NOT NULL REFERENCES import (id),
  place  INTEGER NOT NULL,
  line   INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (import, place)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE import_problem;
DROP TABLE import;
