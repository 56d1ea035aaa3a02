-- Searches of callers, in aggregate (src/caller/audit/searches.ts). A table is only added, and no earlier release reads it. Days
-- are days since the epoch, in UTC.

CREATE TABLE searches (
  -- From the token of the words, so that there is a fixed number of rows.
  slot INTEGER PRIMARY KEY,
  -- A keyed token of the normalised words.
  search TEXT NOT NULL,
  -- A JSON object: a keyed token of each caller, which differs from search to search, with the last day, and whether nothing was found.
  callers TEXT NOT NULL,
  -- The words; NULL until enough callers have searched for them.
  words TEXT,
  -- The earliest day among the callers.
  oldest INTEGER NOT NULL
);
--> statement
CREATE INDEX searches_by_oldest ON searches (oldest);
--> statement
CREATE INDEX searches_with_words ON searches (slot) WHERE words IS NOT NULL;
