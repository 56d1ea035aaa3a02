import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse as parseCsv } from "csv-parse/sync";
import { parse } from "shell-quote";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import type { ReadFlags } from "../../cli/import/prepare.ts";
import { type ProductRecord, productRecordSchema } from "../../src/catalog/import/record.ts";
import { readImport } from "./support/read-import.ts";

const FILES = join(import.meta.dirname, "import-files");

/** The products that a file must become, written beside it. */
async function expected(name: string) {
  const text = await readFile(join(FILES, name), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => productRecordSchema.parse(JSON.parse(line)));
}

/** The commands of docs/import.md by the file that they import. */
async function documentedImports() {
  const page = await readFile(join(import.meta.dirname, "../../docs/import.md"), "utf8");
  const commands = [...page.matchAll(/^.* import ([\w.-]+)(.*)$/gm)];
  return new Map(commands.map(([, file = "", flags = ""]) => [file, flagsOf(flags)]));
}

function flagsOf(text: string): Partial<ReadFlags> {
  const words = parse(text).map(String);
  const valuesOf = (flag: string) =>
    words.flatMap((word, index) => (word === flag ? [words[index + 1] ?? ""] : []));
  const [currency] = valuesOf("--currency");
  return { map: valuesOf("--map"), set: valuesOf("--set"), ...(currency !== undefined && { currency }) };
}

describe("the export of a shop", () => {
  // The flags are those of the page.
  it.each([
    {
      file: "shopify.csv",
      is: "shopify.expected.jsonl",
      kind: "shopify",
      notes: {
        skusMissing: 16,
        skusRepeated: 2,
        negativeStock: 1,
        withoutCategory: 1,
        "left out: draft or archived": 2,
        "left out: hidden": 1,
      },
    },
    {
      file: "woocommerce.csv",
      is: "woocommerce.expected.jsonl",
      kind: "woocommerce",
      notes: {
        skusMissing: 13,
        negativeStock: 1,
        "left out: a set of other products": 1,
        "left out: draft or archived": 1,
        "left out: hidden": 2,
      },
    },
    {
      file: "woocommerce-german.csv",
      is: "woocommerce-german.expected.jsonl",
      kind: "woocommerce",
      notes: {
        "left out: a set of other products": 1,
        "left out: draft or archived": 2,
        "left out: hidden": 1,
      },
    },
    ...["google.tsv", "google.rss.xml", "google.atom.xml"].map((file) => ({
      file,
      is: "google.expected.jsonl",
      kind: "google",
      notes: {},
    })),
    { file: "acp.json", is: "acp.expected.jsonl", kind: "acp", notes: {} },
    ...["erp-utf8.csv", "erp-latin1.csv"].map((file) => ({
      file,
      is: "erp.expected.jsonl",
      kind: "plain",
      notes: { negativeStock: 9 },
    })),
  ])("is read as the products it lists: $file", async ({ file, is, kind, notes }) => {
    const flags = (await documentedImports()).get(file === "erp-utf8.csv" ? "erp-latin1.csv" : file);
    expect(flags).toBeDefined();
    const read = await readImport(join(FILES, file), flags);
    expect(read.problems).toEqual([]);
    expect(read.kind).toBe(kind);
    expect(read.records).toEqual(await expected(is));
    expect(read.notes).toEqual(notes);
  });

  it("is read rightly if the rows of a Shopify product stand apart, and names those that lack their product", async () => {
    const file = join(await mkdtemp(join(tmpdir(), "catalog-presets-test-")), "sorted.csv");
    await writeFile(
      file,
      `Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src,Status
shirt,,,M,SHIRT-M,11.00,,
bowl,Bowl,Title,Default Title,BOWL,5.00,,active
shirt,Shirt,Size,S,SHIRT-S,10.00,https://shop.example/shirt.jpg,active
old,Old,Title,Default Title,OLD-1,3.00,,draft
shirt,,,L,SHIRT-L,12.00,,
old,,,Other,OLD-2,3.00,,
lost,,,X,LOST-X,1.00,,
`,
    );
    const { records, problems, notes } = await readImport(file, { currency: "EUR" });
    await rm(dirname(file), { recursive: true });
    expect(
      records.map(({ name, price_minor, group, images }) => [name, price_minor, group?.id, images.length]),
    ).toEqual([
      ["Bowl", 500, undefined, 0],
      ["Shirt - S", 1_000, "shirt", 1],
      ["Shirt - L", 1_200, "shirt", 1],
      ["Shirt - M", 1_100, "shirt", 1],
    ]);
    expect(problems).toEqual([expect.stringMatching(/^8: .*lost.*Sort/)]);
    expect(notes).toMatchObject({ "left out: draft or archived": 2 });
  });

  const readText = async (name: string, text: string, flags: Partial<ReadFlags> = { currency: "EUR" }) => {
    const file = join(await mkdtemp(join(tmpdir(), "catalog-presets-test-")), name);
    await writeFile(file, text);
    return await readImport(file, flags).finally(() => rm(dirname(file), { recursive: true }));
  };

  it.each([
    { kind: "plain text", cell: String.raw`Soft.\n\nWash cold.`, is: "Soft.\n\nWash cold." },
    {
      kind: "text with inline markup",
      cell: String.raw`<b>Soft.</b>\n<i>Warm</i> & light.\n\nWash cold.`,
      is: "Soft.\nWarm & light.\n\nWash cold.",
    },
    {
      kind: "blocks",
      cell: String.raw`<p>Soft.</p>\n<ul>\n\t<li>Warm</li>\n\t<li>Light</li>\n</ul>`.replaceAll(
        String.raw`\t`,
        "\t",
      ),
      is: "Soft.\n\n* Warm\n* Light",
    },
    {
      kind: String.raw`a \n of the text itself`,
      cell: String.raw`Folder \\new`,
      is: String.raw`Folder \new`,
    },
  ])("has its line breaks where WooCommerce wrote them out: $kind", async ({ cell, is }) => {
    const { records } = await readText(
      "woo.csv",
      `ID,Type,SKU,Name,Published,Visibility in catalog,Description,Regular price,Categories\n1,simple,A,Tee,1,visible,"${cell}",5,Tops\n`,
    );
    expect(records[0]?.description).toBe(is);
  });

  it("has no apostrophe before a cell of WooCommerce that a spreadsheet would take for a formula", async () => {
    const { records, problems, notes } = await readText(
      "woo.csv",
      `ID,Type,SKU,Name,Published,Visibility in catalog,Stock,Regular price,Categories,Attribute 1 name,Attribute 1 value(s)
1,simple,'-A,'+5 Lens,1,visible,'-3,5,'@home,Power,'-1.5
2,simple,B,'70s Poster,1,visible,2,5,Art,,
`,
    );
    expect(problems).toEqual([]);
    expect(records).toMatchObject([
      { sku: "-A", name: "+5 Lens", category: "@home", attributes: { Power: "-1.5" } },
      { sku: "B", name: "'70s Poster" },
    ]);
    expect(notes).toEqual({ negativeStock: 1 });
  });

  const stringify = (rows: string[][]) =>
    rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")).join("\n");

  /** The German export with changed rows: the first is the header. */
  const readGerman = async (
    change: (rows: string[][]) => string[][],
    flags: Partial<ReadFlags> = { currency: "EUR" },
  ) => {
    const rows = z
      .array(z.array(z.string()))
      .parse(parseCsv(await readFile(join(FILES, "woocommerce-german.csv"), "utf8"), { bom: true }));
    return readText("woo.csv", stringify(change(rows)), flags);
  };
  const without = (column: string) => (rows: string[][]) => {
    const place = rows[0]?.indexOf(column) ?? -1;
    expect(place).toBeGreaterThan(-1);
    return rows.map((row) => row.toSpliced(place, 1));
  };
  const amounts = (records: readonly ProductRecord[]) =>
    records.map(({ sku, price_minor, sale, options, stock }) => ({ sku, price_minor, sale, options, stock }));

  it.each([
    [
      "French, with prices that have a decimal point",
      `ID,Type,UGS,"GTIN, UPC, EAN ou ISBN",Nom,Publié,Mis en avant ?,Visibilité dans le catalogue,Description courte,Description,Date de début de promo,Date de fin de promo,État de la TVA,Classe de TVA,En stock ?,Stock,Montant de stock faible,Autoriser les commandes de produits en rupture ?,Vendre individuellement ?,Poids (kg),Longueur (cm),Largeur (cm),Hauteur (cm),Autoriser les avis clients ?,Note de commande,Tarif promo,Tarif régulier,Catégories,Étiquettes,Classe d’expédition,Images,Limite de téléchargement,Jours d’expiration du téléchargement,Parent,Groupes de produits,Produits suggérés,Ventes croisées,URL externe,Libellé du bouton,Position,Délai,Marques,Nom de l’attribut 1,Valeur(s) de l’attribut 1 ,Attribut 1 visible,Attribut 1 global,Attribut 1 par défaut,ID du téléchargement 1,Nom du téléchargement 1,URL du téléchargement 1,Nom de l’attribut 2,Valeur(s) de l’attribut 2 ,Attribut 2 visible,Attribut 2 global`,
    ],
    [
      "Spanish",
      `ID,Tipo,SKU,"GTIN, UPC, EAN o ISBN",Nombre,Publicado,¿Está destacado?,Visibilidad en el catálogo,Descripción corta,Descripción,Día en que empieza el precio rebajado,Día en que termina el precio rebajado,Estado del impuesto,Clase de impuesto,¿Existencias?,Inventario,Cantidad de bajo inventario,¿Permitir reservas de productos agotados?,¿Vendido individualmente?,Peso (kg),Longitud (cm),Anchura (cm),Altura (cm),¿Permitir valoraciones de clientes?,Nota de compra,Precio rebajado,Precio normal,Categorías,Etiquetas,Clase de envío,Imágenes,Límite de descargas,Días de caducidad de la descarga,Superior,Productos agrupados,Ventas dirigidas,Ventas cruzadas,URL externa,Texto del botón,Posición,Entrega,Marcas,Nombre del atributo 1,Valor(es) del atributo 1,Atributo visible 1,Atributo global 1,Atributo por defecto 1,ID de la descarga 1,Nombre de la descarga 1,URL de la descarga 1,Nombre del atributo 2,Valor(es) del atributo 2,Atributo visible 2,Atributo global 2`,
    ],
  ])("is read from WooCommerce in another language: %s", async (language, header) => {
    const [names = []] = z.array(z.array(z.string())).parse(parseCsv(header));
    const { kind, records, problems } = await readGerman((rows) =>
      rows.map((row, line) => {
        if (line === 0) return names;
        return language === "Spanish"
          ? row
          : row.map((cell, place) => (place === 25 || place === 26 ? cell.replace(",", ".") : cell));
      }),
    );
    expect(problems).toEqual([]);
    expect(kind).toBe("woocommerce");
    // The link comes from --set, which only the documented command has.
    const wanted = await expected("woocommerce-german.expected.jsonl");
    expect(records.map((record) => ({ ...record, url: "" }))).toEqual(
      wanted.map((record) => ({ ...record, url: "" })),
    );
  });

  it("is read from WooCommerce before it exported GTINs", async () => {
    const { records } = await readGerman(without("GTIN, UPC, EAN oder ISBN"));
    expect(amounts(records)).toEqual(amounts(await expected("woocommerce-german.expected.jsonl")));
  });

  const GERMAN = [
    "Name",
    "Artikelnummer",
    "Veröffentlicht",
    "Sichtbarkeit im Katalog",
    "Kurzbeschreibung",
    "Bestand",
    "Kundenrezensionen erlauben?",
    "Hinweis zum Kauf",
    "Angebotspreis",
    "Regulärer Preis",
    "Kategorien",
    "Schlagwörter",
    "Bilder",
  ];
  it.each(GERMAN)(
    "is refused rather than read wrongly if a translated export lacks a column: %s",
    async (column) => {
      await expect(readGerman(without(column), { currency: "EUR", from: "woocommerce" })).rejects.toThrow(
        /Export all columns.*English.*--map/,
      );
    },
  );

  it.each(GERMAN)(
    "is refused rather than read wrongly if a column stands before a translated one: %s",
    async (column) => {
      const insert = (rows: string[][]) => {
        const place = rows[0]?.indexOf(column) ?? -1;
        return rows.map((row, line) => row.toSpliced(place, 0, line === 0 ? "Grundpreis" : "7,99"));
      };
      await expect(readGerman(insert, { currency: "EUR", from: "woocommerce" })).rejects.toThrow(
        /Export all columns.*English.*--map/,
      );
    },
  );

  it("has the commas that WooCommerce escapes in each list", async () => {
    const { records } = await readText(
      "woo.csv",
      String.raw`Type,SKU,Name,Published,Visibility in catalog,Regular price,Categories,Tags,Brands,Images,Attribute 1 name,Attribute 1 value(s)
simple,A,Tee,1,visible,5,"Tops\, Shirts","a\, b, c","Hill\, Sons","https://shop.example/a\,b.jpg, https://shop.example/c.jpg",Fit,"1\,5 cm"
`,
    );
    expect(records).toMatchObject([
      {
        category: "Tops, Shirts",
        brand: "Hill, Sons",
        images: ["https://shop.example/a,b.jpg", "https://shop.example/c.jpg"],
        attributes: { tags: "a, b, c", Fit: "1,5 cm" },
      },
    ]);
  });

  it("counts each WooCommerce product whose variations the file lacks, and why it is not for sale", async () => {
    const { records, notes } = await readText(
      "woo.csv",
      `ID,Type,SKU,Name,Published,Visibility in catalog,Regular price,Categories,Parent
1,variation,A-1,Tee 1,1,visible,5,,A
2,variable,A,Tee,1,visible,,Tops,
3,variable,B,Mug,1,visible,,Home,
4,variable,C,Cap,-1,visible,,Tops,
5,variable,,Bowl,1,visible,,Home,
6,variation,D-1,Bowl 1,1,visible,7,,id:5
`,
    );
    expect(records.map(({ sku }) => sku)).toEqual(["D-1", "A-1"]);
    expect(notes).toEqual({ "left out: without variants": 1, "left out: draft or archived": 1 });
  });

  it.each([
    ["summary", "<summary>Bright.</summary>"],
    ["content", '<content type="html">&lt;p&gt;Bright.&lt;/p&gt;</content>'],
  ])("has the texts and the page of an Atom entry's own elements: %s", async (_, text) => {
    const { records } = await readText(
      "feed.atom.xml",
      `<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><entry>
<link rel="self" href="https://shop.example/feed/1"/><link rel="alternate" href="https://shop.example/lamp"/>
<g:id>A</g:id><title>Lamp</title>${text}<g:price>25.00 EUR</g:price><g:product_type>Home</g:product_type></entry></feed>`,
    );
    expect(records).toMatchObject([
      { sku: "A", name: "Lamp", description: "Bright.", url: "https://shop.example/lamp" },
    ]);
  });

  it("is read without elements of other namespaces than Google's, whatever its prefix is", async () => {
    const { records } = await readText(
      "feed.rss.xml",
      `<rss xmlns:m="http://search.yahoo.com/mrss/" xmlns:b="http://base.google.com/ns/1.0"><channel><item>
<m:title>lamp-front.jpg</m:title><m:price>1.00 EUR</m:price><b:id>A</b:id><title>Lamp</title><b:price>25.00 EUR</b:price>
<b:product_type>Home</b:product_type></item></channel></rss>`,
    );
    expect(records).toMatchObject([{ sku: "A", name: "Lamp", price_minor: 2_500 }]);
  });
});

describe("WooCommerce products of one SKU", () => {
  const row = (id: string) => `${id},simple,MUG,Mug ${id},1,visible,1,3,12,Kitchen`;
  const head = "ID,Type,SKU,Name,Published,Visibility in catalog,In stock?,Stock,Regular price,Categories";

  const read = async (rows: string[]) => {
    const file = join(await mkdtemp(join(tmpdir(), "catalog-presets-test-")), "woo.csv");
    await writeFile(file, [head, ...rows].join("\n"));
    return await readImport(file, { currency: "EUR" }).finally(() => rm(dirname(file), { recursive: true }));
  };

  it("get SKUs that are made of their IDs", async () => {
    const { records, problems, notes } = await read([row("201"), row("202")]);
    expect(problems).toEqual([]);
    expect(records.map(({ sku }) => sku)).toEqual(["id-201", "id-202"]);
    expect(notes).toMatchObject({ skusRepeated: 2 });
  });

  it("are not said to have got others if they have no ID", async () => {
    const { records, problems, notes } = await read([row(""), row("")]);
    expect(records.map(({ sku }) => sku)).toEqual(["MUG"]);
    expect(problems).toEqual(["3: sku: MUG is already on line 2"]);
    expect(notes).not.toHaveProperty("skusRepeated");
  });
});
