// npm run deploy: what is missing of a deployment is made, what is there stays.

import { execFile } from "node:child_process";
import { promisify, styleText } from "node:util";
import * as z from "zod";
import { parsePolicy } from "../src/policy/schema.ts";
import { commandOf } from "./command.ts";
import { wholeNumber } from "./arguments.ts";
import { StepFailed, askWorker, execute } from "./deploy/execute.ts";
import { type Action, NOTHING, type Step, plan } from "./deploy/plan.ts";
import { readProject } from "./deploy/project.ts";
import { readAccount, readFound } from "./deploy/read-account.ts";
import { recallUrl, rememberUrl } from "./deploy/remembered-url.ts";
import { problemLine } from "./policy/problem-line.ts";
import { ROOT } from "./wrangler.ts";
import { parseJsonAs, readText } from "./read-file.ts";
import { plainTable } from "./table.ts";

interface Options {
  dryRun?: boolean;
  removeSettings?: boolean;
  wait: number;
  json?: boolean;
}

const options = commandOf("npm run deploy --")
  .description(
    "Deploy to Cloudflare: check the policy, make the database and the namespace of sign-ins where there are none, " +
      "upload the Worker where it changed, make SECRET_KEY where there is none, and ask the Worker whether it serves. " +
      "Run again, it changes nothing. It uses wrangler's login (npx wrangler login) or CLOUDFLARE_API_TOKEN.",
  )
  .option("--dry-run", "show the steps, and change nothing; without a login those from nothing")
  .option("--remove-settings", "let plain variables go that the Worker has and wrangler.toml does not name")
  .option("--wait <seconds>", "how long to wait until the Worker answers; 0 does not ask it", wholeNumber, 60)
  .option("--json", "print JSON")
  .addHelpText("after", "\nWhat it does in detail, costs, backups, and the way back: docs/deploy.md.")
  .parse()
  .opts<Options>();

const say = (text: string) => console.error(styleText("dim", text, { stream: process.stderr }));
const SAID: Record<Action, [before: string, after: string]> = {
  create: ["create", "created"],
  connect: ["connect, it is there", "connected"],
  deploy: ["deploy", "deployed"],
  make: ["make from random bytes", "made"],
  keep: ["in place", "in place"],
};

try {
  process.exitCode = await deploy();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  if (error instanceof StepFailed) {
    const made = error.done.map(({ what, name }) => `${what} ${name}`).join(", ");
    console.error(
      `${made === "" ? "" : `Done before it: ${made}. `}Run npm run deploy again when that is mended: it goes on from what is there.`,
    );
  }
  process.exitCode = 1;
}

async function deploy(): Promise<number> {
  const policy = parseJsonAs(z.unknown(), await readText(`${ROOT}policy.json`), "policy.json", "a policy");
  // Not before policy.json is known to be JSON: it is read while this loads.
  const { problemsOf } = await import("./policy/check.ts");
  const problems = problemsOf(parsePolicy(policy));
  if (problems.length > 0) {
    for (const problem of problems) console.error(problemLine("policy.json", problem, policy));
    console.error("The Worker would serve nothing by this policy. Mend it: npm run -s policy:check");
    return 1;
  }
  if (await hasUncommitted()) say("There are changes that are not committed; they are deployed too.");
  say("Building…");
  const project = await readProject();
  say("Asking Cloudflare what there is…");
  const account = await readAccount(project.accountId);
  if (account === undefined && options.dryRun !== true)
    throw new Error(
      "Nobody is logged in to Cloudflare. Run npx wrangler login, or set CLOUDFLARE_API_TOKEN; --dry-run shows the steps without.",
    );
  const planned = plan(account === undefined ? NOTHING : await readFound(project), project, options);
  if (!planned.ok) throw new Error(planned.problem);
  const { steps } = planned;
  const isDone = steps.every(({ action }) => action === "keep");
  if (options.dryRun === true || account === undefined) {
    report({ account: account?.name ?? null, steps, changed: false, url: project.publicUrl });
    return 0;
  }

  const place = { accountId: account.id, worker: project.worker };
  const targets = isDone ? [] : await execute(planned, { digest: project.digest, say });
  const target = targets.map(urlOfTarget).find((each) => each !== undefined);
  if (target !== undefined) await rememberUrl(place, target);
  const url = project.publicUrl ?? target ?? (await recallUrl(place));
  const answer = url === undefined || options.wait === 0 ? undefined : await ask(url);
  report({ account: account.name, steps, changed: !isDone, url, serves: answer?.ok });
  if (answer?.ok === false)
    console.error(
      `${url} does not serve yet (${answer.reason}). A new name can take minutes; run npm run deploy again to ask once more.`,
    );
  return answer?.ok === false ? 1 : 0;
}

/** wrangler names a custom domain without a scheme, and routes by a pattern that is no URL. */
function urlOfTarget(target: string): string | undefined {
  const [, domain] = /^([\w.-]+) \(custom domain\b/.exec(target) ?? [];
  if (domain !== undefined) return `https://${domain}`;
  return URL.canParse(target) ? target : undefined;
}

function ask(url: string) {
  say(`Asking ${url}, which applies its migrations…`);
  return askWorker(url, options.wait);
}

interface Report {
  account: string | null;
  steps: Step[];
  changed: boolean;
  url: string | undefined;
  /** Undefined where it was not asked. */
  serves?: boolean | undefined;
}

function report({ account, steps, changed, url, serves }: Report): void {
  const dryRun = options.dryRun === true;
  const mcp = new URL("/mcp", url ?? "https://WORKER.SUBDOMAIN.workers.dev").href;
  const next = [
    ["npm run -s admin -- bootstrap NAME --remote", "the first admin; shows its access key once"],
    ["npm run -s catalog -- import FILE --remote", "the catalog, which is empty until then"],
    [`claude mcp add --transport http product-catalog ${mcp}`, "docs/connect.md has the other clients"],
  ];
  if (options.json === true) {
    const commands = next.map(([command]) => command);
    const mcpUrl = url === undefined ? null : mcp;
    console.log(
      JSON.stringify({ account, dryRun, steps, changed, mcpUrl, serves: serves ?? null, next: commands }),
    );
    return;
  }
  const table = plainTable(["what", "name", dryRun ? "would" : "is"]);
  for (const { what, name, action } of steps) table.push([what, name, SAID[action][dryRun ? 0 : 1]]);
  console.log(account === null ? "Not logged in: the steps from nothing." : `Account: ${account}`);
  console.log(table.toString());
  if (dryRun) return console.log("Nothing was changed. Without --dry-run: npm run deploy");
  if (!changed) console.log("Nothing had to change.");
  console.log(
    `MCP endpoint: ${url === undefined ? `${mcp}, as the dashboard has it` : mcp}\n\nNext, where it is not done yet:`,
  );
  for (const [command, why] of next) console.log(`  ${command}\n      ${why}`);
}

/** Whether git knows of changes; false where there is no git. */
async function hasUncommitted(): Promise<boolean> {
  const ran = await promisify(execFile)("git", ["status", "--porcelain"], { cwd: ROOT }).catch(
    () => undefined,
  );
  return ran !== undefined && ran.stdout.trim() !== "";
}
