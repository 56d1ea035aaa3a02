-- Makes lists for people equally fast however many callers there are: each page reads an index from the end of the page before,
-- and triggers keep the counts. Times are milliseconds since the epoch.

-- The order of incidents in lists, smallest first: open ones that wait for a person (0 to 3 known callers, 4 to 7 anonymous
-- callers), other open ones of known callers (8 to 11), decided ones (12), open ones of anonymous callers that need nobody (13).
-- Lists show one row for all of the last kind of a rule.
ALTER TABLE incidents ADD COLUMN urgency INTEGER GENERATED ALWAYS AS (
  CASE
    WHEN status <> 'open' THEN 12
    WHEN verdict NOT IN ('confirm', 'block') AND severity <> 'critical'
      THEN CASE WHEN substr(principal, 1, 5) = 'anon-' THEN 13 ELSE 8 END
    ELSE CASE WHEN substr(principal, 1, 5) = 'anon-' THEN 4 ELSE 0 END
  END
  + CASE
    WHEN status <> 'open' THEN 0
    WHEN verdict NOT IN ('confirm', 'block') AND severity <> 'critical' AND substr(principal, 1, 5) = 'anon-' THEN 0
    ELSE CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END
  END
) VIRTUAL;
--> statement
-- Orders by urgency, then the latest first, in one number that JavaScript holds exactly.
ALTER TABLE incidents ADD COLUMN place INTEGER
  GENERATED ALWAYS AS (urgency * 100000000000000 - last_at) VIRTUAL;
--> statement
CREATE INDEX incidents_by_place ON incidents (place, id);
--> statement
CREATE INDEX incidents_folded ON incidents (rule, place, id) WHERE urgency = 13;
--> statement
DROP INDEX incidents_gravest_open;
--> statement
-- The number of open incidents by urgency and rule.
CREATE TABLE open_incidents (
  urgency INTEGER NOT NULL,
  rule TEXT NOT NULL,
  incidents INTEGER NOT NULL,
  PRIMARY KEY (urgency, rule)
) WITHOUT ROWID;
--> statement
INSERT INTO open_incidents (urgency, rule, incidents)
  SELECT urgency, rule, count(*) FROM incidents WHERE status = 'open' GROUP BY urgency, rule;
--> statement
-- All users, and all other callers that have an audit or an incident.
CREATE TABLE callers (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  -- The user's name; empty for other callers.
  name TEXT NOT NULL DEFAULT '',
  -- The time at which the audit was last anchored; 0 if there is none.
  last_at INTEGER NOT NULL DEFAULT 0,
  -- The number of open incidents, and of those that wait for a person.
  open INTEGER NOT NULL DEFAULT 0,
  asking INTEGER NOT NULL DEFAULT 0,
  -- As in `incidents`.
  place INTEGER GENERATED ALWAYS AS (
    CASE
      WHEN substr(id, 1, 5) = 'anon-' THEN CASE WHEN asking > 0 THEN 1 ELSE 4 END
      WHEN asking > 0 THEN 0
      WHEN open > 0 THEN 2
      ELSE 3
    END * 100000000000000 - last_at
  ) VIRTUAL
);
--> statement
CREATE INDEX callers_by_place ON callers (place, id);
--> statement
CREATE VIRTUAL TABLE caller_words USING fts5 (
  id, name, content = 'callers', content_rowid = 'n', detail = 'none', prefix = '1 2 3'
);
--> statement
CREATE TRIGGER callers_after_insert AFTER INSERT ON callers BEGIN
  INSERT INTO caller_words (rowid, id, name) VALUES (new.n, new.id, new.name);
END;
--> statement
CREATE TRIGGER callers_after_delete AFTER DELETE ON callers BEGIN
  INSERT INTO caller_words (caller_words, rowid, id, name) VALUES ('delete', old.n, old.id, old.name);
END;
--> statement
CREATE TRIGGER callers_after_rename AFTER UPDATE OF name ON callers BEGIN
  INSERT INTO caller_words (caller_words, rowid, id, name) VALUES ('delete', old.n, old.id, old.name);
  INSERT INTO caller_words (rowid, id, name) VALUES (new.n, new.id, new.name);
END;
--> statement
INSERT INTO callers (id, name, last_at, open, asking)
  SELECT c.id, coalesce(u.name, ''), coalesce(a.anchored_at, 0),
    (SELECT count(*) FROM incidents WHERE principal = c.id AND status = 'open'),
    (SELECT count(*) FROM incidents WHERE principal = c.id AND status = 'open' AND urgency < 8)
  FROM (
    SELECT id FROM users
    UNION SELECT principal FROM audit_anchors WHERE closed_at IS NULL
    UNION SELECT principal FROM incidents
  ) c
  LEFT JOIN users u ON u.id = c.id
  LEFT JOIN audit_anchors a ON a.principal = c.id AND a.closed_at IS NULL;
--> statement
CREATE TRIGGER users_after_insert AFTER INSERT ON users BEGIN
  INSERT INTO callers (id, name) VALUES (new.id, new.name) ON CONFLICT (id) DO UPDATE SET name = excluded.name;
END;
--> statement
CREATE TRIGGER users_after_rename AFTER UPDATE OF name ON users WHEN new.name <> old.name BEGIN
  UPDATE callers SET name = new.name WHERE id = new.id;
END;
--> statement
CREATE TRIGGER users_after_delete AFTER DELETE ON users BEGIN
  UPDATE callers SET name = '' WHERE id = old.id;
  DELETE FROM callers WHERE id = old.id
    AND NOT EXISTS (SELECT 1 FROM audit_anchors WHERE principal = old.id AND closed_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM incidents WHERE principal = old.id);
END;
--> statement
CREATE TRIGGER audit_anchors_after_insert AFTER INSERT ON audit_anchors WHEN new.closed_at IS NULL BEGIN
  INSERT INTO callers (id, last_at) VALUES (new.principal, new.anchored_at)
    ON CONFLICT (id) DO UPDATE SET last_at = excluded.last_at;
END;
--> statement
CREATE TRIGGER audit_anchors_after_update AFTER UPDATE ON audit_anchors WHEN new.closed_at IS NULL BEGIN
  INSERT INTO callers (id, last_at) VALUES (new.principal, new.anchored_at)
    ON CONFLICT (id) DO UPDATE SET last_at = excluded.last_at;
END;
--> statement
CREATE TRIGGER audit_anchors_after_close AFTER UPDATE OF closed_at ON audit_anchors WHEN new.closed_at IS NOT NULL BEGIN
  UPDATE callers SET last_at = 0 WHERE id = new.principal;
  DELETE FROM callers WHERE id = new.principal
    AND NOT EXISTS (SELECT 1 FROM users WHERE id = new.principal)
    AND NOT EXISTS (SELECT 1 FROM incidents WHERE principal = new.principal);
END;
--> statement
CREATE TRIGGER audit_anchors_after_delete AFTER DELETE ON audit_anchors BEGIN
  UPDATE callers SET last_at = 0 WHERE id = old.principal;
  DELETE FROM callers WHERE id = old.principal
    AND NOT EXISTS (SELECT 1 FROM users WHERE id = old.principal)
    AND NOT EXISTS (SELECT 1 FROM incidents WHERE principal = old.principal);
END;
--> statement
CREATE TRIGGER incidents_after_insert AFTER INSERT ON incidents BEGIN
  INSERT INTO callers (id, open, asking) VALUES (new.principal, new.status = 'open', new.urgency < 8)
    ON CONFLICT (id) DO UPDATE SET open = open + excluded.open, asking = asking + excluded.asking;
  INSERT INTO open_incidents (urgency, rule, incidents) SELECT new.urgency, new.rule, 1 WHERE new.status = 'open'
    ON CONFLICT (urgency, rule) DO UPDATE SET incidents = incidents + 1;
END;
--> statement
CREATE TRIGGER incidents_after_update AFTER UPDATE ON incidents
WHEN new.urgency <> old.urgency OR new.rule <> old.rule BEGIN
  UPDATE callers SET
    open = open + (new.status = 'open') - (old.status = 'open'),
    asking = asking + (new.urgency < 8) - (old.urgency < 8)
    WHERE id = new.principal;
  UPDATE open_incidents SET incidents = incidents - 1
    WHERE old.status = 'open' AND urgency = old.urgency AND rule = old.rule;
  INSERT INTO open_incidents (urgency, rule, incidents) SELECT new.urgency, new.rule, 1 WHERE new.status = 'open'
    ON CONFLICT (urgency, rule) DO UPDATE SET incidents = incidents + 1;
END;
--> statement
CREATE TRIGGER incidents_after_delete AFTER DELETE ON incidents BEGIN
  UPDATE callers SET open = open - (old.status = 'open'), asking = asking - (old.urgency < 8)
    WHERE id = old.principal;
  UPDATE open_incidents SET incidents = incidents - 1
    WHERE old.status = 'open' AND urgency = old.urgency AND rule = old.rule;
  DELETE FROM callers WHERE id = old.principal
    AND NOT EXISTS (SELECT 1 FROM users WHERE id = old.principal)
    AND NOT EXISTS (SELECT 1 FROM audit_anchors WHERE principal = old.principal AND closed_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM incidents WHERE principal = old.principal);
END;
--> statement
CREATE INDEX access_keys_latest ON access_keys (created_at, id);
--> statement
CREATE INDEX signing_keys_latest ON signing_keys (created_at, id);
