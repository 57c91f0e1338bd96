-- +goose Up
-- Which of the sets of a model on a snapshot or dataset it is, and where its
-- answers come from: a job of this server, or a person.
ALTER TABLE prediction_set ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE prediction_set ADD COLUMN origin TEXT COLLATE "C" NOT NULL DEFAULT 'uploaded';
ALTER TABLE prediction_set ADD COLUMN job TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE prediction_set ADD COLUMN attempt BIGINT NOT NULL DEFAULT 0;

UPDATE prediction_set SET version = (SELECT COUNT(*) FROM prediction_set o WHERE o.project = prediction_set.project AND o.model = prediction_set.model
  AND o.snapshot = prediction_set.snapshot AND o.dataset = prediction_set.dataset AND o.id <= prediction_set.id);
UPDATE prediction_set SET origin = 'computed',
    job = (SELECT MIN(j.id) FROM training_job j WHERE j.kind = 'predict' AND j.model = prediction_set.model AND j.dataset = prediction_set.dataset),
    attempt = (SELECT MIN(j.fence) FROM training_job j WHERE j.kind = 'predict' AND j.model = prediction_set.model AND j.dataset = prediction_set.dataset)
  WHERE created_by = 'system' AND dataset <> ''
    AND EXISTS (SELECT 1 FROM training_job j WHERE j.kind = 'predict' AND j.model = prediction_set.model AND j.dataset = prediction_set.dataset);

-- Sets that together do not answer every item of a snapshot, by the digest of
-- their digests, so that nobody waits for a comparison with them.
CREATE TABLE answer_gap (
  snapshot TEXT COLLATE "C" NOT NULL,
  sets     TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (snapshot, sets)
);

-- +goose Down
DROP TABLE answer_gap;
ALTER TABLE prediction_set DROP COLUMN attempt;
ALTER TABLE prediction_set DROP COLUMN job;
ALTER TABLE prediction_set DROP COLUMN origin;
ALTER TABLE prediction_set DROP COLUMN version;
