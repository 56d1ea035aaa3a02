-- Where each principal's audit chain stood when it was last looked at, outside the Durable Object that
-- holds the chain: whoever cuts or remakes a chain would have to change this row too.
-- Times are milliseconds since the epoch.

CREATE TABLE audit_anchors (
  principal TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  -- The last record that retention has pruned; 0 and the chain's beginning while there is none.
  checkpoint_seq INTEGER NOT NULL,
  checkpoint_hash TEXT NOT NULL,
  anchored_at INTEGER NOT NULL,
  -- When retention had pruned all of it. A later call begins a new chain.
  closed_at INTEGER
);
