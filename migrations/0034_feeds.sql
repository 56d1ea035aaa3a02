-- Feeds, and what was delivered: by a feed or as an upload. Tables are only added, and no earlier release reads them.
-- The feed's Durable Object keeps its URL, which may hold a password.

CREATE TABLE feeds (
  id TEXT PRIMARY KEY,
  -- The URL without its query and credentials.
  name TEXT NOT NULL,
  options TEXT NOT NULL,
  every_minutes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  paused_at INTEGER,
  -- When the feed was last fetched without an error, and when it is fetched next.
  checked_at INTEGER,
  next_at INTEGER
);
--> statement
CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  -- The id of the feed or of the upload.
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  outcome TEXT NOT NULL,
  report TEXT NOT NULL
);
--> statement
CREATE INDEX deliveries_by_time ON deliveries (started_at);
--> statement
CREATE INDEX deliveries_by_source ON deliveries (source, started_at);
