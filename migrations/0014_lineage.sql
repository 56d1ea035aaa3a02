-- Records who made users, keys, roles and sessions: a user's id, 'sign-on' for the sign-in provider, '@bootstrap' for a
-- command line that writes the database directly, null in older rows. Times are milliseconds since the epoch.

ALTER TABLE users ADD COLUMN created_by TEXT;
--> statement
-- The reason why a new account does not share its maker's budget of people: 'founding' or 'vouched'; null if it shares it.
ALTER TABLE users ADD COLUMN apart TEXT;
--> statement
-- A deleted user's row stays, because its id is never reused and lineage and audit still name it.
ALTER TABLE users ADD COLUMN deleted_at INTEGER;
--> statement
ALTER TABLE access_keys ADD COLUMN created_by TEXT;
--> statement
ALTER TABLE access_keys ADD COLUMN apart TEXT;
--> statement
ALTER TABLE signing_keys ADD COLUMN created_by TEXT;
--> statement
-- The maker of the credential that opened the session.
ALTER TABLE sessions ADD COLUMN created_by TEXT;
--> statement
ALTER TABLE user_roles ADD COLUMN created_by TEXT;
--> statement
ALTER TABLE user_roles ADD COLUMN created_at INTEGER;
--> statement
-- Former roles of users. The table has no foreign key, so that nothing deletes a row.
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
-- At most one row: the SHA-256 of the recovery code, which proves that a decision is not made by a program with a stolen key.
CREATE TABLE recovery_code (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  hash TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
