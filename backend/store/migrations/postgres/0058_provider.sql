-- +goose Up
-- Who somebody is at an OpenID Connect provider: subject and issuer together,
-- and nothing else, say so.
CREATE TABLE provider_identity (
  issuer     TEXT COLLATE "C" NOT NULL,
  subject    TEXT COLLATE "C" NOT NULL,
  person     TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  created_at BIGINT NOT NULL,
  used_at    BIGINT NOT NULL,
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX provider_identity_person ON provider_identity (person);

-- Which group here a group at the provider stands for.
CREATE TABLE provider_group (
  name TEXT COLLATE "C" NOT NULL,
  team TEXT COLLATE "C" NOT NULL REFERENCES person_group (id) ON DELETE CASCADE,
  PRIMARY KEY (name, team)
);

-- Whether a membership came from the provider, which then takes it back as well.
ALTER TABLE group_member ADD COLUMN provided BOOLEAN NOT NULL DEFAULT FALSE;

-- Where a login was proven: an issuer, '' for a password or a link here.
ALTER TABLE login ADD COLUMN issuer TEXT COLLATE "C" NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE login DROP COLUMN issuer;
ALTER TABLE group_member DROP COLUMN provided;
DROP TABLE provider_group;
DROP TABLE provider_identity;
