import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { ROOT } from "../wrangler.ts";

// wrangler prints a Worker's URL only when it deploys.
const FILE = join(ROOT, ".wrangler/deployed.json");
const urlsSchema = z.record(z.string(), z.string());

interface Place {
  accountId: string;
  worker: string;
}
const keyOf = ({ accountId, worker }: Place): string => `${accountId}/${worker}`;

/** Returns the URL of an earlier deployment from this folder, or undefined if there was none. */
export async function recallUrl(place: Place): Promise<string | undefined> {
  return (await readUrls())[keyOf(place)];
}

export async function rememberUrl(place: Place, url: string): Promise<void> {
  await mkdir(dirname(FILE), { recursive: true });
  await writeFile(FILE, `${JSON.stringify({ ...(await readUrls()), [keyOf(place)]: url })}\n`);
}

async function readUrls(): Promise<Record<string, string>> {
  try {
    return urlsSchema.parse(JSON.parse(await readFile(FILE, "utf8")));
  } catch {
    return {};
  }
}
