-- Where an import waits until all of its rows are in; it is then applied to the catalog at once.

CREATE TABLE imports (
  id TEXT PRIMARY KEY,
  -- Lines of the file that are staged: where to go on after an interrupt.
  lines_staged INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))
);
--> statement
CREATE TABLE import_rows (
  import_id TEXT NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
  sku TEXT NOT NULL,
  record TEXT NOT NULL,
  UNIQUE (import_id, sku)
);
