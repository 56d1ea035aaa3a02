// Takes the place of `deepmerge-ts` in the bundle (wrangler.toml, "alias"), with which html-to-text merges its options.

import { isObject } from "./rows.ts";

interface Merging {
  mergeArrays: (values: unknown[], utils: undefined, at: { keyPath: string[] }) => unknown[];
}

/** Returns a function that merges objects deeply. The last of several values that are neither objects nor lists wins. */
export function deepmergeCustom({ mergeArrays }: Merging): (...values: unknown[]) => unknown {
  const merge = (values: unknown[], keyPath: string[]): unknown => {
    if (values.every(Array.isArray)) return mergeArrays(values, undefined, { keyPath });
    if (!values.every(isObject)) return values.at(-1);
    const keys = new Set(values.flatMap(Object.keys));
    return Object.fromEntries(
      [...keys].map((key) => [
        key,
        merge(
          values.flatMap((value) => (Object.hasOwn(value, key) ? [value[key]] : [])),
          [...keyPath, key],
        ),
      ]),
    );
  };
  return (...values) => merge(values, []);
}
