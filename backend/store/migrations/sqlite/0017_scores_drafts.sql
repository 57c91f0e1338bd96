-- +goose Up
-- What a model did not say is not known; it was kept as 0 before.
ALTER TABLE item ADD COLUMN known_score REAL;
ALTER TABLE item ADD COLUMN known_uncertainty REAL;
UPDATE item SET known_score = model_score, known_uncertainty = uncertainty
  WHERE model_label <> '' AND (model_score > 0 OR uncertainty > 0);
ALTER TABLE item DROP COLUMN model_score;
ALTER TABLE item DROP COLUMN uncertainty;
ALTER TABLE item RENAME COLUMN known_score TO model_score;
ALTER TABLE item RENAME COLUMN known_uncertainty TO uncertainty;
ALTER TABLE annotation ADD COLUMN known_score REAL;
UPDATE annotation SET known_score = score WHERE suggestion <> '' AND score > 0;
ALTER TABLE annotation DROP COLUMN score;
ALTER TABLE annotation RENAME COLUMN known_score TO score;

-- What a person has begun to say about an item.
CREATE TABLE draft (
  person  TEXT NOT NULL,
  project TEXT NOT NULL,
  item    TEXT NOT NULL,
  class   TEXT NOT NULL,
  typed   TEXT NOT NULL,
  reason  TEXT NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (person, project, item)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE draft;
ALTER TABLE annotation ADD COLUMN known_score REAL NOT NULL DEFAULT 0;
UPDATE annotation SET known_score = COALESCE(score, 0);
ALTER TABLE annotation DROP COLUMN score;
ALTER TABLE annotation RENAME COLUMN known_score TO score;
UPDATE item SET model_score = COALESCE(model_score, 0), uncertainty = COALESCE(uncertainty, 0) WHERE model_score IS NULL OR uncertainty IS NULL;
