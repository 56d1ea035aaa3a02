-- The catalog's own words: how many products have each, and what a misspelt or unfinished one may stand for.
-- Rows of product_words that older code wrote count from the moment they are read again (src/catalog/search/refresh.ts).

DROP TRIGGER vocabulary_after_insert;
--> statement
DROP TABLE vocabulary_trigrams;
--> statement
DROP TABLE vocabulary;
--> statement
-- Words of everything but attributes; facets are words too. A word whose last product is gone stays, with 0.
CREATE TABLE vocabulary (
  word TEXT PRIMARY KEY,
  products INTEGER NOT NULL
) WITHOUT ROWID;
--> statement
-- A word itself, with each of its letters left out, and its endings: what a search looks up instead of comparing.
CREATE TABLE word_forms (
  form TEXT NOT NULL,
  word TEXT NOT NULL,
  PRIMARY KEY (form, word)
) WITHOUT ROWID;
--> statement
CREATE TRIGGER vocabulary_after_insert AFTER INSERT ON vocabulary
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
ALTER TABLE product_words ADD COLUMN reading INTEGER NOT NULL DEFAULT 1;
--> statement
-- Products that the vocabulary counts, the bytes of their titles and descriptions, and where reading older rows again goes on, NULL when it is done.
ALTER TABLE catalog_state ADD COLUMN words_products INTEGER NOT NULL DEFAULT 0;
--> statement
ALTER TABLE catalog_state ADD COLUMN title_bytes INTEGER NOT NULL DEFAULT 0;
--> statement
ALTER TABLE catalog_state ADD COLUMN text_bytes INTEGER NOT NULL DEFAULT 0;
--> statement
ALTER TABLE catalog_state ADD COLUMN unread_from INTEGER;
--> statement
UPDATE catalog_state SET unread_from = 0 WHERE EXISTS (SELECT 1 FROM product_words);
--> statement
CREATE TRIGGER product_words_count_insert AFTER INSERT ON product_words WHEN new.reading > 1 BEGIN
  INSERT INTO vocabulary (word, products)
  SELECT DISTINCT value, 1 FROM json_each('["' || replace(
    new.head || new.title || new.brand || new.detail || new.joined || new.facet, ' ', '","') || '"]') WHERE value <> ''
  ON CONFLICT (word) DO UPDATE SET products = products + 1;
  UPDATE catalog_state SET words_products = words_products + 1,
    title_bytes = title_bytes + octet_length(new.title) + octet_length(new.brand),
    text_bytes = text_bytes + octet_length(new.detail);
END;
--> statement
CREATE TRIGGER product_words_count_delete AFTER DELETE ON product_words WHEN old.reading > 1 BEGIN
  UPDATE vocabulary SET products = products - 1 WHERE word IN (
    SELECT value FROM json_each('["' || replace(
      old.head || old.title || old.brand || old.detail || old.joined || old.facet, ' ', '","') || '"]'));
  UPDATE catalog_state SET words_products = words_products - 1,
    title_bytes = title_bytes - octet_length(old.title) - octet_length(old.brand),
    text_bytes = text_bytes - octet_length(old.detail);
END;
--> statement
-- An update is a row that leaves and one that comes; one that only moves (tier) changes no count.
CREATE TRIGGER product_words_count_update AFTER UPDATE OF head, title, brand, detail, joined, facet, reading ON product_words BEGIN
  UPDATE vocabulary SET products = products - 1 WHERE old.reading > 1 AND word IN (
    SELECT value FROM json_each('["' || replace(
      old.head || old.title || old.brand || old.detail || old.joined || old.facet, ' ', '","') || '"]'));
  INSERT INTO vocabulary (word, products)
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
