-- The id of the last call that the rule matched, as in its X-Request-Id, the log and the audit.
ALTER TABLE incidents ADD COLUMN correlation_id TEXT;
