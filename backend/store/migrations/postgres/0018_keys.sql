-- +goose Up
-- Keys of items, instead of a unique index, whose pages a large import would
-- write over and over because keys come in no order. A chunk of an import is a
-- run of its own, in order; runs are merged into run 0 afterwards. The one
-- writer sees to it that a key stands once in its dataset.
CREATE TABLE item_key (
  dataset TEXT COLLATE "C" NOT NULL,
  run     BIGINT NOT NULL,
  key     TEXT COLLATE "C" NOT NULL,
  item    BIGINT NOT NULL, -- item.seq
  PRIMARY KEY (dataset, run, key)
);
-- The runs that have keys.
CREATE TABLE item_run (
  dataset TEXT COLLATE "C" NOT NULL,
  run     BIGINT NOT NULL,
  PRIMARY KEY (dataset, run)
);
INSERT INTO item_key (dataset, run, key, item) SELECT dataset, 0, key, seq FROM item ORDER BY dataset, key;
INSERT INTO item_run (dataset, run) SELECT DISTINCT dataset, 0 FROM item;
ALTER TABLE item DROP CONSTRAINT item_dataset_key_key;

-- Every index is written once for each of a million items, so there are few.
DROP INDEX item_status;
DROP INDEX item_label;
CREATE INDEX item_label ON item (project, label, seq) WHERE label <> '';
CREATE INDEX item_disputed ON item (project, seq) WHERE status = 'disputed';

-- +goose Down
DROP INDEX item_disputed;
DROP INDEX item_label;
CREATE INDEX item_label ON item (project, label, seq);
CREATE INDEX item_status ON item (project, status, seq);
ALTER TABLE item ADD CONSTRAINT item_dataset_key_key UNIQUE (dataset, key);
DROP TABLE item_run;
DROP TABLE item_key;
