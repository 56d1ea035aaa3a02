// sign: calls a tool with signed requests, as docs/signing.md describes them.

import type { Signer } from "http-message-sig";
import * as z from "zod";
import { commandOf } from "./command.ts";
import { printCall } from "./mcp-client.ts";
import { parseJson, readText } from "./read-file.ts";
import { safeUrl } from "./safe-url.ts";
import { serverMessage } from "./server-message.ts";
import { signRequest, signerOf } from "./signing/sign-request.ts";

const TOKEN_VARIABLE = "CATALOG_ACCESS_KEY";
const SECRET_VARIABLE = "CATALOG_SIGNING_SECRET";

interface Options {
  keyId: string;
  secretFile?: string;
  tokenFile?: string;
  tool: string;
  arguments: string;
  json?: boolean;
}

await commandOf("sign")
  .description("Call a tool with signed requests, and print the answer.")
  .argument("<url>", "the endpoint, such as https://YOUR-HOST/mcp")
  .requiredOption("--key-id <id>", "the id that signing-keys create printed")
  .requiredOption("--tool <name>", "the tool")
  .option("--arguments <json>", "its arguments", "{}")
  .option(
    "--secret-file <file>",
    `a file with its secret or Ed25519 private key (default: $${SECRET_VARIABLE})`,
  )
  .option("--token-file <file>", `a file with the access key or token (default: $${TOKEN_VARIABLE})`)
  .option("--json", "print the answer as JSON")
  .addHelpText(
    "after",
    `\nA signature is valid once, for one minute. docs/signing.md lists what it covers and why.
Example: npx product-catalog-mcp sign https://YOUR-HOST/mcp --key-id sign-… --tool query_stock --arguments '{"skus":["SKU-12847"]}'`,
  )
  .action(sign)
  .parseAsync();

async function sign(target: string, options: Options): Promise<void> {
  const url = safeUrl(target);
  url.hash = "";
  const token = await secretFrom(TOKEN_VARIABLE, options.tokenFile, "--token-file", "the access key");
  const secret = await secretFrom(SECRET_VARIABLE, options.secretFile, "--secret-file", "the signing secret");
  const args = z.record(z.string(), z.unknown()).safeParse(parseJson(options.arguments));
  if (!args.success)
    throw new Error(`--arguments is not a JSON object. It looks like '{"skus":["SKU-12847"]}'`);
  const signer = signerFrom(secret);
  let refusal = "";
  const signedFetch = async (input: URL | string, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const body = new Uint8Array(await request.arrayBuffer());
    request.headers.set("authorization", `Bearer ${token}`);
    const by = { keyId: options.keyId, signer, now: Date.now() };
    const headers = await signRequest({ url, headers: request.headers, body }, by);
    // The signature and the token are valid for one URL only.
    const sent = await fetch(url, {
      method: "POST",
      headers,
      body,
      redirect: "error",
      signal: request.signal,
    });
    if (!sent.ok) refusal = await serverMessage(sent.clone());
    return sent;
  };
  await printCall(
    url,
    { name: options.tool, arguments: args.data },
    {
      fetch: signedFetch,
      json: options.json === true,
      explain: async () => refusal || `${url.href} does not answer. Check the URL, and that the server runs.`,
    },
  );
}

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
