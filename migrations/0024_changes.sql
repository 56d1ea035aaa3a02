-- Changes that callers and systems make, and the holds of reservations. Tables, indexes and triggers are only added, so that an
-- earlier release still works with this database after a rollback.

-- One row for each applied change. It is stored by the first statement of the batch that applies the change, and the other
-- statements depend on it, so that no change exists without its row and no row without its change.
CREATE TABLE changes (
  -- Orders the changes.
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  -- The tool that made it, or stock_webhook.
  kind TEXT NOT NULL,
  principal TEXT NOT NULL,
  idempotency_key TEXT,
  -- A hash of the arguments, by which a retry is told from another use of its key.
  digest TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  -- The id of the change that this one reverts.
  undoes TEXT
);
--> statement
CREATE UNIQUE INDEX changes_by_key ON changes (principal, idempotency_key) WHERE idempotency_key IS NOT NULL;
--> statement
CREATE INDEX changes_by_undone ON changes (undoes) WHERE undoes IS NOT NULL;
--> statement
CREATE INDEX changes_by_time ON changes (at);
--> statement
-- The stock that a change found and left. NULL means that the quantity is unknown.
CREATE TABLE stock_changes (
  change_id TEXT NOT NULL REFERENCES changes (id) ON DELETE CASCADE,
  product_id INTEGER NOT NULL,
  warehouse TEXT NOT NULL,
  before INTEGER,
  after INTEGER,
  -- The version of the stock that the change left. A greater version in `stock` says that something newer touched it.
  version INTEGER NOT NULL,
  PRIMARY KEY (change_id, product_id, warehouse)
) WITHOUT ROWID;
--> statement
CREATE INDEX stock_changes_by_place ON stock_changes (product_id, warehouse, version);
--> statement
-- The last version of stock whose row was deleted, so that versions never repeat.
CREATE TABLE past_stock (
  product_id INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  warehouse TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (product_id, warehouse)
) WITHOUT ROWID;
--> statement
-- The name of each warehouse that ever had stock, so that a mistyped one is told from a new one.
CREATE TABLE warehouses (name TEXT PRIMARY KEY) WITHOUT ROWID;
--> statement
INSERT INTO warehouses (name) SELECT DISTINCT warehouse FROM stock;
--> statement
CREATE TRIGGER stock_after_insert AFTER INSERT ON stock BEGIN
  INSERT INTO warehouses (name) VALUES (new.warehouse) ON CONFLICT DO NOTHING;
  UPDATE stock SET version = 1 + (
    SELECT version FROM past_stock WHERE product_id = new.product_id AND warehouse = new.warehouse)
  WHERE product_id = new.product_id AND warehouse = new.warehouse AND version <= (
    SELECT version FROM past_stock WHERE product_id = new.product_id AND warehouse = new.warehouse);
  DELETE FROM past_stock WHERE product_id = new.product_id AND warehouse = new.warehouse;
END;
--> statement
CREATE TRIGGER stock_after_delete AFTER DELETE ON stock
WHEN EXISTS (SELECT 1 FROM products WHERE id = old.product_id) BEGIN
  INSERT INTO past_stock (product_id, warehouse, version) VALUES (old.product_id, old.warehouse, old.version + 1)
  ON CONFLICT DO UPDATE SET version = excluded.version;
END;
--> statement
CREATE TABLE reservations (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  -- The change that made it.
  change_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  -- `held`, also after it has expired; `committed` or `released`.
  state TEXT NOT NULL,
  -- The change that committed or released it.
  ended_by TEXT,
  -- The units of each product and warehouse, as a JSON list.
  items TEXT NOT NULL
);
--> statement
CREATE INDEX reservations_by_change ON reservations (change_id);
--> statement
-- Units that reservations hold. One that is past expires_at holds nothing, and is deleted some time later.
CREATE TABLE holds (
  product_id INTEGER NOT NULL,
  warehouse TEXT NOT NULL,
  reservation_id TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (product_id, warehouse, reservation_id)
) WITHOUT ROWID;
--> statement
CREATE INDEX holds_by_expiry ON holds (expires_at);
--> statement
CREATE INDEX holds_by_reservation ON holds (reservation_id);
--> statement
-- The latest sequence number that the webhook delivered for a product and warehouse.
CREATE TABLE stock_sequences (
  product_id INTEGER NOT NULL,
  warehouse TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (product_id, warehouse)
) WITHOUT ROWID;
--> statement
-- The ticket that a change closed or reopened, as it was before and its version afterwards.
CREATE TABLE ticket_changes (
  change_id TEXT PRIMARY KEY REFERENCES changes (id) ON DELETE CASCADE,
  ticket_id INTEGER NOT NULL,
  status TEXT NOT NULL,
  resolution TEXT,
  closed_at INTEGER,
  version INTEGER NOT NULL
) WITHOUT ROWID;
