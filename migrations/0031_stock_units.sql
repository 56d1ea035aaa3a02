-- The units in each warehouse, so that a change can be measured against the whole stock without reading all of it. A column and
-- triggers are only added, and no earlier release reads them.
-- A reservation goes with the change that made it, and its holds with it.

ALTER TABLE warehouses ADD COLUMN units INTEGER NOT NULL DEFAULT 0;
--> statement
UPDATE warehouses SET units = s.units
FROM (SELECT warehouse, sum(quantity) AS units FROM stock GROUP BY warehouse) s WHERE s.warehouse = name;
--> statement
CREATE TRIGGER stock_units_after_insert AFTER INSERT ON stock BEGIN
  INSERT INTO warehouses (name, units) VALUES (new.warehouse, new.quantity)
  ON CONFLICT (name) DO UPDATE SET units = units + excluded.units;
END;
--> statement
CREATE TRIGGER stock_units_after_update AFTER UPDATE OF quantity ON stock BEGIN
  UPDATE warehouses SET units = units + new.quantity - old.quantity WHERE name = new.warehouse;
END;
--> statement
CREATE TRIGGER stock_units_after_delete AFTER DELETE ON stock BEGIN
  UPDATE warehouses SET units = units - old.quantity WHERE name = old.warehouse;
END;
--> statement
CREATE TRIGGER changes_after_delete AFTER DELETE ON changes BEGIN
  DELETE FROM reservations WHERE change_id = old.id;
END;
--> statement
CREATE TRIGGER reservations_after_delete AFTER DELETE ON reservations BEGIN
  DELETE FROM holds WHERE reservation_id = old.id;
END;
