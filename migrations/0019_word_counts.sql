-- The counts of words move from `vocabulary` to `word_counts`, and `vocabulary` gets its former shape back: the release before
-- migration 0017 reads it, so that it still answers searches if the Worker is rolled back. Nothing writes it until then.

DROP TRIGGER vocabulary_after_insert;
--> statement
DROP TRIGGER product_words_count_insert;
--> statement
DROP TRIGGER product_words_count_delete;
--> statement
DROP TRIGGER product_words_count_update;
--> statement
-- Words of everything but attributes; facets are words too. A word whose last product is gone stays, with 0.
CREATE TABLE word_counts (
  word TEXT PRIMARY KEY,
  products INTEGER NOT NULL
) WITHOUT ROWID;
--> statement
INSERT INTO word_counts (word, products) SELECT word, products FROM vocabulary;
--> statement
DROP TABLE vocabulary;
--> statement
CREATE TRIGGER word_counts_after_insert AFTER INSERT ON word_counts
WHEN length(new.word) BETWEEN 4 AND 24 AND new.word NOT GLOB '*[0-9._]*' BEGIN
  INSERT OR IGNORE INTO word_forms (form, word)
  SELECT substr(new.word, 1, value - 1) || substr(new.word, value + 1), new.word
  FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]')
  WHERE value <= length(new.word) + 1
  UNION ALL
  -- Endings of four letters and more, behind three and more.
  SELECT substr(new.word, value), new.word
  FROM json_each('[4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21]') WHERE value <= length(new.word) - 3;
END;
--> statement
CREATE TRIGGER product_words_count_insert AFTER INSERT ON product_words WHEN new.reading > 1 BEGIN
  INSERT INTO word_counts (word, products)
  SELECT DISTINCT value, 1 FROM json_each('["' || replace(
    new.head || new.title || new.brand || new.detail || new.joined || new.facet, ' ', '","') || '"]') WHERE value <> ''
  ON CONFLICT (word) DO UPDATE SET products = products + 1;
  UPDATE catalog_state SET words_products = words_products + 1,
    title_bytes = title_bytes + octet_length(new.title) + octet_length(new.brand),
    text_bytes = text_bytes + octet_length(new.detail);
END;
--> statement
CREATE TRIGGER product_words_count_delete AFTER DELETE ON product_words WHEN old.reading > 1 BEGIN
  UPDATE word_counts SET products = products - 1 WHERE word IN (
    SELECT value FROM json_each('["' || replace(
      old.head || old.title || old.brand || old.detail || old.joined || old.facet, ' ', '","') || '"]'));
  UPDATE catalog_state SET words_products = words_products - 1,
    title_bytes = title_bytes - octet_length(old.title) - octet_length(old.brand),
    text_bytes = text_bytes - octet_length(old.detail);
END;
--> statement
-- An update is a row that leaves and one that comes; one that only moves (tier) changes no count.
CREATE TRIGGER product_words_count_update AFTER UPDATE OF head, title, brand, detail, joined, facet, reading ON product_words BEGIN
  UPDATE word_counts SET products = products - 1 WHERE old.reading > 1 AND word IN (
    SELECT value FROM json_each('["' || replace(
      old.head || old.title || old.brand || old.detail || old.joined || old.facet, ' ', '","') || '"]'));
  INSERT INTO word_counts (word, products)
  SELECT DISTINCT value, 1 FROM json_each('["' || replace(
    new.head || new.title || new.brand || new.detail || new.joined || new.facet, ' ', '","') || '"]')
  WHERE value <> '' AND new.reading > 1
  ON CONFLICT (word) DO UPDATE SET products = products + 1;
  UPDATE catalog_state SET
    words_products = words_products + (new.reading > 1) - (old.reading > 1),
    title_bytes = title_bytes + (new.reading > 1) * (octet_length(new.title) + octet_length(new.brand))
      - (old.reading > 1) * (octet_length(old.title) + octet_length(old.brand)),
    text_bytes = text_bytes + (new.reading > 1) * octet_length(new.detail) - (old.reading > 1) * octet_length(old.detail);
END;
--> statement
-- An earlier release writes rows of an older reading, which are then read again.
CREATE TRIGGER product_words_older AFTER INSERT ON product_words WHEN new.reading = 1 BEGIN
  UPDATE catalog_state SET unread_from = min(coalesce(unread_from, new.product_id), new.product_id - 1);
END;
--> statement
-- As in 0002_search.sql.
CREATE TABLE vocabulary (
  id INTEGER PRIMARY KEY,
  word TEXT NOT NULL UNIQUE
);
--> statement
CREATE VIRTUAL TABLE vocabulary_trigrams USING fts5 (
  word, content = 'vocabulary', content_rowid = 'id', tokenize = 'trigram', detail = 'none'
);
--> statement
CREATE TRIGGER vocabulary_after_insert AFTER INSERT ON vocabulary BEGIN
  INSERT INTO vocabulary_trigrams (rowid, word) VALUES (new.id, new.word);
END;
