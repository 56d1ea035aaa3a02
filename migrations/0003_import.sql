-- Stages the rows of an import. When all are in, they are applied to the catalog at once.

CREATE TABLE imports (
  id TEXT PRIMARY KEY,
  -- Lines of the file that are staged. After an interrupt the import continues behind them.
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
