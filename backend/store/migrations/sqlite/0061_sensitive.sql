-- +goose Up
-- Whose items are looked at is noted for datasets that are marked so, once for
-- each person, dataset and hour.
ALTER TABLE dataset ADD COLUMN sensitive INTEGER NOT NULL DEFAULT 0;
CREATE TABLE dataset_view (
  person  TEXT NOT NULL,
  dataset TEXT NOT NULL,
  hour    INTEGER NOT NULL, -- its first microsecond
  PRIMARY KEY (person, dataset, hour)
) STRICT;
CREATE INDEX dataset_view_hour ON dataset_view (hour);

-- +goose Down
DROP TABLE dataset_view;
ALTER TABLE dataset DROP COLUMN sensitive;
