-- +goose Up
-- Who somebody is at an OpenID Connect provider: subject and issuer together,
-- and nothing else, say so.
CREATE TABLE provider_identity (
  issuer     TEXT NOT NULL,
  subject    TEXT NOT NULL,
  person     TEXT NOT NULL REFERENCES person (id),
  created_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_identity_person ON provider_identity (person);

-- Which group here a group at the provider stands for.
CREATE TABLE provider_group (
  name TEXT NOT NULL,
  team TEXT NOT NULL REFERENCES person_group (id) ON DELETE CASCADE,
  PRIMARY KEY (name, team)
) STRICT, WITHOUT ROWID;

-- Whether a membership came from the provider, which then takes it back as well.
ALTER TABLE group_member ADD COLUMN provided INTEGER NOT NULL DEFAULT 0;

-- Where a login was proven: an issuer, '' for a password or a link here.
ALTER TABLE login ADD COLUMN issuer TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE login DROP COLUMN issuer;
ALTER TABLE group_member DROP COLUMN provided;
DROP TABLE provider_group;
DROP TABLE provider_identity;
