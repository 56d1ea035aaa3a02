import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Anchor, exportLine, genesis, link } from "../../src/caller/audit/chain.ts";
import { listenOn } from "../node/support/listen-on.ts";
import { runCommand } from "../node/support/run-command.ts";

const STARTED = 1_800_000_000_000;

/** An export of ada's records up to a number, without those pruned before it, and its anchor. */
function chain(last: number, pruned = 0): { lines: string[]; anchor: Anchor } {
  let head = genesis("ada", STARTED);
  let beginning = head;
  const records = Array.from({ length: last }, (_, index) => {
    const text = JSON.stringify({ seq: index + 1, word: "a" });
    head = { seq: index + 1, hash: link(head, text) };
    if (head.seq === pruned) beginning = head;
    return exportLine(text, head.hash);
  });
  const checkpoint = pruned === 0 ? null : beginning;
  const lines = [
    JSON.stringify({ audit: 1, principal: "ada", started_at: STARTED, checkpoint }),
    ...records.slice(pruned),
  ];
  const anchor = {
    principal: "ada",
    started_at: STARTED,
    ...head,
    checkpoint_seq: beginning.seq,
    checkpoint_hash: beginning.hash,
    anchored_at: STARTED,
  };
  return { lines, anchor };
}
const textOf = ({ lines }: { lines: string[] }) => `${lines.join("\n")}\n`;

let folder: string;
let file: string;
let url: string;
/** The server's answer to every request. */
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => answer(request, response));

beforeAll(async () => {
  url = await listenOn(server);
});
afterAll(() => server.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-audit-"));
  file = join(folder, "chain.jsonl");
  return () => rm(folder, { recursive: true });
});

const audit = (...args: string[]) => runCommand("audit", args, { env: { CATALOG_ADMIN_KEY: "a key" } });
const exportTo = (out: string) => audit("export", "ada", "--url", url, "-o", out);

function serveExport(response: ServerResponse, records: number): void {
  const { anchor, ...exported } = chain(records);
  response.setHeader("X-Audit-Anchor", JSON.stringify(anchor));
  response.end(textOf(exported));
}

it("an export has the anchor that it was written up to, even if a later one exists when it ends", async () => {
  answer = ({ url: path }, response) => {
    if (path === "/admin/api/audit/ada") serveExport(response, 3);
    else response.end(JSON.stringify({ anchors: [chain(5).anchor] }));
  };
  expect(await exportTo(file)).toMatchObject({ code: 0 });
  expect(await readFile(file, "utf8")).toBe(textOf(chain(3)));
  expect(JSON.parse(await readFile(`${file}.anchor.json`, "utf8"))).toEqual(chain(3).anchor);
  expect(await audit("verify", file)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("3 records, unchanged and complete"),
  });
});

it("an interrupted export leaves an earlier file unchanged, and says which and why", async () => {
  answer = (_, response) => serveExport(response, 3);
  await exportTo(file);
  const before = await readAll();
  answer = (_, response) => {
    response.setHeader("X-Audit-Anchor", JSON.stringify(chain(5).anchor));
    response.write(textOf(chain(2)), () => response.destroy());
  };
  expect(await exportTo(file)).toMatchObject({
    code: 2,
    stderr: `${file} was not written: the server's answer was cut off. Run the command again. It is unchanged.\n`,
  });
  expect(await readAll()).toEqual(before);
});

/** Returns the folder's files by name. */
async function readAll(): Promise<Record<string, string>> {
  const names = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")])),
  );
}

it("an export follows a link, and only writes into a file", async () => {
  answer = (_, response) => serveExport(response, 3);
  const pointing = join(folder, "link");
  await writeFile(file, "");
  await symlink(file, pointing);
  expect(await exportTo(pointing)).toMatchObject({ code: 0 });
  expect(await readFile(file, "utf8")).toBe(textOf(chain(3)));
  for (const { to, why } of [
    { to: join(folder, "none", "x.jsonl"), why: "its folder does not exist." },
    { to: "/dev/null", why: "it is not a file." },
  ])
    expect(await exportTo(to)).toMatchObject({ code: 2, stderr: `${to} can't be written: ${why}\n` });
});

it("an anchor from before retention pruned proves what it can and raises no false alarm", async () => {
  const kept = join(folder, "kept.json");
  await writeFile(kept, JSON.stringify(chain(3).anchor));
  const verify = async (exported: string) => {
    await writeFile(file, exported);
    return audit("verify", file, "--anchor", kept);
  };
  expect(await verify(textOf(chain(5)))).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("5 records, unchanged and complete up to the anchor"),
  });
  expect(await verify(textOf(chain(5, 2)))).toMatchObject({
    code: 2,
    stdout: expect.stringMatching(
      /^3 records, unchanged.*cannot show whether more are missing there; use a later one\.\n$/,
    ),
  });
  expect(await verify(textOf(chain(5, 4)))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("every record that the anchor covers has been pruned since"),
  });
  expect(await verify(textOf(chain(5, 2)).replaceAll('"a"', '"b"'))).toMatchObject({ code: 1 });

  // The anchor that was written with the file knows where the file begins.
  await writeFile(`${file}.anchor.json`, JSON.stringify(chain(5).anchor));
  await writeFile(file, textOf(chain(5, 2)));
  expect(await audit("verify", file)).toMatchObject({ code: 1 });
});

it("exits with 0 for an intact chain, 1 for a changed one, and 2 if it cannot tell", async () => {
  const whole = textOf(chain(5));
  const cut = textOf(chain(3));
  const changed = whole.replace('"seq":3,"word":"a"', '"seq":3,"word":"b"');
  const anchor = JSON.stringify(chain(5).anchor);
  const cases = [
    { text: whole, anchor, code: 0 },
    { text: changed, anchor, code: 1 },
    { text: cut, anchor, code: 1 },
    { text: `${cut}x\n`, anchor, code: 1 },
    { text: `${whole}{"x\n{}\n`, anchor, code: 1 },
    { text: changed, anchor: undefined, code: 1 },
    { text: whole, anchor: undefined, code: 2 },
    { text: cut, anchor: undefined, code: 2 },
    { text: "", anchor, code: 2 },
    { text: whole.slice(0, -20), anchor, code: 2 },
    { text: whole.slice(0, 20), anchor, code: 2 },
    { text: undefined, anchor, code: 2 },
  ];
  const codes: (number | null)[] = [];
  for (const [index, { text, anchor: given }] of cases.entries()) {
    const exported = join(folder, `case-${index}.jsonl`);
    if (text !== undefined) await writeFile(exported, text);
    if (given !== undefined) await writeFile(`${exported}.anchor.json`, given);
    codes.push((await audit("verify", exported)).code);
  }
  expect(codes).toEqual(cases.map(({ code }) => code));
  expect((await audit("verify", "--help")).stdout).toMatch(/Exit code:\s+0 .*\s+1 .*\s+2 /);
}, 200_000);
