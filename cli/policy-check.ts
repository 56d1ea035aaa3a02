// policy check: reports problems of a policy before it is deployed.

import { writeFile } from "node:fs/promises";
import * as z from "zod";
import { type ParsedPolicy, type PolicyProblem, parsePolicy, policySchema } from "../src/policy/schema.ts";
import { commandOf } from "./command.ts";
import { problemLine } from "./policy/problem-line.ts";
import { parseJsonAs, readText } from "./read-file.ts";

const WHOLE_FILE = "(the file)";
const SCHEMA_FILE = "policy.schema.json";

const program = commandOf("policy check")
  .description("Check a policy: its shape, its limits, and that every name in it exists.")
  .argument("[file]", "the policy", "policy.json")
  .option("--write-schema", `write ${SCHEMA_FILE} from the code, for editors`)
  .option("--json", "print JSON")
  .parse();
const options = program.opts<{ writeSchema?: boolean; json?: boolean }>();
const [file = "policy.json"] = program.processedArgs;

if (options.writeSchema === true) {
  await writeFile(SCHEMA_FILE, `${JSON.stringify(z.toJSONSchema(policySchema, { io: "input" }), null, 2)}\n`);
  console.error(`Wrote ${SCHEMA_FILE}.`);
}
const given = await readPolicy(z.string().parse(file));
const problems = given.parsed.ok ? await problemsIn(given.parsed) : given.parsed.problems;
if (options.json === true) console.log(JSON.stringify({ ok: problems.length === 0, problems }));
else if (problems.length === 0) console.log(`${file} is valid.`);
else
  for (const problem of problems)
    console.error(problem.path === WHOLE_FILE ? problem.reason : problemLine(file, problem, given.value));
process.exitCode = problems.length === 0 ? 0 : 1;

/**
 * Loaded here: the registries read policy.json themselves, which may be broken while another file is checked.
 */
async function problemsIn(policy: ParsedPolicy): Promise<PolicyProblem[]> {
  try {
    const { problemsOf } = await import("./policy/check.ts");
    return problemsOf(policy);
  } catch (error) {
    return [problemOf(error)];
  }
}

function problemOf(error: unknown): PolicyProblem {
  return { path: WHOLE_FILE, reason: error instanceof Error ? error.message : String(error) };
}

async function readPolicy(path: string): Promise<{ value?: unknown; parsed: ParsedPolicy }> {
  try {
    const value = parseJsonAs(z.unknown(), await readText(path), path, "a policy");
    return { value, parsed: parsePolicy(value) };
  } catch (error) {
    return { parsed: { ok: false, problems: [problemOf(error)] } };
  }
}
