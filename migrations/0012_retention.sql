-- Indexes for the queries that open dashboard pages send every two seconds, and for retention.
CREATE INDEX incidents_gravest_open ON incidents (
  CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END, last_at DESC, id
) WHERE status = 'open';
--> statement
CREATE INDEX incidents_open_by_principal ON incidents (principal) WHERE status = 'open';
--> statement
CREATE INDEX incidents_by_decision ON incidents (decided_at) WHERE decided_at IS NOT NULL;
--> statement
CREATE INDEX audit_anchors_by_closing ON audit_anchors (closed_at) WHERE closed_at IS NOT NULL;
