-- +goose Up
-- An item may refer to an object that stays where it is. What is kept of it is
-- its digest at the import, and what was last found to be wrong with it.
CREATE TABLE item_media (
  item     TEXT PRIMARY KEY REFERENCES item (id),
  dataset  TEXT NOT NULL REFERENCES dataset (id),
  uri      TEXT NOT NULL,
  digest   TEXT NOT NULL,
  bytes    INTEGER NOT NULL,
  type     TEXT NOT NULL,
  state    TEXT NOT NULL, -- '', changed or gone
  found    TEXT NOT NULL, -- digest of what stands there instead
  found_at INTEGER NOT NULL
) STRICT;
CREATE INDEX item_media_dataset ON item_media (dataset, item);
CREATE INDEX item_media_faulty ON item_media (dataset, item) WHERE state <> '';

-- The last check of all objects of a dataset, or the one that runs.
CREATE TABLE media_check (
  dataset     TEXT PRIMARY KEY REFERENCES dataset (id),
  objects     INTEGER NOT NULL,
  done        INTEGER NOT NULL,
  faults      INTEGER NOT NULL,
  missed      INTEGER NOT NULL,
  started_by  TEXT NOT NULL,
  started_at  INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  last_item   TEXT NOT NULL
) STRICT;
ALTER TABLE import ADD COLUMN map_media TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE import DROP COLUMN map_media;
DROP TABLE media_check;
DROP TABLE item_media;
