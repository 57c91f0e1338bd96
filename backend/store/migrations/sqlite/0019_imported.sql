-- +goose Up
-- How many of the active answers came with the data: not what the person said
-- who brought them in.
ALTER TABLE answer_count ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
UPDATE answer_count SET imported = (SELECT COUNT(*) FROM annotation a
  WHERE a.project = answer_count.project AND a.person = answer_count.person AND a.dataset = answer_count.dataset AND a.class = answer_count.class
    AND a.kind = 'import' AND a.state = 'active');

-- +goose Down
ALTER TABLE answer_count DROP COLUMN imported;
