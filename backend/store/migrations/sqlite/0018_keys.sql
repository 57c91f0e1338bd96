-- +goose Up
-- Keys of items, instead of a unique index, whose pages a large import would
-- write over and over because keys come in no order. A chunk of an import is a
-- run of its own, in order; runs are merged into run 0 afterwards. The one
-- writer sees to it that a key stands once in its dataset.
CREATE TABLE item_key (
  dataset TEXT NOT NULL,
  run     INTEGER NOT NULL,
  key     TEXT NOT NULL,
  item    INTEGER NOT NULL, -- item.seq
  PRIMARY KEY (dataset, run, key)
) STRICT, WITHOUT ROWID;
-- The runs that have keys.
CREATE TABLE item_run (
  dataset TEXT NOT NULL,
  run     INTEGER NOT NULL,
  PRIMARY KEY (dataset, run)
) STRICT, WITHOUT ROWID;
INSERT INTO item_key (dataset, run, key, item) SELECT dataset, 0, key, seq FROM item ORDER BY dataset, key;
INSERT INTO item_run (dataset, run) SELECT DISTINCT dataset, 0 FROM item;

CREATE TABLE item_new (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT NOT NULL UNIQUE,
  project     TEXT NOT NULL,
  dataset     TEXT NOT NULL REFERENCES dataset (id),
  key         TEXT NOT NULL, -- unique in its dataset, by item_key
  content     TEXT NOT NULL,
  text        TEXT NOT NULL,
  meta        TEXT NOT NULL, -- JSON object of texts
  status      TEXT NOT NULL,
  label       TEXT NOT NULL,
  answers     INTEGER NOT NULL,
  model       TEXT NOT NULL,
  model_label TEXT NOT NULL,
  model_score REAL,
  uncertainty REAL,
  created_at  INTEGER NOT NULL
) STRICT;
INSERT INTO item_new (seq, id, project, dataset, key, content, text, meta, status, label, answers, model, model_label, model_score, uncertainty, created_at)
  SELECT seq, id, project, dataset, key, content, text, meta, status, label, answers, model, model_label, model_score, uncertainty, created_at FROM item;
DROP TABLE item;
ALTER TABLE item_new RENAME TO item;

-- Every index is written once for each of a million items, so there are few.
CREATE INDEX item_dataset ON item (dataset, status, seq);
CREATE INDEX item_label ON item (project, label, seq) WHERE label <> '';
CREATE INDEX item_disputed ON item (project, seq) WHERE status = 'disputed';
CREATE INDEX item_disagrees ON item (project, seq) WHERE label <> '' AND model_label <> '' AND label <> model_label;

-- +goose Down
DROP INDEX item_disputed;
DROP INDEX item_label;
CREATE INDEX item_label ON item (project, label, seq);
CREATE INDEX item_status ON item (project, status, seq);
CREATE UNIQUE INDEX item_dataset_key ON item (dataset, key);
DROP TABLE item_run;
DROP TABLE item_key;
