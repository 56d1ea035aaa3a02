import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shopperLines } from "../../src/catalog/import/preview.ts";
import { Notes } from "../../src/catalog/import/read/notes.ts";
import { openSource } from "../../cli/import/open-source.ts";
import { type ReadFlags, prepare } from "../../cli/import/prepare.ts";
import { madeSku } from "../../src/catalog/import/read/made-sku.ts";
import { numberText, valueOf } from "../../src/catalog/import/read/number-text.ts";
import { readImport } from "./support/read-import.ts";

// How a file is read, up to the checked records. test/node/import.test.ts imports into a server.

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-reading-test-"));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function read(name: string, contents: string | Uint8Array, flags: Partial<ReadFlags> = {}) {
  const file = join(folder, `${files++}-${name}`);
  await writeFile(file, contents);
  return readImport(file, flags);
}

const csv = (prices: string[], currency = "EUR") =>
  [
    "sku;name;category;price;currency",
    ...prices.map((price, index) => `P-${index};Pan;Kitchen;${price};${currency}`),
  ].join("\n");
const minor = ({ records }: Awaited<ReturnType<typeof read>>) =>
  records.map(({ price_minor }) => price_minor);

describe("a number", () => {
  it.each([
    ["19,99", ",", 19.99],
    ["1.299,00", ",", 1299],
    ["1,299.00", ".", 1299],
    ["1\u00a0299,00", ",", 1299],
    ["1'299.00", ".", 1299],
    ["12.345.678", ",", 12_345_678],
    ["$19.99", ".", 19.99],
    ["19,99 €", ",", 19.99],
    ["+19.99", ".", 19.99],
    ["\u22125.00", ".", -5],
    ["19,-", ",", 19],
    ["CHF 1'299.-", ".", 1299],
    [".99", ".", 0.99],
  ] as const)("is read as a person wrote it: %s", (text, decimal, value) => {
    const form = numberText(text);
    expect(form && valueOf(form, decimal)).toBe(value);
  });

  it.each(["0x10", "0b11", "0o17", "1e3", "1.2.3", "1,23,456.00", "ten", "A1", "1 2"])(
    "is not one: %s",
    (text) => {
      expect(numberText(text)).toBeUndefined();
    },
  );
});

describe("prices", () => {
  it("have the one format that the whole column shows", async () => {
    expect(minor(await read("comma.csv", csv(["1.299", "19,99"])))).toEqual([129_900, 1_999]);
    expect(minor(await read("point.csv", csv(["1,299", "19.99"])))).toEqual([129_900, 1_999]);
  });

  it("are refused if the column stays ambiguous, with both readings and the flags", async () => {
    await expect(read("a.csv", csv(["1.299", "2.500"]))).rejects.toThrow(
      /"1\.299" \(line 2\).*1299 or 1\.299.*--decimal comma.*--decimal point/,
    );
    expect(minor(await read("b.csv", csv(["1.299"]), { decimal: "comma", majorPrices: true }))).toEqual([
      129_900,
    ]);
  });

  it("are refused if a column mixes two formats", async () => {
    await expect(read("mixed.csv", csv(["19.99", "19,99"]))).rejects.toThrow(
      /--decimal point or --decimal comma/,
    );
    const { problems } = await read("forced.csv", csv(["19.99", "19,99"]), { decimal: "point" });
    expect(problems).toEqual([expect.stringMatching(/^3: price: /)]);
  });

  it("are refused if nothing says their unit, with both readings", async () => {
    await expect(read("unit.csv", csv(["1999", "500"]))).rejects.toThrow(
      /line 2: Pan, 1999: €1,999\.00 or €19\.99[^]*--major-prices.*--minor-prices/,
    );
    expect(minor(await read("major.csv", csv(["1999"]), { majorPrices: true }))).toEqual([199_900]);
    expect(minor(await read("minor.csv", csv(["1999"]), { minorPrices: true }))).toEqual([1_999]);
    await expect(read("both.csv", csv(["1"]), { minorPrices: true, majorPrices: true })).rejects.toThrow(
      /one of/,
    );
  });

  it("are in major units if one of them has decimals, and in yen either way", async () => {
    expect(minor(await read("some.csv", csv(["20", "19.99"])))).toEqual([2_000, 1_999]);
    expect(minor(await read("yen.csv", csv(["1500"], "JPY")))).toEqual([1_500]);
    expect(minor(await read("dash.csv", csv(["19,-", "20"])))).toEqual([1_900, 2_000]);
  });

  it("lose the noise of floating point, but no real decimals", async () => {
    const { records, problems } = await read("noise.csv", csv(["19.990000000000002", "19.995"]));
    expect(records.map(({ price_minor }) => price_minor)).toEqual([1_999]);
    expect(problems).toEqual([expect.stringMatching(/^3: price: .*decimals/)]);
  });

  it("have three decimals in a currency that has three", async () => {
    const tsv = "id\ttitle\tproduct_type\tprice\tavailability\nK-1\tOud\tPerfume\t12.500 KWD\tin stock\n";
    expect(minor(await read("kwd.tsv", tsv))).toEqual([12_500]);
    expect(minor(await read("kwd.csv", csv(["1.250", "0.750"], "KWD")))).toEqual([1_250, 750]);
  });

  it("name their currency in the text, in lower case, or by --currency", async () => {
    const currencies = async (...args: Parameters<typeof read>) =>
      (await read(...args)).records.map(({ currency }) => currency);
    expect(
      await currencies("text.csv", "sku,name,category,price\nA,Pan,Home,19.99 USD\nB,Pan,Home,€5.00\n"),
    ).toEqual(["USD", "EUR"]);
    expect(await currencies("lower.csv", csv(["1.50"], "eur"))).toEqual(["EUR"]);
    expect(await currencies("flag.csv", csv(["1.50"], ""), { currency: "chf" })).toEqual(["CHF"]);
    await expect(read("none.csv", csv(["1.50"], ""))).rejects.toThrow(/--currency EUR/);
    const { problems } = await read("two.csv", csv(["1.50 USD"], "EUR"), { currency: "CHF" });
    expect(problems).toEqual([expect.stringMatching(/^2: price: is in USD.*EUR/)]);
  });

  it.each([
    "9,50 zł",
    "US$ 9,50",
    "¥800,00",
    "10,00 kr",
    "R$ 9,50",
    "9,50 lei",
    "£9,50",
    "$9,50",
    "9,50 ₿",
    "CHF 9,50",
  ])("are refused in a foreign currency: %s", async (price) => {
    const { records, problems } = await read("foreign.csv", csv([price, "1,50"]));
    expect(records).toHaveLength(1);
    expect(problems).toEqual([expect.stringMatching(/^2: price: .* EUR$/)]);
    const list = `sku;name;category;price;currency;list_price;cost\nA;Pan;Home;1,50;EUR;`;
    expect((await read("list.csv", `${list}${price};`)).problems).toEqual([
      expect.stringMatching(/^2: list_price: .* EUR$/),
    ]);
    expect((await read("cost.csv", `${list};${price}`)).problems).toEqual([
      expect.stringMatching(/^2: cost: .* EUR$/),
    ]);
  });

  it.each([
    ["$9.50", "USD"],
    ["$9.50", "CAD"],
    ["US$ 9.50", "USD"],
    ["CA$9.50", "CAD"],
    ["9.50 kr", "SEK"],
    ["9.50 kr.", "DKK"],
    ["¥9.00", "JPY"],
    ["¥9.50", "CNY"],
    ["£9.50", "GBP"],
    ["£9.50", "GIP"],
    ["9.50 zł", "PLN"],
    ["Fr. 9.50", "CHF"],
    ["Rs. 9.50", "INR"],
  ])("may have a sign that their currency uses: %s in %s", async (price, currency) => {
    expect((await read("own.csv", csv([price], currency))).records).toMatchObject([{ currency }]);
    expect((await read("flag.csv", csv([price], ""), { currency })).records).toMatchObject([{ currency }]);
  });

  it("are rejected with their line if they are no numbers", async () => {
    const { problems, records } = await read("hex.csv", csv(["0x10", "0b11", "0o17", "5.00"]));
    expect(problems).toEqual(
      ["0x10", "0b11", "0o17"].map((text, index) => expect.stringMatching(`^${index + 2}: price: "${text}"`)),
    );
    expect(records).toHaveLength(1);
  });
});

describe("a sale", () => {
  const head = "sku;name;category;price;currency";
  const row = "P-1;Pan;Kitchen;19,90;EUR";

  it.each(["sale", "sale.price", "sale_price", "Sale_Price"])(
    "has its price in a column %s",
    async (column) => {
      const { records } = await read("own.csv", `${head};${column}\n${row};14,90`);
      expect(records).toMatchObject([{ price_minor: 1990, sale: { price_minor: 1490 } }]);
    },
  );

  it("may be one number in JSON", async () => {
    const product = {
      sku: "P-1",
      name: "Pan",
      category: "Kitchen",
      price: 19.9,
      currency: "EUR",
      sale: 14.9,
    };
    const { records } = await read("own.jsonl", JSON.stringify(product));
    expect(records).toMatchObject([{ price_minor: 1990, sale: { price_minor: 1490 } }]);
  });

  it.each([
    ["31.12.2026", "2026-12-31T23:59:59.000Z"],
    ["1.2.2027", "2027-02-01T23:59:59.000Z"],
    ["31.12.2026 18:00", "2026-12-31T18:00:00.000Z"],
    ["2026-12-31", "2026-12-31T23:59:59.000Z"],
  ])("ends on %s", async (written, ends_at) => {
    const { records } = await read("own.csv", `${head};sale.price;sale.ends_at\n${row};14,90;${written}`);
    expect(records).toMatchObject([{ sale: { ends_at } }]);
  });

  it.each([
    ["2026-12-31", "until 2026-12-31 |"],
    ["2026-12-31T23:59:59-08:00", "until 2027-01-01 07:59 UTC |"],
  ])("that ends at %s is shown to end %s", async (written, shown) => {
    const { records } = await read("own.csv", `${head};sale.price;sale.ends_at\n${row};14,90;${written}`);
    const [line = ""] = await shopperLines(records, async () => [], Date.parse("2026-12-01T00:00:00Z"));
    expect(line).toContain(`€14.90 instead of €19.90 ${shown}`);
  });

  it.each(["12/31/2026", "1/2/2027", "31.13.2026", "soon"])(
    "makes a bad row if its end is %s, and the others are read",
    async (written) => {
      const text = `${head};sale.price;sale.ends_at\n${row};14,90;${written}\nP-2;Pot;Kitchen;9,90;EUR;;`;
      const { records, problems } = await read("own.csv", text);
      expect(records.map(({ sku }) => sku)).toEqual(["P-2"]);
      expect(problems).toEqual([expect.stringMatching(/^2: sale\.ends_at: /)]);
    },
  );
});

describe("quantities", () => {
  const stock = async (quantity: string, flags?: Partial<ReadFlags>) =>
    (
      await read(
        "stock.csv",
        `sku;name;category;price;currency;stock\nA;Pan;Home;1.50;EUR;${quantity}\n`,
        flags,
      )
    ).records[0]?.stock;
  it("are whole, so that 1,200 is no fraction; 5.000 may be 5, and is refused", async () => {
    expect(await stock("1,200")).toEqual([{ warehouse: "main", quantity: 1_200 }]);
    await expect(stock("5.000")).rejects.toThrow(/stock is ambiguous.*--decimal/);
  });
  it("are 0 if they are negative, which the report says", async () => {
    const row = { sku: "A", name: "Pan", category: "Home", price_minor: 1, currency: "EUR" };
    const rows = [
      { ...row, stock: -3 },
      { ...row, sku: "B", stock: [{ warehouse: "east", quantity: -1 }] },
    ];
    const { records, notes } = await read("n.jsonl", rows.map((each) => JSON.stringify(each)).join("\n"));
    expect(records.map((each) => each.stock?.[0]?.quantity)).toEqual([0, 0]);
    expect(notes).toEqual({ negativeStock: 2 });
  });
});

it("counts prices of 0, and sales that are left out because they are not lower", async () => {
  const head = "sku;name;category;currency;price;sale.price";
  const rows = [
    "A;Pan;Home;EUR;0,00;",
    "B;Pan;Home;EUR;12,99;15,00",
    "C;Pan;Home;EUR;9,50;9,50",
    "D;Pan;Home;EUR;9,50;8,50",
  ];
  const { notes, records } = await read("zero.csv", [head, ...rows].join("\n"));
  expect(records).toHaveLength(4);
  expect(notes).toEqual({ zeroPrice: 1, salesNotLower: 2 });
  const json = {
    sku: "A",
    name: "Pan",
    category: "Home",
    currency: "EUR",
    price_minor: 100,
    sale: { price_minor: 100 },
  };
  expect((await read("zero.jsonl", JSON.stringify(json))).notes).toEqual({ salesNotLower: 1 });
});

it("says what is wrong with a row in words of its own, not in those of the schema", async () => {
  const bad = [
    { price: -1 },
    { rating: { value: 7, count: -1 } },
    { images: ["http://[", "x".repeat(3_000)] },
    { name: "" },
    { name: "x".repeat(5_000) },
    { sku: "x".repeat(500) },
    { url: "nowhere" },
    { availability: "auf Lager" },
    { status: { toString: 1 } },
  ].map((fields, index) => ({
    sku: `S-${index}`,
    name: "Pan",
    category: "Home",
    price: 1.5,
    currency: "EUR",
    ...fields,
  }));
  const { problems } = await read("bad.jsonl", bad.map((row) => JSON.stringify(row)).join("\n"));
  expect(problems).toHaveLength(bad.length);
  expect(problems.filter((problem) => /expected|invalid|too (?:small|big)/i.test(problem))).toEqual([]);
  expect(problems.filter((problem) => problem.includes("availability"))).toEqual([
    expect.stringMatching(/"auf Lager" is none of in_stock/),
  ]);
});

it("goes on after a text that is an object with a length of its own", async () => {
  const odd = `{"sku":"A","name":{"length":{"toString":1,"valueOf":1}},"category":"Home","price":1.5,"currency":"EUR"}`;
  const good = `{"sku":"B","name":"Pan","category":"Home","price":1.5,"currency":"EUR"}`;
  const { problems, records } = await read("odd.jsonl", [odd, good].join("\n"));
  expect(problems).toEqual([expect.stringMatching(/^1: /)]);
  expect(records).toMatchObject([{ sku: "B" }]);
});

it.each([
  ["export.csv", "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"],
  ["feed.xml", '\n<html lang="en"><body>Sign in</body></html>'],
  ["feed", "<!doctype html><p>Not found"],
  ["products.jsonl", "<HTML></HTML>"],
])("a web page in place of %s is refused as one", async (name, page) => {
  await expect(read(name, page)).rejects.toThrow(/web page/);
});

describe("a SKU that a spreadsheet has shortened", () => {
  it("makes a bad row in a file of one's own", async () => {
    const text =
      "sku;name;category;price;currency\n8.71E+12;Pan;Kitchen;9,90;EUR\n8E+2X;Pot;Kitchen;9,90;EUR";
    const { records, problems } = await read("own.csv", text);
    expect(records).toMatchObject([{ sku: "8E+2X" }]);
    expect(problems).toEqual([expect.stringMatching(/^2: sku: .*spreadsheet/)]);
  });

  it("is replaced in a vendor's export, where a product can be told by its handle", async () => {
    const text = "Handle,Title,Vendor,Variant SKU,Variant Price,Status\npan,Pan,Acme,8.71E+12,9.90,active";
    const { records, notes } = await read("shopify.csv", text, { currency: "EUR" });
    expect(records).toMatchObject([{ sku: "pan" }]);
    expect(notes).toMatchObject({ skusMissing: 1 });
  });
});

describe("a CSV file", () => {
  it.each([",", ";", "|"])(
    "may hold marks inside cells that do not begin with one, between %s",
    async (by) => {
      const rows = [
        "sku,name,category,price,currency",
        'I-1,24" Monitor,TV,1.00,EUR',
        'I-2,6" x 9",TV,1.00,EUR',
        'I-3,"""Pro"" panel",TV,1.00,EUR',
      ];
      const { records, problems } = await read("inch.csv", rows.join("\n").replaceAll(",", by));
      expect(problems).toEqual([]);
      expect(records.map(({ name }) => name)).toEqual(['24" Monitor', '6" x 9"', '"Pro" panel']);
    },
  );

  it("loses only the rows with a quotation that ends inside its cell, and names each line", async () => {
    const { records, problems } = await read(
      "inch.csv",
      `sku,name,category,price,currency\nI-1,TV 55" Ultra,TV,1.00,EUR\nI-2,"24" panel",TV,1.00,EUR\nI-3,"6"" cable",TV,1.00,EUR\n`,
    );
    expect(records.map(({ name }) => name)).toEqual(['TV 55" Ultra', '6" cable']);
    expect(problems.map((problem) => problem.slice(0, 2))).toEqual(["3:"]);
  });

  it("may hold unquoted marks between tabs, and quoted cells beside them", async () => {
    const { records, problems } = await read(
      "inch.tsv",
      `sku\tname\tcategory\tprice\tcurrency\nI-1\tTV 55" Ultra\tTV\t1.00\tEUR\nI-2\t"Pro" panel\tTV\t1.00\tEUR\nI-3\t"6"" cable"\tTV\t1.00\tEUR\nI-4\tLid 5"\tTV\t1.00\tEUR\n`,
    );
    expect(problems).toEqual([]);
    expect(records.map(({ name }) => name)).toEqual(['TV 55" Ultra', '"Pro" panel', '6" cable', 'Lid 5"']);
  });

  it("names every line that a stray quotation swallows", async () => {
    const { records, problems } = await read(
      "swallowed.csv",
      `sku,name,category,price,currency\nI-1,"24" panel,TV,1.00,EUR\nI-2,Pan,TV,1.00,EUR\nI-3,"Lid",TV,1.00,EUR\nI-4,Pot,TV,1.00,EUR\n`,
    );
    expect(records.map(({ sku }) => sku)).toContain("I-4");
    expect(records.length + problems.length).toBe(4);
  });

  it.each([
    ["blank rows", "sku,name,category,price,currency\nA,Pan,Home,1.50,EUR\n,,,,\n , ,,,\n"],
    ["Excel's separator line", "sep=;\r\nsku;name;category;price;currency\r\nA;Pan;Home;1,50;EUR\r\n"],
    ["tabs", "sku\tname\tcategory\tprice\tcurrency\nA\tPan\tHome\t1.50\tEUR\n"],
    ["pipes", "sku|name|category|price|currency\nA|Pan|Home|1.50|EUR\n"],
  ])("may have %s", async (_, contents) => {
    const { records, problems } = await read("form.csv", contents);
    expect(problems).toEqual([]);
    expect(records).toMatchObject([{ sku: "A", name: "Pan", price_minor: 150 }]);
  });

  it("is refused if it is a workbook", async () => {
    await expect(read("book.csv", Buffer.from("PK\u0003\u0004..."))).rejects.toThrow(/Excel/);
  });

  it("becomes plain text where cells hold HTML or entities, with line breaks", async () => {
    const html = `"<p>Grinds <b>well</b>.</p><ul><li>Steel</li><li>Oak</li></ul>Price &euro;9 &nbsp; caf&eacute;<script>x()</script>"`;
    const { records } = await read(
      "html.csv",
      `sku,name,category,price,currency,description\nA,Salt &amp; Pepper Mill,Home &amp; Garden &gt; Mills,9.99,EUR,${html}\nB,Box < 5 l,Home,1.00,EUR,"a < b\nand 7 > 3"\n`,
    );
    expect(records).toMatchObject([
      {
        name: "Salt & Pepper Mill",
        category: "Home & Garden > Mills",
        description: "Grinds well.\n\n* Steel\n* Oak\n\nPrice €9 café",
      },
      { name: "Box < 5 l", description: "a < b\nand 7 > 3" },
    ]);
  });

  it("with a title above its header is refused with the advice to delete it", async () => {
    const text = "List of 1 December;;;;\nsku;name;category;price;currency\nA;Pan;Home;1,50;EUR\n";
    await expect(read("title.csv", text)).rejects.toThrow(/Delete any lines above the header/);
  });

  it("without a column of SKUs says how to make them of another column, which works", async () => {
    const text = "name,category,price,currency\nPan,Home,1.50,EUR\nPot,Home,1.50,EUR\n";
    await expect(read("nosku.csv", text)).rejects.toThrow('--set "sku={COLUMN}"');
    await expect(read("nosku.csv", text, { map: ["sku=name"] })).rejects.toThrow('--set "sku={name}"');
    const { records } = await read("nosku.csv", text, { set: ["sku={name}"] });
    expect(records.map(({ sku }) => sku)).toEqual(["Pan", "Pot"]);
  });

  it.each([[[]], [["price=price"]], [["name=Title"]]])(
    "with a doubled column that it needs is refused, with a next step: %j",
    async (map) => {
      const title = map[0] === "name=Title" ? "Title,Title,price" : "name,price,price";
      const text = `sku,category,currency,${title}\nA,Home,EUR,Pan,1.50,1.50\n`;
      await expect(read("double.csv", text, { map })).rejects.toThrow(
        /more than one column.*Rename or delete/,
      );
    },
  );

  it("fills empty fields by --set, also from other columns, and keeps a filled one", async () => {
    const { records } = await read(
      "set.csv",
      "sku,name,price,brand,Page\nA,Pan,1.50,Acme,red pan\nB,Pot,1.50,,\n",
      { currency: "EUR", set: ["category=Kitchen", "brand=Own", "url=https://shop.example/{Page}"] },
    );
    expect(records).toMatchObject([
      { category: "Kitchen", brand: "Acme", url: "https://shop.example/red%20pan", currency: "EUR" },
      { category: "Kitchen", brand: "Own", url: "" },
    ]);
  });
});

describe("an encoding", () => {
  const text = "sku;name;category;price;currency\nA;Käsemesser für 5 €;Küche;9,99;EUR\n";
  const utf16 = (isBig: boolean, mark: boolean) => {
    const bytes = Buffer.from(`${mark ? "\ufeff" : ""}${text}`, "utf16le");
    return isBig ? bytes.swap16() : bytes;
  };
  const windows = Buffer.from(text.replace("€", "\u0080"), "latin1");
  it.each([
    ["UTF-8", Buffer.from(text)],
    ["UTF-8 with a mark", Buffer.from(`\ufeff${text}`)],
    ["UTF-16 LE", utf16(false, false)],
    ["UTF-16 LE with a mark", utf16(false, true)],
    ["UTF-16 BE", utf16(true, false)],
    ["UTF-16 BE with a mark", utf16(true, true)],
    ["Windows-1252", windows],
  ])("is detected: %s", async (_, bytes) => {
    const { records } = await read("encoded.csv", bytes);
    expect(records).toMatchObject([{ name: "Käsemesser für 5 €", category: "Küche" }]);
  });

  it("that was inferred is named, with a name that it decoded", async () => {
    const { said } = await read("said.csv", windows);
    expect(said).toEqual([expect.stringMatching(/windows-1252.*Käsemesser.*--encoding/)]);
  });

  it("can be named", async () => {
    const { records } = await read("named.csv", Buffer.from(text.replace("ä", "\u008a"), "latin1"), {
      encoding: "macintosh",
    });
    expect(records[0]?.name).toMatch(/^Käsemesser/);
    await expect(read("x.csv", text, { encoding: "klingon" })).rejects.toThrow(/--encoding klingon/);
  });
});

describe("JSON", () => {
  const row = (sku: string) => ({ sku, name: "Pan", category: "Home", price_minor: 100, currency: "EUR" });
  it("is read as lines, as a list, and as a list with line breaks", async () => {
    const rows = [row("A"), { ...row("B"), name: 'A "]," in a name' }];
    for (const contents of [
      rows.map((each) => JSON.stringify(each)).join("\n"),
      JSON.stringify(rows),
      JSON.stringify(rows, undefined, 2),
      JSON.stringify({ version: 1, products: rows }),
    ])
      expect((await read("list.json", contents)).records.map(({ sku }) => sku)).toEqual(["A", "B"]);
  });

  it("that is a list names the product of a problem, and must not be cut off", async () => {
    const { problems, records } = await read(
      "bad.json",
      JSON.stringify([row("A"), 7, [], { ...row("B"), name: "" }, row("C")]),
    );
    expect(problems.map((problem) => problem.slice(0, 2))).toEqual(["2:", "3:", "4:"]);
    expect(records.map(({ sku }) => sku)).toEqual(["A", "C"]);
    await expect(read("cut.json", JSON.stringify([row("A")]).slice(0, -1))).rejects.toThrow(/cut off/);
  });

  it("may have null for any optional field", async () => {
    const nulls = Object.fromEntries(
      [
        "brand",
        "model",
        "description",
        "gtin",
        "image_url",
        "images",
        "url",
        "sale",
        "group",
        "options",
        "condition",
        "rating",
        "availability",
        "available_from",
        "stock",
        "attributes",
        "status",
        "cost_minor",
        "supplier_id",
      ].map((name) => [name, null]),
    );
    const { problems, records } = await read("null.jsonl", JSON.stringify({ ...row("A"), ...nulls }));
    expect(problems).toEqual([]);
    expect(records).toHaveLength(1);
  });
});

describe("XML", () => {
  const feed = (item: string, doctype = "") =>
    `<?xml version="1.0"?>${doctype}<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>X-1</g:id><title>Pan</title><g:price>5.00 EUR</g:price><g:product_type>Home</g:product_type>${item}</item></channel></rss>`;
  it("fetches no external entity and expands none of its own", async () => {
    const doctype = `<!DOCTYPE rss [<!ENTITY secret SYSTEM "file:///etc/passwd"><!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>`;
    const { records } = await read("xxe.xml", feed("<g:description>&secret;&b;</g:description>", doctype));
    expect(records).toMatchObject([{ description: "&secret;&b;" }]);
  });

  it("keeps an element's own text, and none of the elements inside it", async () => {
    const { records } = await read(
      "nested.xml",
      feed("<g:shipping><g:price>4.95 EUR</g:price></g:shipping><g:brand><![CDATA[A & B]]></g:brand>"),
    );
    expect(records).toMatchObject([{ price_minor: 500, brand: "A & B" }]);
  });

  it("is refused as a whole if it is not well-formed", async () => {
    await expect(read("broken.xml", feed("<g:brand>A").slice(0, -20))).rejects.toThrow(/not well-formed/);
  });
});

describe("a vendor's file", () => {
  const shop = (rows: string) =>
    `Handle,Title,Type,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Barcode,Image Src\n${rows}`;
  it("gets the same SKUs at every import, in any order of its rows", async () => {
    const lines = ["lamp,Lamp,Home,Color,Red,,10.00,,", "lamp,,,,Dark Blue,,10.00,,"];
    const { records } = await read(
      "a.csv",
      shop(`${lines.join("\n")}\nmug,Mug,Home,Title,Default Title,,5.00,,\n`),
      { currency: "EUR" },
    );
    expect(records.map(({ sku }) => sku)).toEqual(["lamp.Red", madeSku(["lamp", "Dark Blue"]), "mug"]);
    expect(madeSku(["lamp", "Dark Blue"])).not.toBe(madeSku(["lamp", "Dark-Blue"]));
    expect(madeSku(["a", "b"])).not.toBe(madeSku(["a.b"]));
    expect(madeSku(["x".repeat(80)]).length).toBeLessThanOrEqual(64);
  });

  it("gives each variant of a repeated SKU its own, whichever comes first", async () => {
    const { records, notes } = await read(
      "b.csv",
      shop("a,Lamp,Home,Color,Red,SAME,10.00,,\na,,,,Blue,SAME,10.00,,\nb,Mug,Home,,,ONE,5.00,,\n"),
      { currency: "EUR" },
    );
    expect(records.map(({ sku }) => sku)).toEqual(["a.Red", "a.Blue", "ONE"]);
    expect(notes).toEqual({ skusRepeated: 2 });
  });

  it("makes no SKU that another row of the file has", async () => {
    const { records, problems } = await read(
      "d.csv",
      shop("mug,Mug,Home,,,,5.00,,\ncup,Cup,Home,,,mug,6.00,,\n"),
      { currency: "EUR" },
    );
    expect(problems).toEqual([]);
    expect(records.map(({ sku, name }) => [sku, name])).toEqual([
      [madeSku(["mug"], new Set(["mug"])), "Mug"],
      ["mug", "Cup"],
    ]);
    expect(madeSku(["mug"], new Set(["mug"]))).toMatch(/^mug-[\da-f]{10}$/);
  });

  it("makes a SKU in place of one that no product can have, and drops a spreadsheet's apostrophe", async () => {
    const { records, problems, notes } = await read(
      "e.csv",
      shop('mug,Mug,Home,,,"MUG, BLUE",5.00,,\ncup,Cup,Home,,,\'00123,6.00,,\n'),
      { currency: "EUR" },
    );
    expect(problems).toEqual([]);
    expect(records.map(({ sku }) => sku)).toEqual(["mug", "00123"]);
    expect(notes).toEqual({ skusMissing: 1 });
  });

  it("keeps the first of a Google feed's products with one id, and reports the others", async () => {
    const rows = ["G1\tLamp\tGG\tred", "G1\tDup\t\t", "D1\tOne\t\t", "D1\tTwo\t\t"];
    const { records, problems, notes } = await read(
      "f.tsv",
      `id\ttitle\titem_group_id\tcolor\tprice\tproduct_type\n${rows.map((row) => `${row}\t9.50 EUR\tHome\n`).join("")}`,
    );
    expect(records.map(({ sku, name }) => [sku, name])).toEqual([
      ["G1", "Lamp"],
      ["D1", "One"],
    ]);
    expect(problems).toHaveLength(2);
    expect(notes).toEqual({});
  });

  it("keeps a product whose optional fields are invalid, and says so", async () => {
    const { records, problems, notes } = await read(
      "c.csv",
      shop(
        "a,Lamp,Home,,,L-1,10.00,INTERNAL-7,no-address\nb,Mug,Home,,,M-1,5.00,'4006381333931,//cdn.example/m.jpg\n",
      ),
      { currency: "EUR" },
    );
    expect(problems).toEqual([]);
    expect(records).toMatchObject([
      { gtin: "", images: [] },
      { gtin: "4006381333931", images: ["https://cdn.example/m.jpg"] },
    ]);
    expect(notes).toEqual({ "without gtin": 1, "without an image": 1 });
  });

  it("can be named by --from, and has its price in the unit of the vendor", async () => {
    const { kind, records } = await read("d.csv", "id,title,price,product_type\nA,Pan,50 EUR,Home\n", {
      from: "google",
    });
    expect(kind).toBe("google");
    expect(records).toMatchObject([{ sku: "A", price_minor: 5_000 }]);
  });
});

describe("a file that changes while it is read is refused, also at the end of a row", () => {
  const row = (sku: string) =>
    JSON.stringify({ sku, name: "Pan", category: "Home", price_minor: 150, currency: "EUR" });
  const header = "sku,name,category,price,currency";
  it.each([
    { format: "csv", lines: [header, "A,Pan,Home,1.50,EUR", "B,Pan,Home,1.50,EUR"] },
    // Is read only once.
    { format: "jsonl", lines: [row("A"), row("B")] },
  ])("$format", async ({ format, lines }) => {
    const text = `${lines.join("\n")}\n`;
    const shorter = `${lines.slice(0, -1).join("\n")}\n`;
    const changes: Record<string, (file: string) => Promise<void>> = {
      grows: (file) => appendFile(file, lines.at(-1)?.replace("B", "C") ?? ""),
      shrinks: (file) => truncate(file, shorter.length),
      "is replaced": async (file) => {
        await writeFile(`${file}.new`, text);
        await rename(`${file}.new`, file);
      },
      disappears: (file) => rm(file),
    };
    for (const [what, change] of Object.entries(changes))
      for (const when of ["before the rows", "amid the rows"]) {
        const file = join(folder, `${files++}-changing.${format}`);
        await writeFile(file, text);
        const { products, rows } = await prepare(file, { map: [], set: [] }, () => {});
        const source = await openSource(file);
        if (when === "before the rows") await change(file);
        const reading = (async () => {
          let count = 0;
          for await (const _ of rows(products.drafts(source), new Notes()))
            if (++count === 1 && when === "amid the rows") await change(file);
        })();
        await expect(reading, `${what} ${when}`).rejects.toThrow(/changed while it was read|no such file/);
      }
  });
});
