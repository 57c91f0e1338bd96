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
CREATE TABLE item_bulk (
  id         TEXT PRIMARY KEY,
  project    TEXT NOT NULL,
  action     TEXT NOT NULL, -- relabel, requeue, delete
  class      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  person     TEXT NOT NULL,
  items      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  undone_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX item_bulk_project ON item_bulk (project, created_at);
-- What one of them did to an item; gone once it was taken back.
CREATE TABLE item_bulk_row (
  bulk       TEXT NOT NULL REFERENCES item_bulk (id),
  item       TEXT NOT NULL,
  superseded TEXT NOT NULL, -- JSON: ids of the annotations that counted before
  made       TEXT NOT NULL, -- the annotation that it made
  PRIMARY KEY (bulk, item)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE item_bulk_row;
DROP TABLE item_bulk;
DROP TABLE item_indexed;
DROP TABLE item_words;
DROP INDEX item_disagrees;
