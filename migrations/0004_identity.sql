-- Users (people and services), their roles and their credentials.
-- Times are milliseconds since the epoch.

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('user', 'service')),
  name TEXT NOT NULL,
  customer_id TEXT,
  created_at INTEGER NOT NULL,
  disabled_at INTEGER
);
--> statement
CREATE TABLE user_roles (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  PRIMARY KEY (user_id, role)
) WITHOUT ROWID;
--> statement
-- A key is 256 random bits. The table holds only its SHA-256, and `id`, by which people refer to it.
CREATE TABLE access_keys (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  label TEXT NOT NULL,
  -- A JSON array of the user's roles that the key has; null for all.
  roles TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
);
--> statement
CREATE INDEX access_keys_by_user ON access_keys (user_id);
--> statement
-- Browser sessions, keyed by the SHA-256 of their cookie.
CREATE TABLE sessions (
  hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- The key that opened the session. The session has no role that the key lacks, and ends with it.
  key_id TEXT NOT NULL REFERENCES access_keys (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);
--> statement
CREATE INDEX sessions_by_user ON sessions (user_id);
--> statement
-- Has one row after the first admin was made, which makes a second bootstrap fail.
CREATE TABLE bootstrap (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  user_id TEXT NOT NULL,
  done_at INTEGER NOT NULL
);
