-- +goose Up
-- The public halves of the keys that sign, or did: what was signed under an
-- older one is checked with it. statement is signed by the key itself and names
-- those before it that it vouches for.
CREATE TABLE signing_key (
  key       TEXT COLLATE "C" PRIMARY KEY, -- hex SHA-256 of pem
  pem       TEXT COLLATE "C" NOT NULL,
  statement TEXT COLLATE "C" NOT NULL,
  at        BIGINT NOT NULL
);

-- +goose Down
DROP TABLE signing_key;
