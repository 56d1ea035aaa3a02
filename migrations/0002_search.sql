-- The words of each product that search reads. src/catalog/search/product-words.ts writes them lower-cased, folded
-- and joined, so that FTS5 only splits at spaces.

CREATE TABLE product_words (
  -- tier << 40 | product_id. FTS5 returns matches in this order, so a search that stops early keeps the best.
  id INTEGER PRIMARY KEY,
  product_id INTEGER NOT NULL UNIQUE REFERENCES products (id) ON DELETE CASCADE,
  -- Texts begin and end with a space, so a substring test finds whole words.
  head TEXT NOT NULL,
  title TEXT NOT NULL,
  brand TEXT NOT NULL,
  detail TEXT NOT NULL,
  joined TEXT NOT NULL,
  rest TEXT NOT NULL,
  facet TEXT NOT NULL
);
--> statement
CREATE VIRTUAL TABLE product_search USING fts5 (
  head, title, brand, detail, joined, rest, facet,
  content = 'product_words', content_rowid = 'id',
  tokenize = "unicode61 remove_diacritics 0 tokenchars '._'"
);
--> statement
CREATE TRIGGER product_words_after_insert AFTER INSERT ON product_words BEGIN
  INSERT INTO product_search (rowid, head, title, brand, detail, joined, rest, facet)
  VALUES (new.id, new.head, new.title, new.brand, new.detail, new.joined, new.rest, new.facet);
END;
--> statement
CREATE TRIGGER product_words_after_delete AFTER DELETE ON product_words BEGIN
  INSERT INTO product_search (product_search, rowid, head, title, brand, detail, joined, rest, facet)
  VALUES ('delete', old.id, old.head, old.title, old.brand, old.detail, old.joined, old.rest, old.facet);
END;
--> statement
CREATE TRIGGER product_words_after_update AFTER UPDATE ON product_words BEGIN
  INSERT INTO product_search (product_search, rowid, head, title, brand, detail, joined, rest, facet)
  VALUES ('delete', old.id, old.head, old.title, old.brand, old.detail, old.joined, old.rest, old.facet);
  INSERT INTO product_search (rowid, head, title, brand, detail, joined, rest, facet)
  VALUES (new.id, new.head, new.title, new.brand, new.detail, new.joined, new.rest, new.facet);
END;
--> statement
-- Words that a misspelling may mean. A word stays after its last product is gone, and finds nothing.
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
