-- The last anchored record of each principal's audit chain, outside the Durable Object that holds the chain. An attacker
-- who cuts or remakes a chain must change this row too.
-- Times are milliseconds since the epoch.

CREATE TABLE audit_anchors (
  principal TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  -- The last record that retention pruned; 0 and the chain's genesis hash if it pruned none.
  checkpoint_seq INTEGER NOT NULL,
  checkpoint_hash TEXT NOT NULL,
  anchored_at INTEGER NOT NULL,
  -- The time at which retention had pruned the whole chain. A later call begins a new chain.
  closed_at INTEGER
);
