-- The time at which a flow rule last matched a call of the principal, up to the anchor; null if none has.
ALTER TABLE audit_anchors ADD COLUMN spoke_at INTEGER;
--> statement
-- Nobody recorded this for older anchors, so each counts as if a rule had matched.
UPDATE audit_anchors SET spoke_at = anchored_at;
--> statement
CREATE INDEX audit_anchors_by_spoke_at ON audit_anchors (spoke_at) WHERE spoke_at IS NOT NULL;
