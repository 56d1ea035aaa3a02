// audit: lists the audited callers and their calls, says who read a customer, exports one caller's audit to a file, and
// checks whether such a file was changed.

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as z from "zod";
import { plural } from "../src/web/admin/units.ts";
import { anchorSchema } from "../src/caller/audit/chain.ts";
import { idInPath } from "./arguments.ts";
import { callAdmin } from "./admin/client.ts";
import { adminCommand } from "./admin/console.ts";
import { SHOWN, readPages, sayMore } from "./admin/pages.ts";
import { type AuditedCall, callsIn } from "./audit/calls.ts";
import {
  ELSEWHERE,
  customerId,
  erasedSchema,
  readingsSchema,
  readingsText,
  staysAfter,
  subjectReading,
} from "./audit/subject.ts";
import { anchorFile, verifyExport } from "./audit/verify.ts";
import { parseJsonAs } from "./read-file.ts";
import { plainTable } from "./table.ts";
import { replaceFile } from "./write-file.ts";

const tokenSchema = z.object({ token: z.string() });

const admin = adminCommand("audit");
const program = admin.program.description(
  "List, export and verify the audit of calls, and answer a person who asks about their data.",
);

program
  .command("list")
  .description(
    "List callers with the last anchor of each chain. Exits with 1 if a row was changed from outside.",
  )
  .option("--all", "print all rows, not the first 100")
  .action(list);
program
  .command("calls")
  .description("List calls, the newest first: of one caller or of all, and who read a customer.")
  .argument("[principal]", "the caller's id (default: all callers)", idInPath)
  .option("--customer <id>", "only calls that asked for this customer, or were answered with their data")
  .option("--refused", "only refused calls")
  .option("--all", "print all rows, not the first 100")
  .action(listCalls);
program
  .command("subject")
  .description("Say who read a customer's data: by day, caller and call, up to two minutes ago.")
  .argument("<customer>", "the customer's id, such as C-10042", customerId)
  .option("--all", "print all rows, not the first 100")
  .action(listReadings);
program
  .command("erase")
  .description("Delete the list of who read a customer, and say what stays in the audit, how long and why.")
  .argument("<customer>", "the customer's id, such as C-10042", customerId)
  .action(erase);
program
  .command("export")
  .description("Write a caller's chain as JSON Lines to standard output or a file.")
  .argument("<principal>", "the caller's id", idInPath)
  .option("-o, --out <file>", "write to this file, and the anchor to FILE.anchor.json")
  .action(exportChain);
program
  .command("verify <file>")
  .description("Check an exported chain offline; - reads standard input.")
  .option(
    "--anchor <file>",
    "the anchor that export wrote, or the output of list --json (default: FILE.anchor.json)",
  )
  .addHelpText(
    "after",
    `
Exit code:
  0  unchanged, and complete up to the anchor
  1  changed: a record, the order, the beginning or the end
  2  undecided: there is no anchor, the file is empty, cut off or unreadable, or retention has pruned records since
     the anchor was written`,
  )
  .action(async (file: string, options: { anchor?: string }) => {
    process.exitCode = await verifyExport(file, { ...options, json: admin.options().json === true });
  });

/** A sentence for each problem of a chain's database row (src/admin/chains.ts finds them). */
const ROW_PROBLEMS: Record<string, string> = {
  deleted: "was deleted",
  closed: "was closed",
  replaced: "belongs to another chain",
  ahead: "names later records than the chain has",
};
function rowProblemWords(principal: string, problem: string, foundAt: number | null = null): string {
  const found = foundAt === null ? "" : `, found at ${new Date(foundAt).toISOString()}`;
  return `The database row of ${principal} ${ROW_PROBLEMS[problem] ?? `is ${problem}`}${found}: it was changed from outside.`;
}

const listedSchema = anchorSchema.extend({
  problem: z.string().nullable().default(null),
  found_at: z.int().nullable().default(null),
});
const listSchema = z.object({ anchors: z.array(listedSchema), next: z.string().nullable() });

await admin.run(2);

function readChains(all: boolean) {
  return readPages({}, all, async (query) => {
    const { anchors, next } = listSchema.parse(await admin.call("GET", `/audit${query}`));
    return { rows: anchors, next };
  });
}

async function list({ all }: { all?: boolean }): Promise<void> {
  const { rows, more } = await readChains(all === true);
  const table = plainTable(["principal", "records", "anchored", "head"]);
  for (const { principal, seq, anchored_at, hash } of rows)
    table.push([principal, seq, new Date(anchored_at).toISOString(), hash.slice(0, 16)]);
  admin.print(rows, rows.length === 0 ? "Nothing has been recorded yet." : table.toString());
  for (const { principal, problem, found_at } of rows)
    if (problem !== null) {
      console.error(rowProblemWords(principal, problem, found_at));
      process.exitCode = 1;
    }
  if (more) sayMore();
}

async function listCalls(
  principal: string | undefined,
  { customer, refused, all }: { customer?: string; refused?: boolean; all?: boolean },
): Promise<void> {
  const token =
    customer === undefined
      ? undefined
      : tokenSchema.parse(await admin.call("GET", `/audit/customers/${encodeURIComponent(customer)}`)).token;
  const principals =
    principal === undefined ? (await readChains(true)).rows.map((row) => row.principal) : [principal];
  const calls: AuditedCall[] = [];
  for (const each of principals) {
    const { body } = await callAdmin(admin.options(), "GET", `/audit/${encodeURIComponent(each)}`);
    if (body !== null) calls.push(...(await callsIn(each, body, token)));
  }
  const wanted = calls
    .filter(({ ended }) => refused !== true || !["ok", "running"].includes(ended))
    .toSorted((a, b) => (a.at < b.at ? 1 : -1));
  const shown = all === true ? wanted : wanted.slice(0, SHOWN);
  const table = plainTable(["time (UTC)", "principal", "call", "ended", "records"]);
  for (const { at, principal: who, call, ended, rules, times, records } of shown) {
    const how = [ended, ...(rules.length === 0 ? [] : [`by ${rules.join(", ")}`])].join(" ");
    table.push([
      at.slice(0, 19).replace("T", " "),
      who,
      call,
      times === 1 ? how : `${how} x${times}`,
      records,
    ]);
  }
  admin.print(shown, shown.length === 0 ? "None." : table.toString());
  if (shown.length < wanted.length) sayMore();
}

async function listReadings(customer: string, { all }: { all?: boolean }): Promise<void> {
  const path = `/audit/customers/${customer}/readings`;
  const { rows, more } = await readPages({}, all === true, async (query) => {
    const { readings, next } = readingsSchema.parse(await admin.call("GET", `${path}${query}`));
    return { rows: readings.map(subjectReading), next };
  });
  admin.print(rows, readingsText(customer, rows));
  if (more) sayMore();
}

async function erase(customer: string): Promise<void> {
  const path = `/audit/customers/${customer}/readings`;
  const { erased, audit_days } = erasedSchema.parse(await admin.call("DELETE", path));
  const stays = staysAfter(audit_days, Date.now());
  const lines = stays.map(({ what, why, until }) => `Stays until ${until}: ${what}. ${why}`);
  admin.print(
    { customer, erased, stays },
    [`Erased: ${plural(erased, "row")} of who read ${customer}.`, ...lines, ELSEWHERE].join("\n"),
  );
}

async function exportChain(principal: string, { out }: { out?: string }): Promise<void> {
  const { body, headers } = await callAdmin(
    admin.options(),
    "GET",
    `/audit/${encodeURIComponent(principal)}`,
  );
  if (body === null) throw new Error("The server sent an empty answer.");
  const problem = headers.get("x-audit-row-problem");
  if (problem !== null) {
    console.error(rowProblemWords(principal, problem));
    process.exitCode = 1;
  }
  if (out === undefined) return pipeline(Readable.from(body), process.stdout);
  // The anchor is read before the export: a later anchor could cover records that this export lacks, and its
  // end would look cut off.
  const anchor = parseJsonAs(
    anchorSchema,
    headers.get("x-audit-anchor") ?? "null",
    "The anchor that the server sent",
    "an anchor",
  );
  await replaceFile(out, failWhenCutOff(body));
  // The anchor is written after the chain: an earlier anchor fits a later chain, but not the reverse.
  await replaceFile(anchorFile(out), `${JSON.stringify(anchor)}\n`);
  console.error(
    `Wrote ${out} and ${anchorFile(out)}. Keep the anchor elsewhere: only it can show that the end was cut off.`,
  );
}

async function* failWhenCutOff(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw new Error("the server's answer was cut off. Run the command again", { cause: error });
  }
}
