-- Names the call that the rule last spoke at, as the X-Request-Id of its answer, the log and the audit do.
ALTER TABLE incidents ADD COLUMN correlation_id TEXT;
