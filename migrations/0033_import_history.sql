-- The last imports, for the dashboard, and products whose text reads like an instruction. Tables are only added, and no earlier
-- release reads them. Times are milliseconds since the epoch.

CREATE TABLE import_history (
  seq INTEGER PRIMARY KEY,
  ended_at INTEGER NOT NULL,
  -- The file or feed, as the page shows it.
  source TEXT NOT NULL,
  -- The admin who imported it on the dashboard; NULL for the command line and feeds.
  made_by TEXT,
  -- `applied`, or `refused`, which left the catalog as it was.
  outcome TEXT NOT NULL,
  -- JSON (src/catalog/import/history.ts).
  counts TEXT NOT NULL,
  -- A sentence that says why nothing was applied; NULL if it was.
  problem TEXT,
  -- The first bad rows, as a JSON list.
  bad_rows TEXT NOT NULL
);
--> statement
-- Rows of an import are written before it is applied, and are `live` from then on.
CREATE TABLE flagged_texts (
  sku TEXT NOT NULL,
  import_id TEXT NOT NULL,
  found_at INTEGER NOT NULL,
  line INTEGER NOT NULL,
  -- The field of the text, and the text where it reads like an instruction.
  field TEXT NOT NULL,
  excerpt TEXT NOT NULL,
  -- 1 if the import left the product out.
  kept_out INTEGER NOT NULL,
  live INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (sku, import_id)
) WITHOUT ROWID;
--> statement
CREATE INDEX flagged_texts_live ON flagged_texts (found_at, sku) WHERE live = 1;
