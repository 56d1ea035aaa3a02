-- Whether most of a caller's latest calls were refused when its chain was last anchored, for the list of callers.
ALTER TABLE audit_anchors ADD COLUMN mostly_refused INTEGER NOT NULL DEFAULT 0;
