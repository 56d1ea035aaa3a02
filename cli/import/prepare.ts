import * as z from "zod";
import { productRecordSchema } from "../../src/catalog/import/record.ts";
import { withFlag } from "../../src/catalog/import/read/notes.ts";
import {
  type Prepared as PreparedInput,
  type ReadFlags,
  prepareInput,
} from "../../src/catalog/import/read/prepare.ts";
import { type Source, openSource, watchFile } from "./open-source.ts";
import { type Progress, showProgress } from "./progress.ts";

export type { ReadFlags } from "../../src/catalog/import/read/prepare.ts";

/** Longer than a product with all its variants. */
const VALUE_MAX = 16 * 1024 * 1024;

/** A file that was read once, so that each of its rows can be read. */
export interface Prepared extends PreparedInput {
  file: string;
}

/** Reads a file once, and decides everything that takes the whole file. `say` gets sentences about what was inferred. */
export async function prepare(
  file: string,
  flags: ReadFlags,
  say: (sentence: string) => void,
): Promise<Prepared> {
  const checkUnchanged = await watchFile(file);
  let source: Source | undefined;
  let progress: Progress | undefined;
  const input = {
    name: file,
    async open() {
      source = await openSource(file);
      return source;
    },
  };
  try {
    const prepared = await prepareInput(input, flags, {
      valueMax: VALUE_MAX,
      say: (sentence) => say(withFlag(sentence)),
      checkUnchanged,
      schema: z.compile(productRecordSchema),
      onSurveyed(rows) {
        if (source !== undefined) progress ??= showProgress(source, "Checking", "rows");
        progress?.update(rows);
      },
    });
    return { file, ...prepared };
  } finally {
    progress?.stop();
  }
}
