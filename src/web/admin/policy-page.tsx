import type { Rule } from "../../detection/rules.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Limit, Policy } from "../../policy/schema.ts";
import { COUNTED_MAX } from "../../caller/audit/anchors.ts";
import type { Spoken, SpokenRules } from "../../admin/rule-hits.ts";
import { DOES, duration, number, plural, ruleWords } from "./words.ts";
import { adminPage } from "./layout.tsx";
import { Card, Chip } from "./elements.tsx";
import { Table } from "./table.tsx";

interface PolicyPage {
  admin: SignedIn;
  policy: Policy;
  spoken: SpokenRules;
}

/** The policy in force, and what its rules did and would have done. */
export function policyPage({ admin, policy, spoken }: PolicyPage): Promise<Response> {
  const shadow = policy.rules.filter(({ mode }) => mode === "shadow");
  return adminPage(
    { admin, title: "Policy", section: "/admin/policy" },
    <>
      <p class="quiet">
        The policy that this server was deployed with. It is changed in <code>policy.json</code>, and tried on
        yesterday's audit with <code>npm run policy:replay</code>.
      </p>
      <Card title="Rules">
        <Table
          label="Rules"
          rows={policy.rules}
          columns={[
            { name: "Rule", kind: "row", cell: ({ id }) => id },
            { name: "Mode", cell: ({ mode }) => <Chip tone={TONES[mode]}>{MODES[mode]}</Chip> },
            { name: "A call past it", cell: ({ verdict }) => DOES[verdict] },
            { name: "Allowed", kind: "long", cell: ruleWords },
            {
              name: `Spoke, last ${duration(spoken.sinceMs)}`,
              cell: ({ id }) => timesWords(spoken.hits.filter(({ rule }) => rule === id)),
            },
            { name: "Why", kind: "long", cell: ({ about }) => about },
          ]}
        />
        <p class="quiet">{readWords(spoken)}</p>
      </Card>
      <Card title="What shadow rules would have done">
        {shadow.length === 0 ? (
          <p>
            No rule is in shadow. Set a rule's <code>mode</code> to <code>shadow</code> to have it recorded
            here and never acted upon.
          </p>
        ) : (
          <Shadow rules={shadow} spoken={spoken} />
        )}
      </Card>
      <Card title="Roles">
        <Table
          label="Roles"
          rows={Object.entries(policy.roles)}
          columns={[
            { name: "Role", kind: "row", cell: ([name]) => name },
            { name: "Tools", kind: "long", cell: ([, { tools }]) => tools.join(", ") || "none" },
            { name: "Resources", kind: "long", cell: ([, { resources }]) => resources.join(", ") || "none" },
            {
              name: "Customers' rows",
              cell: ([, { customers }]) => (customers === "all" ? "everybody's" : "their own"),
            },
            {
              name: "Calls",
              kind: "short",
              cell: ([, { limits = policy.limits }]) => limitWords(limits.calls),
            },
            {
              name: "Lists and handshakes",
              kind: "short",
              cell: ([, { limits = policy.limits }]) => limitWords(limits.discovery),
            },
          ]}
        />
      </Card>
      <Card title="Beside that">
        <dl class="facts">
          <dt>A person's agreement</dt>
          <dd>
            lets through {number(policy.confirmation.allowance)} more, for{" "}
            {duration(policy.confirmation.minutes * 60_000)}
          </dd>
          <dt>Records of the audit</dt>
          <dd>are kept for {plural(policy.retention.audit_days, "day")}</dd>
          <dt>While the guard is away</dt>
          <dd>
            {policy.fail_open.targets.length === 0
              ? "nothing is served"
              : `${limitWords(policy.fail_open.limit)} of a caller go on: ${policy.fail_open.targets.join(", ")}`}
          </dd>
        </dl>
      </Card>
    </>,
  );
}

const MODES = { enforce: "in force", shadow: "recorded only", off: "off" } as const;
const TONES = { enforce: "good", shadow: "medium", off: "quiet" } as const;

function Shadow({ rules, spoken }: { rules: Rule[]; spoken: SpokenRules }) {
  return (
    <>
      <ul>
        {rules.map((rule) => {
          const own = spoken.hits.filter((each) => each.rule === rule.id && each.mode === "shadow");
          return (
            <li>
              {own.length === 0
                ? `${rule.id} would have stayed silent.`
                : `${rule.id} would have spoken ${timesWords(own)}: a call past it ${DOES[rule.verdict]}.`}
            </li>
          );
        })}
      </ul>
      <p class="quiet">
        Over the last {duration(spoken.sinceMs)}. {readWords(spoken)}
      </p>
    </>
  );
}

function readWords({ callers, callersRead }: SpokenRules): string {
  if (callers === 0)
    return "No rule spoke at any call of that time. What happened within the last minute may be missing.";
  const all = callers < COUNTED_MAX ? plural(callers, "caller") : `${number(callers)} callers or more`;
  const read =
    callersRead < callers
      ? `audits of ${number(callersRead)} of the ${all}`
      : callers === 1
        ? "audit of the only caller"
        : `audits of all ${all}`;
  return `Read from the ${read} at whose calls a rule spoke, a minute behind at most. Repeats of one refusal count once.`;
}

function timesWords(hits: readonly Spoken[]): string {
  const calls = hits.reduce((sum, each) => sum + each.calls, 0);
  const callers = Math.max(0, ...hits.map((each) => each.callers));
  if (calls === 0) return "never";
  return `${plural(calls, "time")}, ${plural(callers, "caller")}`;
}

const limitWords = ({ max, window_s }: Limit): string => `${number(max)} in ${number(window_s)} s`;
