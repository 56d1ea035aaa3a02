-- The calls that answered with a customer's data, by day and caller, folded from the audit when a chain is anchored
-- (src/caller/audit/readings.ts). A customer is a keyed token, as in the audit. Times are milliseconds since the epoch.

CREATE TABLE readings (
  -- Orders the rows of a list.
  seq INTEGER PRIMARY KEY,
  subject TEXT NOT NULL,
  -- Days since the epoch, in UTC.
  day INTEGER NOT NULL,
  principal TEXT NOT NULL,
  -- The tool or resource.
  call TEXT NOT NULL,
  times INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  UNIQUE (subject, day, principal, call)
);
--> statement
CREATE INDEX readings_by_day ON readings (day);
--> statement
-- The last erasure of each customer's readings. Readings up to then are not folded again.
CREATE TABLE erasures (
  subject TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  -- The admin.
  erased_by TEXT NOT NULL
);
--> statement
CREATE INDEX erasures_by_time ON erasures (at);
