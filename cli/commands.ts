/** A command of the bin: the words that name it, the program that runs it, and one line of help. */
export interface CommandEntry {
  name: string;
  /** Relative to the project's folder. The program parses the arguments itself. */
  file: string;
  summary: string;
}

/** Every command. `--help` prints this list, and docs/commands.md has it beside the former names. */
export const COMMANDS: readonly CommandEntry[] = [
  { name: "dev", file: "cli/dev.ts", summary: "run the server on this machine, with a sample catalog" },
  { name: "ask", file: "cli/ask.ts", summary: "ask the catalog, as an AI client does" },
  { name: "stdio", file: "cli/stdio.ts", summary: "serve MCP over standard input and output" },
  { name: "import", file: "cli/import.ts", summary: "import a catalog from a file" },
  { name: "feed", file: "cli/feed.ts", summary: "keep the catalog fresh from a URL" },
  { name: "users", file: "cli/users.ts", summary: "manage people and services, and make the first admin" },
  { name: "keys", file: "cli/keys.ts", summary: "manage access keys" },
  { name: "signing-keys", file: "cli/signing-keys.ts", summary: "manage keys that sign requests" },
  { name: "audit", file: "cli/audit.ts", summary: "see who called and who read a customer, export an audit" },
  { name: "incidents", file: "cli/incidents.ts", summary: "list incidents, with the page to decide on" },
  { name: "policy check", file: "cli/policy-check.ts", summary: "check policy.json" },
  { name: "policy replay", file: "cli/policy-replay.ts", summary: "see what a policy would have decided" },
  { name: "sign", file: "cli/sign.ts", summary: "call a tool with signed requests" },
  { name: "deploy", file: "cli/deploy.ts", summary: "deploy to Cloudflare; --dry-run shows the plan" },
  {
    name: "bundle",
    file: "cli/bundle.ts",
    summary: "make the file that connects Claude Desktop to a server",
  },
  { name: "lab attack", file: "lab/attack.ts", summary: "run an attack, and replay its audit" },
  { name: "lab traffic", file: "lab/traffic.ts", summary: "send honest and toxic traffic for the dashboard" },
  { name: "lab provider", file: "lab/provider.ts", summary: "run an OpenID provider, to try single sign-on" },
  { name: "lab sample", file: "lab/sample.ts", summary: "print sample products, or a sample support desk" },
  { name: "lab traces", file: "lab/traces.ts", summary: "print made-up traces for policy replay" },
  {
    name: "lab company",
    file: "lab/company.ts",
    summary: "play a made-up company's days, and attacks inside",
  },
  { name: "lab surface", file: "lab/surface.ts", summary: "compare the tools with tool-definitions.json" },
  { name: "lab migrations", file: "lab/migrations.ts", summary: "compare the deployed SQL with migrations/" },
  { name: "lab cards", file: "lab/cards.ts", summary: "compare the built page of the cards with cards/" },
  { name: "lab conformance", file: "lab/conformance.ts", summary: "run the official MCP conformance suite" },
  { name: "lab clients", file: "lab/clients.ts", summary: "drive real MCP clients against the server" },
  { name: "lab eval-search", file: "lab/eval-search.ts", summary: "rate search by human judgments" },
  { name: "lab eval-injections", file: "lab/eval-injections.ts", summary: "rate the scan for injected text" },
  { name: "lab bench", file: "lab/bench.ts", summary: "time a tool call, layer by layer" },
  { name: "lab bench search", file: "lab/bench-search.ts", summary: "time search as the catalog grows" },
  {
    name: "lab bench import",
    file: "lab/bench-import.ts",
    summary: "time an import, with searches beside it",
  },
  { name: "lab bench flood", file: "lab/bench-flood.ts", summary: "time a caller while another floods" },
  { name: "lab fuzz", file: "lab/fuzz.ts", summary: "send requests with something wrong in them" },
  { name: "lab faults", file: "lab/faults.ts", summary: "break each part, and see what callers saw" },
  {
    name: "lab soak",
    file: "lab/soak.ts",
    summary: "let 40 callers call for minutes, and count the records",
  },
  { name: "lab scale", file: "lab/scale.ts", summary: "time a small server and a large one" },
  { name: "lab words", file: "lab/words.ts", summary: "check that comments are in plain words" },
];
