-- +goose Up
-- Who withdrew an uploaded set of answers, when and why. The set stays.
ALTER TABLE prediction_set ADD COLUMN withdrawn_by TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE prediction_set ADD COLUMN withdrawn_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE prediction_set ADD COLUMN withdrawn_reason TEXT COLLATE "C" NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE prediction_set DROP COLUMN withdrawn_reason;
ALTER TABLE prediction_set DROP COLUMN withdrawn_at;
ALTER TABLE prediction_set DROP COLUMN withdrawn_by;
