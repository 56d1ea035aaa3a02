// bundle: makes the file by which Claude Desktop installs a connection to a deployed server.

import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { endpointOf } from "./bundle/remote.ts";
import { commandOf } from "./command.ts";
import { replaceFile } from "./write-file.ts";

interface Options {
  url?: string;
  privacyPolicy?: string;
  output: string;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MCPB = join(ROOT, "node_modules/@anthropic-ai/mcpb/dist/cli/cli.js");

const program = commandOf("bundle")
  .description(
    "Make a bundle (MCPB) by which Claude Desktop installs a connection to your deployed server. Whoever installs it enters the server's address and an access key.",
  )
  .option("--url <url>", "the address to offer, such as https://YOUR-HOST/mcp")
  .option("--privacy-policy <url>", "the address of your privacy policy; Claude's directory requires one")
  .option("-o, --output <file>", "the bundle to write", "product-catalog.mcpb")
  .parse();
const { url, privacyPolicy, output } = program.opts<Options>();
const address = url === undefined ? undefined : endpointOf(url).href;
if (privacyPolicy !== undefined && !URL.canParse(privacyPolicy))
  program.error(`--privacy-policy: "${privacyPolicy}" is not a URL.`);

const { PATHS, manifestOf } = await import("./bundle/manifest.ts");
const folder = await mkdtemp(join(tmpdir(), "catalog-bundle-"));
try {
  const content = join(folder, "content");
  await mkdir(dirname(join(content, PATHS.program)), { recursive: true });
  await writeFile(
    join(content, "manifest.json"),
    JSON.stringify(manifestOf({ url: address, privacyPolicy }), null, 2),
  );
  await cp(join(ROOT, "public/assets/icon-512.png"), join(content, PATHS.icon));
  await build({
    entryPoints: [join(ROOT, "cli/bundle/program.ts")],
    outfile: join(content, PATHS.program),
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node20",
    legalComments: "none",
    logLevel: "error",
    // As in wrangler.toml.
    alias: { "@modelcontextprotocol/server/_shims": join(ROOT, "src/mcp/sdk-shims.ts") },
  });
  const packed = join(folder, "packed.mcpb");
  // The official tool checks the manifest too.
  await promisify(execFile)(process.execPath, [MCPB, "pack", content, packed]).catch((error: unknown) => {
    const said = error instanceof Error && "stdout" in error ? String(error.stdout).trim() : String(error);
    throw new Error(`mcpb refused the bundle: ${said}`, { cause: error });
  });
  await replaceFile(output, await readFile(packed));
} finally {
  await rm(folder, { recursive: true });
}
const { size } = await stat(output);
console.log(`${output}: ${Math.ceil(size / 1024)} KiB. Open it with Claude Desktop: Settings → Extensions.`);
