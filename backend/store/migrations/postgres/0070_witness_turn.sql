-- +goose Up
-- Which of several servers brings a witness its checkpoints at the moment.
ALTER TABLE witness ADD COLUMN holder TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE witness ADD COLUMN held_until BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE witness DROP COLUMN held_until;
ALTER TABLE witness DROP COLUMN holder;
