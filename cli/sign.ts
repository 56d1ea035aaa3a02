// sign: signs one request as docs/signing.md describes, and sends it.

import { buffer } from "node:stream/consumers";
import { Option } from "commander";
import type { Signer } from "http-message-sig";
import * as z from "zod";
import { commandOf } from "./command.ts";
import { parseJson, readBytes, readText } from "./read-file.ts";
import { safeUrl } from "./safe-url.ts";
import { readMessage } from "./signing/answer.ts";
import { REVISIONS, type Revision, headersFor, messagesOf, toolCall } from "./mcp-message.ts";
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
  json?: boolean;
}

const program = commandOf("sign")
  .description("Sign one POST request, send it, and print the answer.")
  .argument("<url>", "the endpoint, such as https://YOUR-HOST/mcp")
  .requiredOption("--key-id <id>", "the id that signing-keys create printed")
  .option(
    "--secret-file <file>",
    `a file with its secret or Ed25519 private key (default: $${SECRET_VARIABLE})`,
  )
  .option("--token-file <file>", `a file with the access key or token (default: $${TOKEN_VARIABLE})`)
  .option("--tool <name>", "call this tool")
  .option("--arguments <json>", "with these arguments (default: {})")
  .option("--body <file>", "send this file instead; - reads standard input")
  .addOption(
    new Option("--protocol <revision>", "the MCP revision for --tool")
      .choices(REVISIONS)
      .default(REVISIONS[0]),
  )
  .option("--json", "print the status, the request's id and the messages of the answer")
  .addHelpText(
    "after",
    `\nA signature is valid once, for one minute. docs/signing.md lists what it covers and why.
Example: npx product-catalog-mcp sign https://YOUR-HOST/mcp --key-id sign-… --tool query_stock --arguments '{"skus":["SKU-12847"]}'`,
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
  process.exitCode = await send(url, signed, body, options.json === true);
});

async function secretFrom(variable: string, file: string | undefined, option: string, what: string) {
  const text = (file === undefined ? process.env[variable] : await readText(file))?.trim() ?? "";
  if (text === "")
    throw new Error(`Set ${variable} to ${what}, or give ${option} with a file that contains it.`);
  return text;
}

function signerFrom(secret: string): Signer {
  try {
    return signerOf(secret);
  } catch {
    throw new Error(
      "The signing secret must be an HMAC secret (it begins with pcs_) or an Ed25519 private key in PEM.",
    );
  }
}

async function bodyOf({ tool, arguments: args = "{}", body, protocol }: Options): Promise<Buffer> {
  if ((tool === undefined) === (body === undefined)) {
    throw new Error("Give either --tool with --arguments, or --body. See --help.");
  }
  if (body !== undefined) return body === "-" ? buffer(process.stdin) : readBytes(body);
  const parsed = z.record(z.string(), z.unknown()).safeParse(parseJson(args));
  if (!parsed.success) {
    throw new Error(`--arguments is not a JSON object. It looks like '{"skus":["SKU-12847"]}'`);
  }
  return Buffer.from(JSON.stringify(toolCall(tool ?? "", parsed.data, protocol)));
}

/** Sends the request and prints the answer; returns the exit code. */
async function send(url: URL, headers: Headers, body: Buffer, json: boolean): Promise<number> {
  const response = await fetch(url, {
    method: "POST",
    headers,
    body: Uint8Array.from(body),
    // The signature and the token are valid for one URL only.
    redirect: "error",
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((error: unknown) => {
    throw new Error(`${url.href} does not answer. Check the URL, and that the server runs.`, {
      cause: error,
    });
  });
  const { status } = response;
  const text = await response.text();
  const messages = messagesOf(response.headers.get("content-type") ?? "", text);
  const read = messages.map(readMessage);
  if (json) {
    const request_id = response.headers.get("x-request-id");
    console.log(JSON.stringify({ status, request_id, messages }, null, 2));
  } else {
    for (const { failed, text: line } of read) (failed ? console.error : console.log)(line);
    if (read.length === 0) console.error(`HTTP ${status} ${text.slice(0, 500)}`);
  }
  return response.ok && !read.some(({ failed }) => failed) ? 0 : 1;
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
