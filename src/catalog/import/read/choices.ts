import { plainLine } from "../../../text/plain-text.ts";
import { setField } from "./columns.ts";
import { PRODUCT_FIELD_NAMES } from "../record.ts";
import { ForCommand } from "./notes.ts";
import { fieldNamed, isField } from "./presets/plain.ts";
import { columnList } from "./read-csv.ts";
import { type Cells, type DraftRow, textOf } from "./rows.ts";

/** `--map` and `--set`: a field, and the column or text that it takes. */
export type Pairs = ReadonlyMap<string, string>;

/** Parses `field=column` pairs. Throws if one has another form, or names no field. */
export function pairsOf(option: "--map" | "--set", texts: readonly string[]): Pairs {
  const pairs = new Map<string, string>();
  for (const text of texts) {
    const [field = "", ...rest] = text.split("=");
    if (field === "" || rest.length === 0)
      throw new Error(`${option} needs field=${option === "--map" ? "column" : "value"}, not ${text}.`);
    if (!isField(field))
      throw new Error(`A product has no field ${field}. It has: ${PRODUCT_FIELD_NAMES.join(", ")}.`);
    pairs.set(field, rest.join("="));
  }
  return pairs;
}

export interface Choices {
  map: Pairs;
  /** Texts for fields that a row leaves empty. `{Column}` stands for the cell of that column. */
  set: Pairs;
}

/** Applies `--map` and `--set` to each product. */
export const withChoices = (rows: AsyncIterable<DraftRow>, choices: Choices): AsyncIterable<DraftRow> =>
  choices.map.size === 0 && choices.set.size === 0 ? rows : chosen(rows, choices);

async function* chosen(rows: AsyncIterable<DraftRow>, { map, set }: Choices): AsyncGenerator<DraftRow> {
  for await (const row of rows) {
    if ("fields" in row) {
      const { fields, cells } = row;
      for (const [field, column] of map)
        setField(fields, field === "stock" ? "stock.main" : field, cells[column]);
      for (const [field, text] of set) {
        const path = field === "stock" ? "stock.main" : field;
        if (isEmpty(fields, path)) setField(fields, path, filledIn(text, cells, field === "url"));
      }
    }
    yield row;
  }
}

function isEmpty(fields: Readonly<Record<string, unknown>>, path: string): boolean {
  const [head = "", ...rest] = path.split(".");
  const outer = fields[head];
  const value =
    rest.length > 0 && typeof outer === "object" && outer !== null
      ? Reflect.get(outer, rest.join("."))
      : fields[path];
  return (
    value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0)
  );
}

/** Empty if a named cell is empty: half an address leads nowhere. */
function filledIn(text: string, cells: Cells, isUrl: boolean): string {
  let isWhole = true;
  const filled = text.replaceAll(/\{([^{}]+)\}/g, (_, column: string) => {
    const cell = textOf(cells[column]);
    if (cell === "") isWhole = false;
    return isUrl ? encodeURIComponent(cell) : cell;
  });
  return isWhole ? filled : "";
}

const RENAME = "Rename or delete all but one in the file.";

/** Throws if the header of a CSV file rules out every row. `columns` is its first row. */
export function checkHeader(cells: Cells, { map, set }: Choices): void {
  const columns = Object.keys(cells);
  const has = `It has: ${columnList(columns)}.`;
  const absent = [...map.values()].filter((column) => !columns.includes(column));
  if (absent.length > 0) throw new Error(`The header has no column ${absent.join(", ")}. ${has}`);
  const unnamed = [...set.values()].flatMap((text) =>
    [...text.matchAll(/\{([^{}]+)\}/g)].flatMap(([, column = ""]) =>
      columns.includes(column) ? [] : [column],
    ),
  );
  if (unnamed.length > 0)
    throw new Error(`The header has no column ${unnamed.map(plainLine).join(", ")}. ${has}`);
  // Feeds repeat a column of images.
  const doubled = [...map].flatMap(([field, column]) =>
    field !== "images" && Array.isArray(cells[column]) ? [column] : [],
  );
  if (doubled.length > 0)
    throw new Error(`The header has more than one column ${columnList(doubled)}. ${RENAME}`);
  const again = [...map.values()].find((column, index, all) => all.indexOf(column) !== index);
  if (again !== undefined)
    throw new Error(
      `--map assigns one column to more than one field. Use it for both: --set "FIELD={${plainLine(again)}}".`,
    );
}

/** Does the same for a file of this catalog, whose columns are fields. */
export function checkPlainHeader(cells: Cells, { map, set }: Choices): void {
  const columns = Object.keys(cells);
  const has = `It has: ${columnList(columns)}.`;
  const mapped = new Set(map.values());
  const own = columns
    .filter((column) => !mapped.has(column))
    .map((column) => [column, fieldNamed(column)] as const);
  const fields = [
    ...map.keys(),
    ...own.map(([, field]) => field).filter((field) => isField(field) && !map.has(field)),
  ];
  const twice = fields.filter((field, index) => fields.indexOf(field) !== index);
  const repeated = own.filter(([column, field]) => isField(field) && Array.isArray(cells[column]));
  const doubled = [...new Set([...twice, ...repeated.map(([, field]) => field)])];
  if (doubled.length > 0)
    throw new Error(`The header has more than one column for ${columnList(doubled)}. ${has} ${RENAME}`);
  const given = new Set([...fields, ...set.keys()]);
  const hasPrice = ["price", "price_minor", "list_price"].some((name) => given.has(name));
  const missing = [
    ...["sku", "name", "category"].filter((name) => !given.has(name)),
    ...(hasPrice ? [] : ["price"]),
  ];
  if (missing.length === 0) return;
  if (columns.length === 1)
    throw new ForCommand(
      `The header has only one column. ${has}`,
      "Delete any lines above the header, or set the separator with --delimiter.",
    );
  for (const [field, column] of map)
    if (missing.includes(fieldNamed(column)))
      throw new ForCommand(
        `--map leaves no column for ${fieldNamed(column)}.`,
        `Use it for both: --set "${field}={${plainLine(column)}}".`,
      );
  throw new ForCommand(
    `The header has no column for ${missing.join(", ")}. ${has}`,
    `Name one with --map ${missing[0]}=COLUMN, or ${
      missing[0] === "sku"
        ? 'make it of columns that tell products apart: --set "sku={COLUMN}"'
        : `a text for all rows with --set ${missing[0]}=TEXT`
    }.`,
  );
}
