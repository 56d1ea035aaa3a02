import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse } from "smol-toml";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { variants } from "../../lab/bench/variants.ts";

// A variant of the product must differ from it in its stand-ins alone; otherwise a ratio measures something else.

const PRODUCT = "wrangler.toml";
const configSchema = z.looseObject({
  main: z.string(),
  alias: z.record(z.string(), z.string()).default({}),
});
const read = async (path: string) => {
  const config = configSchema.parse(parse(await readFile(path, "utf8")));
  const fileOf = (name: string) => join(dirname(path), name);
  return { path, config, main: fileOf(config.main), standIns: Object.values(config.alias).map(fileOf) };
};

/** Settings that each variant has for itself, and settings that the bench does not use. */
const OWN = new Set(["name", "main", "alias", "assets", "observability", "upload_source_maps"]);
const shared = ({ config }: Awaited<ReturnType<typeof read>>) =>
  JSON.stringify(
    Object.entries(config)
      .filter(([name]) => !OWN.has(name))
      .toSorted(([one], [other]) => one.localeCompare(other)),
    (name, value: unknown) => (name === "migrations_dir" ? undefined : value),
  );

const product = await read(PRODUCT);
const paths = new Set(Object.values(variants).map(({ config }) => config));
const all = await Promise.all([...paths].map(read));
const ofProduct = all.filter(({ path, main }) => path !== PRODUCT && main === product.main);

it("knows the variants of the product", () => {
  expect(ofProduct.map(({ path }) => path).toSorted()).toEqual([
    "lab/bench/worker/quiet/wrangler.toml",
    "lab/bench/worker/sdk/wrangler.toml",
    "lab/bench/worker/unguarded/wrangler.toml",
  ]);
});

describe.each(ofProduct)("$path", (variant) => {
  it("has the settings and bindings of the product", () => {
    expect(shared(variant)).toEqual(shared(product));
  });

  it("has stand-ins, and they exist", () => {
    expect(variant.standIns).not.toEqual([]);
    expect(variant.standIns.filter((file) => !existsSync(file))).toEqual([]);
  });
});
