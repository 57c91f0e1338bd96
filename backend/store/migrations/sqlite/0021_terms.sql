-- +goose Up
-- The words that the search index knows.
CREATE VIRTUAL TABLE item_terms USING fts5vocab(item_words, instance);

-- +goose Down
DROP TABLE item_terms;
