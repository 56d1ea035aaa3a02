// lab provider: runs an OpenID Connect provider on this machine, to try single sign-on with.

import { commandOf } from "../cli/command.ts";
import { wholeNumber } from "../cli/arguments.ts";
import { startProvider } from "./provider/openid.ts";

// Valid on this machine only: this command prints it, and docs/sign-on.md contains it.
const SECRET = "local-trial";
const PEOPLE = {
  sam: { name: "Sam Support", groups: ["catalog-support"] },
  ivy: { name: "Ivy Inventory", groups: ["catalog-inventory"] },
  ada: { name: "Ada Admin", groups: ["catalog-admin"] },
  nic: { name: "Nic Nobody", groups: ["another-app"] },
};

const { port, server } = commandOf("lab provider")
  .description("Run an OpenID Connect provider on this machine, to try single sign-on with: docs/sign-on.md.")
  .option("--port <number>", "port on localhost", wholeNumber, 8788)
  .option("--server <url>", "the URL of the catalog server", "http://127.0.0.1:8787")
  .parse()
  .opts<{ port: number; server: string }>();

try {
  const callback = new URL("/sign-on/callback", server).href;
  const { settings, people } = await startProvider(() => callback, { port, secret: SECRET });
  for (const [name, person] of Object.entries(PEOPLE)) people.set(name, person);
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const rows = Object.entries(PEOPLE).map(([name, person]) => `  ${name}   ${person.groups.join(", ")}`);
  console.log(`Add these lines to .dev.vars, and restart npm run dev:

${lines.join("\n")}

Sign in with any password as one of these people (groups):
${rows.join("\n")}

Press Ctrl-C to stop.`);
} catch (error) {
  console.error(
    error instanceof Error && error.message.includes("EADDRINUSE")
      ? `Port ${port} is in use. Choose another: npx product-catalog-mcp lab provider --port ${port + 1}`
      : String(error),
  );
  process.exit(1);
}
