-- +goose Up
-- What a comment is beyond words: a request for evidence, or a recusal.
ALTER TABLE candidate_comment ADD COLUMN kind TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE candidate_comment DROP COLUMN kind;
