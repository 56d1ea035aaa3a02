-- Incidents that flow rules opened, for people to decide. The caller's Durable Object writes these rows and keeps those
-- that D1 does not have yet. The audit holds the same facts in its chain. Times are milliseconds since the epoch.

CREATE TABLE incidents (
  -- 128 random bits, part of the link to the page where a person decides.
  id TEXT PRIMARY KEY,
  principal TEXT NOT NULL,
  rule TEXT NOT NULL,
  rule_version INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
  -- The last call that the rule matched, and what it observed.
  tool TEXT NOT NULL,
  observed REAL NOT NULL,
  threshold REAL NOT NULL,
  window_ms INTEGER NOT NULL,
  -- Numbers of the matching attempts in the principal's audit, as a JSON array.
  events TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  -- How often the rule matched. While it goes on, the count lags by less than half.
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
