-- Large imports are applied in parts, between which callers are served. Tables are only added, and no earlier release reads them.

-- The run of an import that applies its rows now. Others wait until it is gone, or has not been seen for a while.
CREATE TABLE import_turn (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  run TEXT NOT NULL,
  seen_at INTEGER NOT NULL
);
--> statement
-- Stock that the import changes at the end. NULL deletes the warehouse's row.
CREATE TABLE import_stock (
  product_id INTEGER NOT NULL,
  warehouse TEXT NOT NULL,
  quantity INTEGER,
  PRIMARY KEY (product_id, warehouse)
) WITHOUT ROWID;
