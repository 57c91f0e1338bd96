-- +goose Up
-- What a model did not say is not known; it was kept as 0 before.
ALTER TABLE item ALTER COLUMN model_score DROP NOT NULL, ALTER COLUMN uncertainty DROP NOT NULL;
UPDATE item SET model_score = NULL, uncertainty = NULL
  WHERE model_label = '' OR (model_score <= 0 AND uncertainty <= 0);
ALTER TABLE annotation ALTER COLUMN score DROP NOT NULL;
UPDATE annotation SET score = NULL WHERE suggestion = '' OR score <= 0;

-- What a person has begun to say about an item.
CREATE TABLE draft (
  person  TEXT COLLATE "C" NOT NULL,
  project TEXT COLLATE "C" NOT NULL,
  item    TEXT COLLATE "C" NOT NULL,
  class   TEXT COLLATE "C" NOT NULL,
  typed   TEXT NOT NULL,
  reason  TEXT NOT NULL,
  at      BIGINT NOT NULL,
  PRIMARY KEY (person, project, item)
);

-- +goose Down
DROP TABLE draft;
UPDATE annotation SET score = 0 WHERE score IS NULL;
ALTER TABLE annotation ALTER COLUMN score SET NOT NULL;
UPDATE item SET model_score = COALESCE(model_score, 0), uncertainty = COALESCE(uncertainty, 0) WHERE model_score IS NULL OR uncertainty IS NULL;
ALTER TABLE item ALTER COLUMN model_score SET NOT NULL, ALTER COLUMN uncertainty SET NOT NULL;
