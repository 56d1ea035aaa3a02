-- Keys with which callers sign their requests (RFC 9421). Times are milliseconds since the epoch.

CREATE TABLE signing_keys (
  -- The signature's keyid.
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  label TEXT NOT NULL,
  algorithm TEXT NOT NULL CHECK (algorithm IN ('hmac-sha256', 'ed25519')),
  -- The 32 bytes of an Ed25519 public key in base64url. An HMAC secret is derived from SECRET_KEY and the id, and stored nowhere.
  public_key TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER,
  CHECK ((algorithm = 'ed25519') = (public_key IS NOT NULL))
);
--> statement
CREATE INDEX signing_keys_by_user ON signing_keys (user_id);
--> statement
-- Whether requests with this access key must be signed.
ALTER TABLE access_keys ADD COLUMN signature TEXT NOT NULL DEFAULT 'optional'
  CHECK (signature IN ('optional', 'required'));
