-- The support desk: customers, orders, payment methods and tickets.
-- A public id is a letter and this integer: C-10042, O-100001, T-5001. Times are milliseconds since the epoch.

CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  phone TEXT NOT NULL,
  street TEXT NOT NULL,
  postcode TEXT NOT NULL,
  city TEXT NOT NULL,
  country TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- Search keys, as src/support/handles.ts writes them.
  name_key TEXT NOT NULL,
  email_key TEXT NOT NULL,
  phone_key TEXT NOT NULL,
  postcode_key TEXT NOT NULL
);
--> statement
CREATE INDEX customers_by_email ON customers (email_key);
--> statement
CREATE INDEX customers_by_phone ON customers (phone_key) WHERE phone_key <> '';
--> statement
CREATE INDEX customers_by_postcode ON customers (postcode_key);
--> statement
-- Internal fields have their own table, so that no SELECT over customers returns them by accident.
CREATE TABLE customer_internals (
  customer_id INTEGER PRIMARY KEY REFERENCES customers (id) ON DELETE CASCADE,
  risk_score INTEGER,
  staff_note TEXT
);
--> statement
-- Planted customers. No list, count or ticket names them, so a caller who reads one or its orders has guessed ids.
CREATE TABLE canary_customers (
  customer_id INTEGER PRIMARY KEY REFERENCES customers (id) ON DELETE CASCADE
);
--> statement
CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  status TEXT NOT NULL CHECK (status IN ('placed', 'shipped', 'delivered', 'returned', 'cancelled')),
  currency TEXT NOT NULL,
  placed_at INTEGER NOT NULL
);
--> statement
CREATE INDEX orders_by_customer ON orders (customer_id);
--> statement
-- Name and price at the time of the order.
CREATE TABLE order_items (
  order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  line INTEGER NOT NULL,
  sku TEXT NOT NULL,
  name TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  unit_price_minor INTEGER NOT NULL CHECK (unit_price_minor >= 0),
  PRIMARY KEY (order_id, line)
) WITHOUT ROWID;
--> statement
-- Full card numbers are stored nowhere.
CREATE TABLE payment_methods (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  brand TEXT NOT NULL,
  last4 TEXT NOT NULL CHECK (last4 GLOB '[0-9][0-9][0-9][0-9]'),
  preferred INTEGER NOT NULL CHECK (preferred IN (0, 1))
);
--> statement
CREATE INDEX payment_methods_by_customer ON payment_methods (customer_id);
--> statement
-- The tokens by which the payment processor charges.
CREATE TABLE payment_internals (
  payment_method_id INTEGER PRIMARY KEY REFERENCES payment_methods (id) ON DELETE CASCADE,
  processor_token TEXT NOT NULL
);
--> statement
CREATE TABLE tickets (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
  order_id INTEGER REFERENCES orders (id) ON DELETE SET NULL,
  topic TEXT NOT NULL CHECK (topic IN ('delivery', 'return', 'payment', 'account', 'product')),
  status TEXT NOT NULL CHECK (status IN ('open', 'pending', 'closed')),
  -- The customer writes subject and body.
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  resolution TEXT,
  version INTEGER NOT NULL DEFAULT 1,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER,
  CHECK ((status = 'closed') = (closed_at IS NOT NULL))
);
--> statement
CREATE INDEX tickets_by_customer ON tickets (customer_id);
--> statement
CREATE INDEX tickets_by_status ON tickets (status);
