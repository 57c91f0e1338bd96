-- +goose Up
-- What people said. Never edited: state alone changes.
CREATE TABLE annotation (
  id         TEXT PRIMARY KEY, -- made by whoever sends it
  project    TEXT NOT NULL,
  dataset    TEXT NOT NULL,
  item       TEXT NOT NULL,
  person     TEXT NOT NULL,
  kind       TEXT NOT NULL, -- answer, skip, import, decision
  class      TEXT NOT NULL, -- empty for a skip
  reason     TEXT NOT NULL,
  suggestion TEXT NOT NULL,
  score      REAL NOT NULL,
  untouched  INTEGER NOT NULL,
  extra      INTEGER NOT NULL,
  seen_ms    INTEGER NOT NULL,
  state      TEXT NOT NULL, -- active, undone, superseded
  at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX annotation_item ON annotation (item, at);
CREATE INDEX annotation_person ON annotation (project, person, at);
CREATE INDEX annotation_day ON annotation (project, at);

-- Who has answered how much, per dataset: kept with every change of an annotation.
CREATE TABLE answer_count (
  project TEXT NOT NULL,
  person  TEXT NOT NULL,
  dataset TEXT NOT NULL,
  class   TEXT NOT NULL,
  active  INTEGER NOT NULL, -- answers that count
  total   INTEGER NOT NULL, -- all there ever were
  PRIMARY KEY (project, person, dataset, class)
) STRICT, WITHOUT ROWID;

-- Open labeling pages and the tasks they hold while their heartbeat goes on.
CREATE TABLE task_page (
  page    TEXT PRIMARY KEY,
  project TEXT NOT NULL,
  person  TEXT NOT NULL,
  beat    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX task_page_beat ON task_page (beat);
CREATE TABLE task_lease (
  item INTEGER NOT NULL, -- item.seq
  page TEXT NOT NULL REFERENCES task_page (page) ON DELETE CASCADE,
  PRIMARY KEY (item, page)
) STRICT, WITHOUT ROWID;
CREATE INDEX task_lease_page ON task_lease (page);

-- The order of a project's queue; ranks stand in a generation of rows.
CREATE TABLE queue (
  project    TEXT PRIMARY KEY,
  ordering   TEXT NOT NULL,
  generation INTEGER NOT NULL,
  wanted     TEXT NOT NULL,
  asked      INTEGER NOT NULL,
  switched   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE queue_generation (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  project TEXT NOT NULL
) STRICT;
CREATE INDEX queue_generation_project ON queue_generation (project, id);
CREATE TABLE queue_row (
  generation INTEGER NOT NULL,
  item       INTEGER NOT NULL, -- item.seq
  rank       INTEGER NOT NULL,
  PRIMARY KEY (generation, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_row_rank ON queue_row (generation, rank, item);

-- How a person answers by keyboard.
CREATE TABLE label_keys (
  person  TEXT NOT NULL,
  project TEXT NOT NULL,
  keys    TEXT NOT NULL, -- JSON
  PRIMARY KEY (person, project)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE label_keys;
DROP TABLE queue_row;
DROP TABLE queue_generation;
DROP TABLE queue;
DROP TABLE task_lease;
DROP TABLE task_page;
DROP TABLE answer_count;
DROP TABLE annotation;
