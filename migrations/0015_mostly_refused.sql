-- Whether most of a caller's latest calls had been refused when its chain was last anchored. The list of callers shows it.
ALTER TABLE audit_anchors ADD COLUMN mostly_refused INTEGER NOT NULL DEFAULT 0;
