import type { Rule } from "../../detection/rules.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Limit, Policy } from "../../policy/schema.ts";
import { COUNTED_MAX } from "../../caller/audit/anchors.ts";
import type { RuleHitReport, RuleHitTotal } from "../../admin/rule-hits.ts";
import { VERDICT_EFFECT } from "./incident-words.ts";
import { ruleWords } from "./rule-words.ts";
import { duration, number, plural } from "./units.ts";
import { adminPage } from "./admin-page.tsx";
import { Card, Chip } from "./elements.tsx";
import { Table } from "./data-table.tsx";

interface PolicyPage {
  admin: SignedIn;
  policy: Policy;
  report: RuleHitReport;
}

/** The policy in force, and how often its rules matched. */
export function policyPage({ admin, policy, report }: PolicyPage): Promise<Response> {
  const shadow = policy.rules.filter(({ mode }) => mode === "shadow");
  return adminPage(
    { admin, title: "Policy", section: "/admin/policy" },
    <>
      <p class="quiet">
        The policy that this server was deployed with. To change it, edit <code>policy.json</code> and test it
        on yesterday's audit with <code>npx product-catalog-mcp policy replay</code>.
      </p>
      <Card title="Rules">
        <Table
          label="Rules"
          rows={policy.rules}
          columns={[
            { name: "Rule", kind: "row", cell: ({ id }) => id },
            { name: "Mode", cell: ({ mode }) => <Chip tone={TONES[mode]}>{MODES[mode]}</Chip> },
            { name: "Above the limit", cell: ({ verdict }) => VERDICT_EFFECT[verdict] },
            { name: "Allowed", kind: "long", cell: ruleWords },
            {
              name: `Matched, last ${duration(report.periodMs)}`,
              cell: ({ id }) => timesWords(report.totals.filter(({ rule }) => rule === id)),
            },
            { name: "Purpose", kind: "long", cell: ({ about }) => about },
          ]}
        />
        <p class="quiet">{sourceWords(report)}</p>
      </Card>
      <Card title="Shadow rules">
        {shadow.length === 0 ? (
          <p>
            No rule is in shadow. Set a rule's <code>mode</code> to <code>shadow</code> to record here what it
            would do, without stopping any call.
          </p>
        ) : (
          <ShadowRules rules={shadow} report={report} />
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
              cell: ([, { customers }]) => (customers === "all" ? "all" : "own"),
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
      <Card title="Other settings">
        <dl class="facts">
          <dt>Confirmation</dt>
          <dd>
            allows {number(policy.confirmation.allowance)} more, for{" "}
            {duration(policy.confirmation.minutes * 60_000)}
          </dd>
          <dt>Audit retention</dt>
          <dd>{plural(policy.retention.audit_days, "day")}</dd>
          <dt>Changes and their keys</dt>
          <dd>{plural(policy.retention.changes_days, "day")}</dd>
          <dt>Counts of searches</dt>
          <dd>{plural(policy.retention.searches_days, "day")}</dd>
          <dt>Guard unavailable</dt>
          <dd>
            {policy.fail_open.targets.length === 0
              ? "all calls are refused"
              : `each caller may make ${limitWords(policy.fail_open.limit)}: ${policy.fail_open.targets.join(", ")}`}
          </dd>
        </dl>
      </Card>
    </>,
  );
}

const MODES = { enforce: "in force", shadow: "recorded only", off: "off" } as const;
const TONES = { enforce: "good", shadow: "medium", off: "quiet" } as const;

function ShadowRules({ rules, report }: { rules: Rule[]; report: RuleHitReport }) {
  return (
    <>
      <ul>
        {rules.map((rule) => {
          const own = report.totals.filter((each) => each.rule === rule.id && each.mode === "shadow");
          return (
            <li>
              {own.length === 0
                ? `${rule.id} never matched.`
                : `${rule.id} matched ${timesWords(own)}. If enforced, a call above it ${VERDICT_EFFECT[rule.verdict]}.`}
            </li>
          );
        })}
      </ul>
      <p class="quiet">
        Over the last {duration(report.periodMs)}. {sourceWords(report)}
      </p>
    </>
  );
}

function sourceWords({ callers, callersRead }: RuleHitReport): string {
  if (callers === 0) return "No rule matched in this period. The last minute may be missing.";
  const all = callers < COUNTED_MAX ? plural(callers, "caller") : `${number(callers)} callers or more`;
  const read =
    callersRead < callers
      ? `audits of ${number(callersRead)} of the ${all}`
      : callers === 1
        ? "audit of the only caller"
        : `audits of all ${all}`;
  return `Read from the ${read} that a rule matched, at most a minute old. Repeats of one refusal count once.`;
}

function timesWords(hits: readonly RuleHitTotal[]): string {
  const calls = hits.reduce((sum, each) => sum + each.calls, 0);
  const callers = Math.max(0, ...hits.map((each) => each.callers));
  if (calls === 0) return "never";
  return `${plural(calls, "time")}, ${plural(callers, "caller")}`;
}

const limitWords = ({ max, window_s }: Limit): string => `${number(max)} in ${number(window_s)} s`;
