-- +goose Up
-- An item may refer to an object that stays where it is. What is kept of it is
-- its digest at the import, and what was last found to be wrong with it.
CREATE TABLE item_media (
  item     TEXT COLLATE "C" PRIMARY KEY REFERENCES item (id),
  dataset  TEXT COLLATE "C" NOT NULL REFERENCES dataset (id),
  uri      TEXT COLLATE "C" NOT NULL,
  digest   TEXT COLLATE "C" NOT NULL,
  bytes    BIGINT NOT NULL,
  type     TEXT COLLATE "C" NOT NULL,
  state    TEXT COLLATE "C" NOT NULL, -- '', changed or gone
  found    TEXT COLLATE "C" NOT NULL, -- digest of what stands there instead
  found_at BIGINT NOT NULL
);
CREATE INDEX item_media_dataset ON item_media (dataset, item);
CREATE INDEX item_media_faulty ON item_media (dataset, item) WHERE state <> '';

-- The last check of all objects of a dataset, or the one that runs.
CREATE TABLE media_check (
  dataset     TEXT COLLATE "C" PRIMARY KEY REFERENCES dataset (id),
  objects     BIGINT NOT NULL,
  done        BIGINT NOT NULL,
  faults      BIGINT NOT NULL,
  missed      BIGINT NOT NULL,
  started_by  TEXT COLLATE "C" NOT NULL,
  started_at  BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  last_item   TEXT COLLATE "C" NOT NULL
);
ALTER TABLE import ADD COLUMN map_media TEXT COLLATE "C" NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE import DROP COLUMN map_media;
DROP TABLE media_check;
DROP TABLE item_media;
