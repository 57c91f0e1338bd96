-- +goose Up
-- Items about which a model and the accepted answer differ.
CREATE INDEX item_disagrees ON item (project, seq) WHERE label <> '' AND model_label <> '' AND label <> model_label;

-- Words of the items, behind the items; scope holds the project.
CREATE VIRTUAL TABLE item_words USING fts5 (scope, text, content = '', tokenize = "unicode61 remove_diacritics 2");

-- How far the words are.
CREATE TABLE item_indexed (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seq INTEGER NOT NULL
) STRICT;
INSERT INTO item_indexed (one, seq) VALUES (1, 0);

-- Changes of many items at once, so that they can be taken back.
CREATE TABLE item_batch (
  id         TEXT PRIMARY KEY,
  project    TEXT NOT NULL,
  action     TEXT NOT NULL, -- relabel, requeue, delete
  class      TEXT NOT NULL,
  person     TEXT NOT NULL,
  items      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  undone_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX item_batch_project ON item_batch (project, created_at);
CREATE TABLE item_batch_row (
  batch      TEXT NOT NULL REFERENCES item_batch (id),
  item       TEXT NOT NULL,
  status     TEXT NOT NULL, -- before
  label      TEXT NOT NULL, -- before
  answers    INTEGER NOT NULL, -- before
  superseded TEXT NOT NULL, -- JSON: ids of the annotations that the change superseded
  made       TEXT NOT NULL, -- the annotation that it made
  PRIMARY KEY (batch, item)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE item_batch_row;
DROP TABLE item_batch;
DROP TABLE item_indexed;
DROP TABLE item_words;
DROP INDEX item_disagrees;
