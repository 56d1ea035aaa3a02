-- People whom an OpenID Connect provider knows. A user is found by issuer and subject, which a provider never gives
-- to another person, and never by an email address, which it may.

CREATE TABLE external_identities (
  -- Random: what was opened on a link that was deleted does not come back with a new one.
  id TEXT PRIMARY KEY,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  last_sign_in_at INTEGER NOT NULL,
  -- Until then what a sign-in opened goes on without another one.
  expires_at INTEGER NOT NULL,
  UNIQUE (issuer, subject)
);
--> statement
CREATE INDEX external_identities_by_user ON external_identities (user_id);
--> statement
-- A session stands on an access key or on an external identity. SQLite can't loosen a column, so the table is made anew.
CREATE TABLE new_sessions (
  hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- What opened it: what a credential opened reaches no further, and closes with it.
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
-- Sign-ons that are under way, by the SHA-256 of the cookie that binds each to its browser. Taken once, then gone.
CREATE TABLE sign_on_attempts (
  hash TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  nonce TEXT NOT NULL,
  verifier TEXT NOT NULL,
  -- The path of this server where it goes on afterwards.
  next TEXT NOT NULL,
  -- 1 where the person has already allowed a client, whose request waits under `state`.
  consented INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);
