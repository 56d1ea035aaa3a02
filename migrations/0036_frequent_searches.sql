-- Orders searches by their callers, and by the callers for whom they found nothing (src/admin/search-list.ts), so that the page
-- Catalog reads the first rows alone. Every caller takes equally many characters of the JSON; one for whom nothing was found ends
-- with `,1]`. An earlier release reads and writes the table as before.

CREATE INDEX searches_by_callers ON searches (length(callers) DESC, words) WHERE words IS NOT NULL;
--> statement
CREATE INDEX searches_by_empty ON searches (length(callers) - length(replace(callers, ',1]', '')) DESC, words) WHERE words IS NOT NULL;
--> statement
DROP INDEX searches_with_words;
