-- Links, images, sale prices, availability, and groups of variants. Columns and tables are only added, so that an earlier
-- release still reads this catalog after a rollback: it shows every variant as a product, at its regular price.

CREATE TABLE product_groups (
  id INTEGER PRIMARY KEY,
  -- The group's id in the files that are imported.
  key TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL
);
--> statement
-- NULL for a product without variants.
ALTER TABLE products ADD COLUMN group_id INTEGER REFERENCES product_groups (id);
--> statement
-- The choices that make this variant of its group, as a JSON object of names and values.
ALTER TABLE products ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
--> statement
-- `price_minor` is the regular price. A sale replaces it from sale_starts_at until before sale_ends_at, in milliseconds since
-- the epoch; NULL means no bound. src/catalog/price.ts reads these columns.
ALTER TABLE products ADD COLUMN sale_minor INTEGER;
--> statement
ALTER TABLE products ADD COLUMN sale_starts_at INTEGER;
--> statement
ALTER TABLE products ADD COLUMN sale_ends_at INTEGER;
--> statement
ALTER TABLE products ADD COLUMN url TEXT NOT NULL DEFAULT '';
--> statement
-- The images after image_url, which is the first one, as a JSON list.
ALTER TABLE products ADD COLUMN more_images TEXT NOT NULL DEFAULT '[]';
--> statement
ALTER TABLE products ADD COLUMN condition TEXT;
--> statement
ALTER TABLE products ADD COLUMN rating_value REAL;
--> statement
ALTER TABLE products ADD COLUMN rating_count INTEGER;
--> statement
-- The word of the imported file. src/catalog/availability.ts combines it with the stock.
ALTER TABLE products ADD COLUMN availability TEXT;
--> statement
ALTER TABLE products ADD COLUMN available_from TEXT;
--> statement
CREATE INDEX products_by_group ON products (group_id, status) WHERE group_id IS NOT NULL;
--> statement
-- The product's group again, so that a search shows one variant of each without reading products.
ALTER TABLE product_words ADD COLUMN group_id INTEGER;
--> statement
-- Counts are of products, and the variants of a group are one: a variant counts while no other variant does.
DROP TRIGGER products_after_insert;
--> statement
DROP TRIGGER products_after_delete;
--> statement
DROP TRIGGER products_after_update;
--> statement
CREATE TRIGGER products_after_insert AFTER INSERT ON products BEGIN
  UPDATE categories SET active_products = active_products + 1
  WHERE id = new.category_id AND new.status = 'active' AND NOT EXISTS (
    SELECT 1 FROM products WHERE group_id = new.group_id AND status = 'active' AND id <> new.id AND category_id = new.category_id);
  UPDATE catalog_state SET
    active_products = active_products + (new.status = 'active' AND NOT EXISTS (
      SELECT 1 FROM products WHERE group_id = new.group_id AND status = 'active' AND id <> new.id)),
    changed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;
--> statement
CREATE TRIGGER products_after_delete AFTER DELETE ON products BEGIN
  UPDATE categories SET active_products = active_products - 1
  WHERE id = old.category_id AND old.status = 'active' AND NOT EXISTS (
    SELECT 1 FROM products WHERE group_id = old.group_id AND status = 'active' AND id <> old.id AND category_id = old.category_id);
  UPDATE catalog_state SET
    active_products = active_products - (old.status = 'active' AND NOT EXISTS (
      SELECT 1 FROM products WHERE group_id = old.group_id AND status = 'active' AND id <> old.id)),
    changed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;
--> statement
CREATE TRIGGER products_after_update AFTER UPDATE ON products BEGIN
  UPDATE categories SET active_products = active_products - 1
  WHERE id = old.category_id AND old.status = 'active' AND NOT EXISTS (
    SELECT 1 FROM products WHERE group_id = old.group_id AND status = 'active' AND id <> old.id AND category_id = old.category_id);
  UPDATE categories SET active_products = active_products + 1
  WHERE id = new.category_id AND new.status = 'active' AND NOT EXISTS (
    SELECT 1 FROM products WHERE group_id = new.group_id AND status = 'active' AND id <> new.id AND category_id = new.category_id);
  UPDATE catalog_state SET
    active_products = active_products
      - (old.status = 'active' AND NOT EXISTS (
        SELECT 1 FROM products WHERE group_id = old.group_id AND status = 'active' AND id <> old.id))
      + (new.status = 'active' AND NOT EXISTS (
        SELECT 1 FROM products WHERE group_id = new.group_id AND status = 'active' AND id <> new.id)),
    changed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER);
END;
--> statement
-- A category's name may be a path now ("Home > Lamps"), which a filter by "Home" includes. Products with such a name are read
-- again, because their words lack the categories above.
UPDATE catalog_state SET unread_from = 0 WHERE EXISTS (SELECT 1 FROM categories WHERE name LIKE '%>%');
