// deploy: creates what a deployment lacks and keeps what exists.

import { execFile } from "node:child_process";
import { promisify, styleText } from "node:util";
import * as z from "zod";
import { parsePolicy } from "../src/policy/schema.ts";
import { commandOf } from "./command.ts";
import { sayFailure } from "./failure.ts";
import { wholeNumber } from "./arguments.ts";
import { type Answer, askWorker, upload } from "./deploy/execute.ts";
import { type Action, NOTHING, type Step, plan } from "./deploy/plan.ts";
import { digestOfBuild, readProject } from "./deploy/project.ts";
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

const options = commandOf("deploy")
  .description(
    "Deploy to Cloudflare: check the policy, create the database and the namespace of sign-ins if they are missing, " +
      "upload the Worker if it changed, check that the Worker answers, and show where to make its first admin. " +
      "A second run changes nothing. It uses wrangler's login (npx wrangler login) or CLOUDFLARE_API_TOKEN.",
  )
  .option("--dry-run", "show the steps and change nothing; without a login, the steps of a first deployment")
  .option("--remove-settings", "remove the Worker's plain variables that wrangler.toml does not name")
  .option("--wait <seconds>", "how long to wait until the Worker answers; 0 skips the check", wholeNumber, 60)
  .option("--json", "print JSON")
  .addHelpText("after", "\nDetails, costs, backups and rollback: docs/deploy.md.")
  .parse()
  .opts<Options>();

const say = (text: string) => console.error(styleText("dim", text, { stream: process.stderr }));
const ACTION_WORDS: Record<Action, [before: string, after: string]> = {
  create: ["create", "created"],
  connect: ["connect the existing one", "connected"],
  deploy: ["deploy", "deployed"],
  keep: ["in place", "in place"],
};

try {
  process.exitCode = await deploy();
} catch (error) {
  sayFailure(error);
  process.exitCode = 1;
}

async function deploy(): Promise<number> {
  const policy = parseJsonAs(z.unknown(), await readText(`${ROOT}policy.json`), "policy.json", "a policy");
  // Loaded only once policy.json is known to be JSON, because this module reads it.
  const { problemsOf } = await import("./policy/check.ts");
  const problems = problemsOf(parsePolicy(policy));
  if (problems.length > 0) {
    for (const problem of problems) console.error(problemLine("policy.json", problem, policy));
    throw new Error(
      "The Worker would serve nothing with this policy. Fix it, and check it with npx product-catalog-mcp policy check.",
    );
  }
  if (await hasUncommitted()) say("Uncommitted changes are deployed too.");
  const project = await readProject();
  const account = await readAccount(project.accountId);
  if (account === undefined && options.dryRun !== true)
    throw new Error(
      "Not logged in to Cloudflare. Run npx wrangler login, or set CLOUDFLARE_API_TOKEN. To see the steps without a login, add --dry-run.",
    );
  say("Building, and asking Cloudflare what exists…");
  const [found, digest] = await Promise.all([
    account === undefined ? NOTHING : readFound(project),
    digestOfBuild(),
  ]);
  const wanted = { ...project, digest };
  const planned = plan(found, wanted, options);
  if (!planned.ok) throw new Error(planned.problem);
  const { steps } = planned;
  const isDone = steps.every(({ action }) => action === "keep");
  if (options.dryRun === true || account === undefined) {
    report({ account: account?.name ?? null, steps, changed: false, url: project.publicUrl });
    return 0;
  }

  const place = { accountId: account.id, worker: project.worker };
  if (!isDone) say(`Deploying ${project.worker}…`);
  const targets = isDone ? [] : await upload(wanted, planned.connectStore);
  const target = targets.map(urlOfTarget).find((each) => each !== undefined);
  if (target !== undefined) await rememberUrl(place, target);
  const url = project.publicUrl ?? target ?? (await recallUrl(place));
  const answer = url === undefined || options.wait === 0 ? undefined : await ask(url);
  report({ account: account.name, steps, changed: !isDone, url, answer });
  if (answer?.ok === false)
    console.error(
      `${url} does not serve yet (${answer.reason}). A new name can take minutes. Run npm run deploy again to check once more.`,
    );
  return answer?.ok === false ? 1 : 0;
}

/** wrangler prints a custom domain without a scheme, and a route as a pattern that is not a URL. */
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
  /** Undefined if nothing was asked. */
  answer?: Answer | undefined;
}

function report({ account, steps, changed, url, answer }: Report): void {
  const dryRun = options.dryRun === true;
  const mcp = new URL("/mcp", url ?? "https://WORKER.SUBDOMAIN.workers.dev").href;
  const setup = new URL("/setup", mcp).href;
  // The page refuses everybody who can't read the Worker's log, so the link is no secret.
  const isNew = answer?.ok === true ? answer.isNew : undefined;
  const next = [
    ...(isNew === false
      ? []
      : [["npx wrangler tail", `shows the code that ${setup} asks for; there, make the first admin`]]),
    ["npx product-catalog-mcp import FILE --remote", "fills the catalog"],
    [
      `claude mcp add --scope user --transport http product-catalog ${mcp}`,
      "connects Claude Code; docs/connect.md has the other clients",
    ],
  ];
  if (options.json === true) {
    const commands = next.map(([command]) => command);
    const mcpUrl = url === undefined ? null : mcp;
    const setupUrl = url === undefined || isNew === false ? null : setup;
    console.log(
      JSON.stringify({
        account,
        dryRun,
        steps,
        changed,
        mcpUrl,
        setupUrl,
        serves: answer?.ok ?? null,
        next: commands,
      }),
    );
    return;
  }
  const table = plainTable(["what", "name", dryRun ? "would" : "is"]);
  for (const { what, name, action } of steps) table.push([what, name, ACTION_WORDS[action][dryRun ? 0 : 1]]);
  console.log(
    account === null ? "Not logged in. These are the steps of a first deployment." : `Account: ${account}`,
  );
  console.log(table.toString());
  if (dryRun) return console.log("Nothing was changed. To carry out these steps, run npm run deploy.");
  if (!changed) console.log("Nothing had to change.");
  console.log(
    `MCP endpoint: ${url === undefined ? `${mcp} (the Cloudflare dashboard shows the name)` : mcp}\n\nNext, unless already done:`,
  );
  for (const [command, why] of next) console.log(`  ${command}\n      ${why}`);
}

/** Returns whether git sees uncommitted changes; false without git. */
async function hasUncommitted(): Promise<boolean> {
  const ran = await promisify(execFile)("git", ["status", "--porcelain"], { cwd: ROOT }).catch(
    () => undefined,
  );
  return ran !== undefined && ran.stdout.trim() !== "";
}
