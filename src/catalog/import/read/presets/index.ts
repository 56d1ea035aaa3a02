import { keyOf } from "../columns.ts";
import { acp } from "./acp.ts";
import { google } from "./google.ts";
import { plain } from "./plain.ts";
import type { Preset } from "./preset.ts";
import { shopify } from "./shopify.ts";
import { englishNames } from "./woocommerce-columns.ts";
import { woocommerce } from "./woocommerce.ts";

/** The presets by the name that `--from` takes. */
export const PRESETS = { shopify, woocommerce, google, acp, plain };
export type PresetName = keyof typeof PRESETS;

export const PRESET_NAMES = Object.keys(PRESETS).filter((name): name is PresetName => name in PRESETS);

/** The columns that give a preset away, in the order in which they are looked for: one of each list is needed. */
const SIGNS: [PresetName, string[][]][] = [
  [
    "shopify",
    [
      ["handle", "url_handle"],
      ["variant_price", "variant_sku", "option1_value", "body_html", "price"],
    ],
  ],
  ["woocommerce", [["regular_price"], ["type", "published", "sku"]]],
  ["plain", [["sku"], ["name"]]],
  ["acp", [["variants", "item_id", "enable_search", "is_eligible_search"]]],
  [
    "google",
    [["id"], ["title"], ["link", "image_link", "availability", "product_type", "google_product_category"]],
  ],
];

/** Returns the preset of a file with these columns: `plain` if no other fits. */
export function detectPreset(columns: readonly string[]): PresetName {
  if (englishNames(columns) !== undefined) return "woocommerce";
  const keys = new Set(columns.map(keyOf));
  const found = SIGNS.find(([, signs]) => signs.every((names) => names.some((name) => keys.has(name))));
  return found?.[0] ?? "plain";
}

export const presetNamed = (name: PresetName): Preset => PRESETS[name];
