import type { Pairs } from "../../src/catalog/import/read/choices.ts";
import { fieldNamed, isField } from "../../src/catalog/import/read/presets/plain.ts";
import { columnList } from "../../src/catalog/import/read/read-csv.ts";
import type { Products } from "../../src/catalog/import/read/read-products.ts";
import type { DraftRow } from "../../src/catalog/import/read/rows.ts";

/** Most names that are remembered: a file may hold any number of them. */
const NAMES_MAX = 1_000;

/** Collects the columns of a file of this catalog that are no field. A vendor's export has many such columns. */
export class LeftOutNames {
  readonly #names = new Set<string>();
  readonly #map: Pairs;
  readonly #known: Set<string>;
  readonly #isCsv: boolean;
  readonly #isPlain: boolean;

  constructor({ format, name }: Products, map: Pairs) {
    this.#map = map;
    this.#known = new Set(map.values());
    this.#isCsv = format === "csv";
    this.#isPlain = name === "plain";
  }

  watch(drafts: AsyncIterable<DraftRow>): AsyncIterable<DraftRow> {
    return this.#isPlain ? this.#watched(drafts) : drafts;
  }

  async *#watched(drafts: AsyncIterable<DraftRow>): AsyncGenerator<DraftRow> {
    for await (const draft of drafts) {
      if ("fields" in draft) {
        for (const column of Object.keys(draft.cells)) {
          if (this.#known.has(column) || this.#known.size >= NAMES_MAX) continue;
          this.#known.add(column);
          const field = fieldNamed(column);
          if (!isField(field) || this.#map.has(field)) this.#names.add(column);
        }
      }
      yield draft;
    }
  }

  /** Names them on standard error. */
  say(): void {
    if (this.#names.size === 0) return;
    const hint = this.#isCsv
      ? " Say which field one is with --map FIELD=COLUMN, for example brand, description, stock, images, url or sale.price; or keep it with --map attributes.NAME=COLUMN."
      : "";
    console.error(`Left out, because they are not product fields: ${columnList([...this.#names])}.${hint}`);
  }
}
