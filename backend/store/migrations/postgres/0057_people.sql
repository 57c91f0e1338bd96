-- +goose Up
-- A login that is locked answers nothing until its person unlocks it; 0: open.
ALTER TABLE login ADD COLUMN locked_at BIGINT NOT NULL DEFAULT 0;

-- What people chose for themselves, and when they asked for a new link (0: not).
ALTER TABLE person ADD COLUMN language TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN text_size TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN lock_after BIGINT NOT NULL DEFAULT 0; -- minutes
ALTER TABLE person ADD COLUMN unseen BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE person ADD COLUMN asked_at BIGINT NOT NULL DEFAULT 0;

-- Named sets of people with roles in projects.
CREATE TABLE person_group (
  id         TEXT COLLATE "C" PRIMARY KEY,
  name       TEXT COLLATE "C" NOT NULL UNIQUE,
  created_at BIGINT NOT NULL
);
CREATE TABLE group_member (
  team   TEXT COLLATE "C" NOT NULL REFERENCES person_group (id) ON DELETE CASCADE,
  person TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  PRIMARY KEY (team, person)
);
CREATE INDEX group_member_person ON group_member (person);
CREATE TABLE group_role (
  team    TEXT COLLATE "C" NOT NULL REFERENCES person_group (id) ON DELETE CASCADE,
  project TEXT COLLATE "C" NOT NULL,
  role    TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (team, project, role)
);
CREATE INDEX group_role_project ON group_role (project);

-- The roles that people hold, by themselves or by a group.
CREATE VIEW held_role AS
  SELECT project, person, role FROM membership
  UNION
  SELECT r.project, m.person, r.role FROM group_role r JOIN group_member m ON m.team = r.team;

-- +goose Down
DROP VIEW held_role;
DROP TABLE group_role;
DROP TABLE group_member;
DROP TABLE person_group;
ALTER TABLE person DROP COLUMN asked_at;
ALTER TABLE person DROP COLUMN unseen;
ALTER TABLE person DROP COLUMN lock_after;
ALTER TABLE person DROP COLUMN text_size;
ALTER TABLE person DROP COLUMN language;
ALTER TABLE login DROP COLUMN locked_at;
