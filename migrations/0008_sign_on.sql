-- Links users to their identity at an OpenID Connect provider, by issuer and subject. A provider never gives those to another
-- person, as it may an email address.

CREATE TABLE external_identities (
  -- Random, so that what a deleted link has opened doesn't come back with a new one.
  id TEXT PRIMARY KEY,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  last_sign_in_at INTEGER NOT NULL,
  -- Access goes on until then without another sign-in.
  expires_at INTEGER NOT NULL,
  UNIQUE (issuer, subject)
);
--> statement
CREATE INDEX external_identities_by_user ON external_identities (user_id);
--> statement
-- A session depends on an access key or on an external identity. SQLite can't make a column nullable, so the table is rebuilt.
CREATE TABLE new_sessions (
  hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- The credential that opened the session. The session has no role that the credential lacks, and ends with it.
  key_id TEXT REFERENCES access_keys (id) ON DELETE CASCADE,
  identity_id TEXT REFERENCES external_identities (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  CHECK ((key_id IS NULL) <> (identity_id IS NULL))
);
--> statement
INSERT INTO new_sessions (hash, user_id, key_id, created_at, expires_at)
  SELECT hash, user_id, key_id, created_at, expires_at FROM sessions;
--> statement
DROP TABLE sessions;
--> statement
ALTER TABLE new_sessions RENAME TO sessions;
--> statement
CREATE INDEX sessions_by_user ON sessions (user_id);
--> statement
-- Sign-ons that are under way, keyed by the SHA-256 of the cookie that binds each to its browser. Each is used once.
CREATE TABLE sign_on_attempts (
  hash TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  nonce TEXT NOT NULL,
  verifier TEXT NOT NULL,
  -- The path to which the browser is redirected afterwards.
  next TEXT NOT NULL,
  -- 1 if the person has already allowed a client, whose request is stored under `state`.
  consented INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);
