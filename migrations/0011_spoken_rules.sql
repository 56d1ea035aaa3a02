-- When a flow rule last spoke at a call of the principal, as far as anchored; null where none has.
ALTER TABLE audit_anchors ADD COLUMN spoke_at INTEGER;
--> statement
-- Of what was anchored before, nobody knows: it is read as if one had.
UPDATE audit_anchors SET spoke_at = anchored_at;
--> statement
CREATE INDEX audit_anchors_by_spoke_at ON audit_anchors (spoke_at) WHERE spoke_at IS NOT NULL;
