-- Records who made users, keys, roles and sessions: a user's id, 'sign-on' for the sign-in provider, '@bootstrap' for the
-- command line of whoever holds the database; null in rows older than this. Times are milliseconds since the epoch.

ALTER TABLE users ADD COLUMN created_by TEXT;
--> statement
-- Why a new account does not share its maker's budget of people: 'founding' or 'vouched'; null where it does.
ALTER TABLE users ADD COLUMN apart TEXT;
--> statement
-- A deleted user's row stays: its id is never given again, and lineage and audit still name it.
ALTER TABLE users ADD COLUMN deleted_at INTEGER;
--> statement
ALTER TABLE access_keys ADD COLUMN created_by TEXT;
--> statement
ALTER TABLE access_keys ADD COLUMN apart TEXT;
--> statement
ALTER TABLE signing_keys ADD COLUMN created_by TEXT;
--> statement
-- The maker of the credential that the session stands on.
ALTER TABLE sessions ADD COLUMN created_by TEXT;
--> statement
ALTER TABLE user_roles ADD COLUMN created_by TEXT;
--> statement
ALTER TABLE user_roles ADD COLUMN created_at INTEGER;
--> statement
-- Roles that users had. It has no foreign key, so that nothing deletes a row.
CREATE TABLE past_roles (
  user_id TEXT NOT NULL,
  role TEXT NOT NULL,
  created_by TEXT,
  created_at INTEGER,
  ended_by TEXT,
  ended_at INTEGER NOT NULL
);
--> statement
CREATE INDEX past_roles_by_user ON past_roles (user_id, role);
--> statement
-- At most one row: the SHA-256 of the code with which a person proves that they are no program with a stolen key.
CREATE TABLE recovery_code (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  hash TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
