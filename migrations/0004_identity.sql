-- Who may call: people and services, the roles they have, and what they prove themselves with.
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
-- A key is 256 random bits; only its SHA-256 is here, and `id`, which names it to people.
CREATE TABLE access_keys (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  label TEXT NOT NULL,
  -- A JSON array that narrows the user's roles; null for all of them.
  roles TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
);
--> statement
CREATE INDEX access_keys_by_user ON access_keys (user_id);
--> statement
-- Browser sessions, by the SHA-256 of their cookie.
CREATE TABLE sessions (
  hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- The key that opened it: what a key opened reaches no further, and closes with it.
  key_id TEXT NOT NULL REFERENCES access_keys (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);
--> statement
CREATE INDEX sessions_by_user ON sessions (user_id);
--> statement
-- Holds one row once the first admin was made, and so refuses a second time.
CREATE TABLE bootstrap (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  user_id TEXT NOT NULL,
  done_at INTEGER NOT NULL
);
