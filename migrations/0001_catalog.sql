-- The catalog, its stock, and the internal fields that no public query names.
-- A line "--> statement" separates statements, because triggers hold semicolons.

CREATE TABLE categories (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  active_products INTEGER NOT NULL DEFAULT 0
);
--> statement
CREATE TABLE products (
  id INTEGER PRIMARY KEY,
  sku TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  model TEXT NOT NULL,
  brand TEXT NOT NULL COLLATE NOCASE,
  description TEXT NOT NULL,
  category_id INTEGER NOT NULL REFERENCES categories (id),
  price_minor INTEGER NOT NULL CHECK (price_minor >= 0),
  currency TEXT NOT NULL,
  minor_per_major INTEGER NOT NULL CHECK (minor_per_major > 0),
  gtin TEXT NOT NULL,
  image_url TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'discontinued')),
  attributes TEXT NOT NULL CHECK (json_type(attributes) = 'object'),
  -- The codes without separators. src/catalog/search/words.ts strips the same characters.
  model_code TEXT GENERATED ALWAYS AS (
    lower(replace(replace(replace(replace(replace(model, '-', ''), ' ', ''), '/', ''), '.', ''), '_', ''))
  ) VIRTUAL,
  gtin_digits TEXT GENERATED ALWAYS AS (ltrim(gtin, '0')) VIRTUAL
);
--> statement
CREATE INDEX products_by_category ON products (category_id);
--> statement
CREATE INDEX products_by_model ON products (model_code) WHERE model_code <> '';
--> statement
CREATE INDEX products_by_gtin ON products (gtin_digits) WHERE gtin_digits <> '';
--> statement
-- Internal fields have their own table, so that no SELECT over products returns them by accident.
CREATE TABLE product_internals (
  product_id INTEGER PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
  cost INTEGER,
  supplier_id TEXT
);
--> statement
CREATE TABLE stock (
  product_id INTEGER NOT NULL REFERENCES products (id) ON DELETE CASCADE,
  warehouse TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity >= 0),
  version INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (product_id, warehouse)
) WITHOUT ROWID;
--> statement
-- One row of counts, so that a summary does not count the whole catalog.
CREATE TABLE catalog_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  active_products INTEGER NOT NULL,
  changed_at INTEGER
);
--> statement
INSERT INTO catalog_state (id, active_products, changed_at) VALUES (1, 0, NULL);
--> statement
CREATE TRIGGER products_after_insert AFTER INSERT ON products BEGIN
  UPDATE categories SET active_products = active_products + 1
  WHERE id = new.category_id AND new.status = 'active';
  UPDATE catalog_state SET
    active_products = active_products + (new.status = 'active'),
    changed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;
--> statement
CREATE TRIGGER products_after_delete AFTER DELETE ON products BEGIN
  UPDATE categories SET active_products = active_products - 1
  WHERE id = old.category_id AND old.status = 'active';
  UPDATE catalog_state SET
    active_products = active_products - (old.status = 'active'),
    changed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;
--> statement
CREATE TRIGGER products_after_update AFTER UPDATE ON products BEGIN
  UPDATE categories SET active_products = active_products - 1
  WHERE id = old.category_id AND old.status = 'active';
  UPDATE categories SET active_products = active_products + 1
  WHERE id = new.category_id AND new.status = 'active';
  UPDATE catalog_state SET
    active_products = active_products - (old.status = 'active') + (new.status = 'active'),
    changed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;
