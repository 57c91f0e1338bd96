-- +goose Up
-- Items about which a model and the accepted answer differ.
CREATE INDEX item_disagrees ON item (project, seq) WHERE label <> '' AND model_label <> '' AND label <> model_label;

-- Words of the items, behind the items; scope holds the project.
CREATE TABLE item_words (
  seq     BIGINT PRIMARY KEY,
  project TEXT COLLATE "C" NOT NULL,
  words   TSVECTOR NOT NULL
);
CREATE INDEX item_words_words ON item_words USING GIN (words);

-- How far the words are.
CREATE TABLE item_indexed (
  one BIGINT PRIMARY KEY CHECK (one = 1),
  seq BIGINT NOT NULL
);
INSERT INTO item_indexed (one, seq) VALUES (1, 0);

-- Changes of many items at once, so that they can be taken back.
CREATE TABLE item_bulk (
  id         TEXT COLLATE "C" PRIMARY KEY,
  project    TEXT COLLATE "C" NOT NULL,
  action     TEXT COLLATE "C" NOT NULL, -- relabel, requeue, delete
  class      TEXT COLLATE "C" NOT NULL,
  reason     TEXT COLLATE "C" NOT NULL,
  person     TEXT COLLATE "C" NOT NULL,
  items      BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  undone_at  BIGINT NOT NULL
);
CREATE INDEX item_bulk_project ON item_bulk (project, created_at);
-- What one of them did to an item; gone once it was taken back.
CREATE TABLE item_bulk_row (
  bulk       TEXT COLLATE "C" NOT NULL REFERENCES item_bulk (id),
  item       TEXT COLLATE "C" NOT NULL,
  superseded TEXT COLLATE "C" NOT NULL, -- JSON: ids of the annotations that counted before
  made       TEXT COLLATE "C" NOT NULL, -- the annotation that it made
  PRIMARY KEY (bulk, item)
);

-- +goose Down
DROP TABLE item_bulk_row;
DROP TABLE item_bulk;
DROP TABLE item_indexed;
DROP TABLE item_words;
DROP INDEX item_disagrees;
