-- +goose Up
-- The traceparent of the request that asked for a job, for those who watch the server.
ALTER TABLE training_job ADD COLUMN cause TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE training_job DROP COLUMN cause;
