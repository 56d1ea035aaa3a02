-- A keyed hash of the row's other values, by the server's SECRET_KEY: whoever can write this database and nothing else can't
-- change an anchor unseen. Null in rows of earlier releases, until their chain is anchored again.
ALTER TABLE audit_anchors ADD COLUMN seal TEXT;
