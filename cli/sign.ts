// npm run sign: signs one request as docs/signing.md says, and sends it.

import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { Command, Option } from "commander";
import type { Signer } from "http-message-sig";
import * as z from "zod";
import { safeUrl } from "./safe-url.ts";
import {
  REVISIONS,
  type Revision,
  headersFor,
  messagesOf,
  parseJson,
  toolCall,
} from "./signing/mcp-message.ts";
import { signRequest, signerOf } from "./signing/sign-request.ts";

const TOKEN_VARIABLE = "CATALOG_ACCESS_KEY";
const SECRET_VARIABLE = "CATALOG_SIGNING_SECRET";
const ANSWER_MS = 60_000;

interface Options {
  keyId: string;
  secretFile?: string;
  tokenFile?: string;
  tool?: string;
  arguments?: string;
  body?: string;
  protocol: Revision;
  dryRun?: boolean;
  json?: boolean;
}

const program = new Command("npm run -s sign --")
  .description("Sign one POST request, send it, and print the answer.")
  .argument("<url>", "where to: https://YOUR-HOST/mcp")
  .requiredOption("--key-id <id>", "the signing key, as npm run admin -- signing-keys create named it")
  .option("--secret-file <file>", `its secret, or Ed25519 private key (default: from ${SECRET_VARIABLE})`)
  .option("--token-file <file>", `the access key or token (default: from ${TOKEN_VARIABLE})`)
  .option("--tool <name>", "call this tool")
  .option("--arguments <json>", "with these arguments (default: {})")
  .option("--body <file>", "send this file's bytes instead; - reads standard input")
  .addOption(
    new Option("--protocol <revision>", "the MCP revision that --tool is called by")
      .choices(REVISIONS)
      .default(REVISIONS[0]),
  )
  .option("--dry-run", "print the signed request as a curl command, and send nothing")
  .option("--json", "print the status, the request's id and the messages of the answer")
  .helpOption("-h, --help", "show this help")
  .addHelpText(
    "after",
    `\nA signature is good once, and for a minute. What is covered and why: docs/signing.md.
Example: npm run -s sign -- https://YOUR-HOST/mcp --key-id sign-… --tool query_stock --arguments '{"skus":["SKU-12847"]}'`,
  );

program.action(async (target: string, options: Options) => {
  const url = safeUrl(target);
  url.hash = "";
  const token = await secretFrom(TOKEN_VARIABLE, options.tokenFile, "--token-file", "the access key");
  const secret = await secretFrom(SECRET_VARIABLE, options.secretFile, "--secret-file", "the signing secret");
  const body = await bodyOf(options);
  const headers = new Headers({ authorization: `Bearer ${token}`, ...headersFor(body.toString()) });
  const by = { keyId: options.keyId, signer: signerFrom(secret), now: Date.now() };
  const signed = await signRequest({ url, headers, body }, by);
  if (options.dryRun === true) console.log(curl(url, signed, body.toString(), options));
  else process.exitCode = await send(url, signed, body, options.json === true);
});

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function secretFrom(variable: string, file: string | undefined, option: string, what: string) {
  const text = (file === undefined ? process.env[variable] : await readFile(file, "utf8"))?.trim() ?? "";
  if (text === "")
    throw new Error(`Set ${variable} to ${what}, or give ${option} with a file that holds it.`);
  return text;
}

function signerFrom(secret: string): Signer {
  try {
    return signerOf(secret);
  } catch {
    throw new Error(
      "The signing secret is neither an HMAC secret, which begins with pcs_, nor an Ed25519 private key in PEM.",
    );
  }
}

async function bodyOf({ tool, arguments: args = "{}", body, protocol }: Options): Promise<Buffer> {
  if ((tool === undefined) === (body === undefined)) {
    throw new Error("Give either --tool with --arguments, or --body. --help shows how.");
  }
  if (body !== undefined) return body === "-" ? buffer(process.stdin) : readFile(body);
  const parsed = z.record(z.string(), z.unknown()).safeParse(parseJson(args));
  if (!parsed.success) {
    throw new Error(`--arguments is not a JSON object. It looks like '{"skus":["SKU-12847"]}'`);
  }
  return Buffer.from(JSON.stringify(toolCall(tool ?? "", parsed.data, protocol)));
}

/** The token stays out of it: the command asks the shell for it. */
function curl(url: URL, headers: Headers, body: string, { tokenFile, body: file }: Options): string {
  const token = tokenFile === undefined ? `$${TOKEN_VARIABLE}` : `$(cat ${quote(tokenFile)})`;
  const lines = Array.from(headers, ([name, value]) =>
    name === "authorization" ? `-H "Authorization: Bearer ${token}"` : `-H ${quote(`${name}: ${value}`)}`,
  );
  const data = file === undefined || file === "-" ? body : `@${file}`;
  return [`curl -s ${quote(url.href)}`, ...lines, `--data-binary ${quote(data)}`].join(" \\\n  ");
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const messageSchema = z.object({
  result: z
    .looseObject({ isError: z.boolean().optional(), content: z.array(z.looseObject({ text: z.string() })) })
    .optional(),
  error: z
    .union([z.looseObject({ message: z.string() }).transform(({ message }) => message), z.string()])
    .optional(),
});

/** Sends it and prints the answer; gives the exit code. */
async function send(url: URL, headers: Headers, body: Buffer, json: boolean): Promise<number> {
  const response = await fetch(url, {
    method: "POST",
    headers,
    body: Uint8Array.from(body),
    // A signature is for one URL, and so is the token.
    redirect: "error",
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((error: unknown) => {
    throw new Error(`${url.href} does not answer. Is it the right URL, and does the server run?`, {
      cause: error,
    });
  });
  const text = await response.text();
  const messages = messagesOf(response.headers.get("content-type") ?? "", text);
  const said = z.array(messageSchema).safeParse(messages).data ?? [];
  const errors = said.flatMap(({ error, result }) =>
    error !== undefined ? [error] : result?.isError === true ? [textOf(result)] : [],
  );
  const failed = !response.ok || errors.length > 0;
  if (json) {
    const { status } = response;
    console.log(
      JSON.stringify({ status, request_id: response.headers.get("x-request-id"), messages }, null, 2),
    );
  } else if (failed) {
    console.error(errors.length > 0 ? errors.join("\n") : `HTTP ${response.status}. ${text.slice(0, 500)}`);
  } else {
    const texts = said.map(({ result }, index) =>
      result === undefined ? JSON.stringify(messages[index], null, 2) : textOf(result),
    );
    console.log(
      texts.length > 0 ? texts.join("\n") : messages.length > 0 ? JSON.stringify(messages, null, 2) : text,
    );
  }
  return failed ? 1 : 0;
}

const textOf = ({ content }: { content: { text: string }[] }): string =>
  content.map(({ text }) => text).join("\n");
