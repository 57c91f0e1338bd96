-- +goose Up
-- The server that placed an attempt on its own machine, and alone can look after it.
ALTER TABLE training_attempt ADD COLUMN server TEXT COLLATE "C" NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE training_attempt DROP COLUMN server;
