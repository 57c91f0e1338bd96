-- +goose Up
-- Whose items are looked at is noted for datasets that are marked so, once for
-- each person, dataset and hour.
ALTER TABLE dataset ADD COLUMN sensitive BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE dataset_view (
  person  TEXT COLLATE "C" NOT NULL,
  dataset TEXT COLLATE "C" NOT NULL,
  hour    BIGINT NOT NULL, -- its first microsecond
  PRIMARY KEY (person, dataset, hour)
);
CREATE INDEX dataset_view_hour ON dataset_view (hour);

-- +goose Down
DROP TABLE dataset_view;
ALTER TABLE dataset DROP COLUMN sensitive;
