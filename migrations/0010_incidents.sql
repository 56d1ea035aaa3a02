-- What the flow rules saw, as people deal with it. The caller's Durable Object writes these rows and keeps
-- what is not yet here; the audit holds the same facts in its chain. Times are milliseconds since the epoch.

CREATE TABLE incidents (
  -- 128 random bits: it stands in the link to the page where a person decides.
  id TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  rule TEXT NOT NULL,
  rule_version INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
  -- The call that the rule last spoke at, and what it saw then.
  tool TEXT NOT NULL,
  observed REAL NOT NULL,
  threshold REAL NOT NULL,
  window_ms INTEGER NOT NULL,
  -- Numbers of the matching attempts in the principal's audit, as a JSON array.
  events TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  -- How often the rule spoke; behind by less than half while it goes on.
  count INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('open', 'released', 'declined', 'closed')),
  decided_by TEXT,
  decided_at INTEGER,
  note TEXT
);
--> statement
CREATE INDEX incidents_by_time ON incidents (last_at);
--> statement
CREATE INDEX incidents_by_principal ON incidents (principal, last_at);
