-- +goose Up
CREATE TABLE project (
  id             TEXT PRIMARY KEY,
  slug           TEXT NOT NULL UNIQUE,
  name           TEXT NOT NULL,
  schema         TEXT NOT NULL, -- JSON
  schema_version INTEGER NOT NULL,
  overlap        INTEGER NOT NULL,
  created_at     INTEGER NOT NULL
) STRICT;

CREATE TABLE dataset (
  id         TEXT PRIMARY KEY,
  project    TEXT NOT NULL REFERENCES project (id),
  name       TEXT NOT NULL,
  purpose    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (project, name)
) STRICT;

CREATE TABLE item (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT NOT NULL UNIQUE,
  project     TEXT NOT NULL,
  dataset     TEXT NOT NULL REFERENCES dataset (id),
  key         TEXT NOT NULL,
  content     TEXT NOT NULL,
  text        TEXT NOT NULL,
  meta        TEXT NOT NULL, -- JSON object of texts
  status      TEXT NOT NULL,
  label       TEXT NOT NULL,
  answers     INTEGER NOT NULL,
  model       TEXT NOT NULL,
  model_label TEXT NOT NULL,
  model_score REAL NOT NULL,
  uncertainty REAL NOT NULL,
  created_at  INTEGER NOT NULL,
  UNIQUE (dataset, key)
) STRICT;
CREATE INDEX item_status ON item (project, status, seq);
CREATE INDEX item_dataset ON item (dataset, status, seq);
CREATE INDEX item_label ON item (project, label, seq);

-- How many items have each dataset, status and label; kept by every statement
-- that changes an item.
CREATE TABLE item_count (
  project TEXT NOT NULL,
  dataset TEXT NOT NULL,
  status  TEXT NOT NULL,
  label   TEXT NOT NULL,
  items   INTEGER NOT NULL,
  PRIMARY KEY (project, dataset, status, label)
) STRICT;

-- +goose Down
DROP TABLE item_count;
DROP TABLE item;
DROP TABLE dataset;
DROP TABLE project;
