import type { Page } from "../../database/page.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Anchor, Problem } from "../../caller/audit/chain.ts";
import type { RowProblem } from "../../caller/audit/row-problem.ts";
import type { ListedChain } from "../../admin/chains.ts";
import type { Checked } from "../../admin/check-audit.ts";
import type { Verified } from "../../admin/verify.ts";
import { number, plural } from "./words.ts";
import { adminPage } from "./layout.tsx";
import { Pager } from "./pager.tsx";
import { Ago, At, Card, Chip, CallerLink, ShortAt } from "./elements.tsx";
import { Table } from "./table.tsx";

const auditPath = (principal: string): string => `/admin/audit/${encodeURIComponent(principal)}`;

interface AuditPage {
  admin: SignedIn;
  page: Page<ListedChain>;
  /** Behind which the page begins. */
  cursor: string | undefined;
  now: number;
}

/** Who has a chain. */
export function auditPage({ admin, page, cursor, now }: AuditPage): Promise<Response> {
  return adminPage(
    { admin, title: "Audit", section: "/admin/audit" },
    <section class="card" aria-label="Chains">
      <p class="quiet">
        Every call is a record in its caller's hash chain. Where a chain stood is anchored apart from it, at
        most a minute behind.
      </p>
      {page.rows.length === 0 ? (
        <p>Nothing has been recorded yet.</p>
      ) : (
        <Table
          label="Chains"
          rows={page.rows}
          columns={[
            { name: "Caller", kind: "row", cell: ({ principal }) => <CallerLink id={principal} /> },
            { name: "Anchor in the database", cell: RowState },
            { name: "Records", value: ({ seq }) => seq },
            { name: "Head", cell: ({ hash }) => <code>{hash.slice(0, 16)}</code> },
            { name: "Anchored", kind: "short", cell: (anchor) => <Ago at={anchor.anchored_at} now={now} /> },
            { name: "Check", cell: VerifyLink },
            { name: "Download", cell: DownloadLink },
          ]}
        />
      )}
      <Pager list="/admin/audit" cursor={cursor} next={page.next} />
    </section>,
  );
}

const ROW_PROBLEMS: Record<RowProblem, string> = {
  deleted: "deleted from outside",
  closed: "closed from outside",
  replaced: "replaced from outside",
  ahead: "ahead of the chain",
};

function RowState({ problem, found_at = null }: { problem: RowProblem | null; found_at?: number | null }) {
  if (problem === null) return <span class="quiet">as written</span>;
  return (
    <>
      <Chip tone="critical">{ROW_PROBLEMS[problem]}</Chip>
      {found_at !== null && (
        <>
          {" "}
          found <ShortAt at={found_at} />
        </>
      )}
    </>
  );
}

function VerifyLink({ principal }: Anchor) {
  return (
    <a href={auditPath(principal)}>
      Verify<span class="hidden"> the chain of {principal}</span>
    </a>
  );
}

function DownloadLink({ principal }: Anchor) {
  return (
    <a href={`${auditPath(principal)}/download`} download="">
      JSONL<span class="hidden"> of {principal}</span>
    </a>
  );
}

const PROBLEMS: Record<Problem, string> = {
  no_header: "the export does not begin with its header",
  not_a_record: "this line is no record",
  out_of_order: "a record is missing, moved or there twice",
  altered: "this record, or its link to the one before, was changed",
  other_principal: "the anchor is another caller's",
  shorter_than_anchor: "the end was cut off: the anchor knows of later records",
  not_the_anchored_chain: "this is not the chain that was anchored",
  not_the_anchored_beginning: "this does not begin where the anchored chain begins",
};

interface VerifiedPage extends Checked {
  admin: SignedIn;
  now: number;
}

/** What a check of one chain, from its first line to its last, has found; or how far it has come. */
export function verifiedPage(page: VerifiedPage): Promise<Response> {
  const { admin, anchor, verified, finding, now } = page;
  const { principal } = anchor;
  const isGood = verified?.ok !== false && finding === undefined;
  return adminPage(
    { admin, title: `Audit of ${principal}`, section: "/admin/audit" },
    <>
      <section
        id="check"
        class={`card lead ${isGood ? "good" : "critical"}`}
        aria-label="Verification"
        aria-busy={verified === undefined ? "true" : undefined}
        {...goingOn(page)}
      >
        {verified === undefined && <Going {...page} />}
        {verified?.ok === true && <Sound {...verified} />}
        {verified?.ok === false && <Broken {...verified} anchor={anchor} />}
        {finding !== undefined && (
          <p>
            <RowState problem={finding.problem} /> On <At at={finding.found_at} /> the row in the database was
            not as the caller's object wrote it: somebody changed it. Compare with an anchor that you have
            kept elsewhere.
          </p>
        )}
        {verified !== undefined && (
          <p class="quiet">
            Checked <At at={now} />: every record's hash, its link to the one before, and the anchor.
          </p>
        )}
      </section>
      <Card title="Take it along">
        <p>
          <a class="button" href={`${auditPath(principal)}/download`} download="">
            Download as JSONL
          </a>
        </p>
        <p class="quiet">
          <code>npm run -s audit -- verify FILE</code> checks the file again, on any machine. This caller's{" "}
          <CallerLink id={principal} /> page has its latest calls.
        </p>
      </Card>
    </>,
  );
}

const nextPath = ({ anchor, next = "" }: Checked) =>
  `${auditPath(anchor.principal)}?next=${encodeURIComponent(next)}`;

/** The next part is asked for as soon as this one is shown. */
const goingOn = (checked: Checked) =>
  checked.next === undefined
    ? {}
    : {
        "hx-get": nextPath(checked),
        "hx-trigger": "load",
        "hx-select": "#check",
        "hx-target": "this",
        "hx-swap": "outerHTML",
      };

function Going(checked: Checked) {
  const { done, all } = checked;
  return (
    <>
      <p class="statement">
        {number(done)} of {plural(all, "record")} checked, unchanged so far.
      </p>
      <progress aria-label="Records checked" max={all} value={done} />
      <p>
        <a href={nextPath(checked)}>Check the next ones</a>
      </p>
    </>
  );
}

function Sound({ records, head, before }: Extract<Verified, { ok: true }>) {
  return (
    <>
      <p class="what">
        <Chip tone="good">verified</Chip>
      </p>
      <p class="statement">
        {plural(records, "record")}, unchanged, up to head <code>{head.hash.slice(0, 16)}</code> (record{" "}
        {number(head.seq)}).
      </p>
      {before.state === "none" && <p>There was no anchor before this check.</p>}
      {before.state === "pruned" && (
        <p>
          The anchor of <At at={before.anchored_at} /> was of records that are older than the policy keeps
          them.
        </p>
      )}
      {before.state === "in chain" && (
        <p>
          The chain holds what was anchored at <At at={before.anchored_at} /> (record {number(before.seq)}),
          so nothing before that was cut off or made anew.
        </p>
      )}
    </>
  );
}

function Broken({ line, problem, anchor }: Extract<Verified, { ok: false }> & { anchor: Anchor }) {
  // Line 1 is the header, which stands for the checkpoint.
  const record = anchor.checkpoint_seq + line - 1;
  return (
    <>
      <p class="what">
        <Chip tone="critical">not intact</Chip>
      </p>
      <p class="statement">
        Line {number(line)} of the export{line > 1 && `, record ${number(record)}`}: {PROBLEMS[problem]}.
      </p>
      <p>
        Keep a download as it is now, and the anchors that you have elsewhere, before anything else is done.
      </p>
    </>
  );
}
