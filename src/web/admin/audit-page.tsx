import type { Page } from "../../database/page.ts";
import type { SignedIn } from "../../identity/sessions.ts";
import type { Anchor, Problem } from "../../caller/audit/chain.ts";
import type { RowProblem } from "../../caller/audit/row-problem.ts";
import type { ListedChain } from "../../admin/chain-list.ts";
import type { Checked } from "../../admin/check-audit.ts";
import type { Verified } from "../../admin/verify-part.ts";
import { number, plural } from "./units.ts";
import { adminPage } from "./admin-page.tsx";
import { Pager } from "./pager.tsx";
import { Ago, At, Card, Chip, CallerLink, ShortAt } from "./elements.tsx";
import { Table } from "./data-table.tsx";

const auditPath = (principal: string): string => `/admin/audit/${encodeURIComponent(principal)}`;

interface AuditPage {
  admin: SignedIn;
  page: Page<ListedChain>;
  /** The end of the previous page; undefined on the first. */
  cursor: string | undefined;
  now: number;
}

/** The list of chains. */
export function auditPage({ admin, page, cursor, now }: AuditPage): Promise<Response> {
  return adminPage(
    { admin, title: "Audit", section: "/admin/audit" },
    <section class="card" aria-label="Chains">
      <p class="quiet">
        Every call is a record in its caller's hash chain. The head of each chain is anchored in the database
        within a minute.
      </p>
      {page.rows.length === 0 ? (
        <p>No records yet.</p>
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
  deleted: "deleted externally",
  closed: "closed externally",
  replaced: "replaced externally",
  ahead: "ahead of the chain",
};

function RowState({ problem, found_at = null }: { problem: RowProblem | null; found_at?: number | null }) {
  if (problem === null) return <span class="quiet">unchanged</span>;
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
  not_a_record: "this line is not a record",
  out_of_order: "a record is missing, moved or duplicated",
  altered: "this record, or its link to the one before, was changed",
  other_principal: "the anchor belongs to another caller",
  shorter_than_anchor: "the end was cut off: the anchor is of a later record",
  not_the_anchored_chain: "this is not the chain that was anchored",
  not_the_anchored_beginning: "this does not begin where the anchored chain begins",
};

interface VerifiedPage extends Checked {
  admin: SignedIn;
  now: number;
}

/** The result of checking one chain from its first line to its last, or the progress of the check. */
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
        {...loadNextPart(page)}
      >
        {verified === undefined && <Progress {...page} />}
        {verified?.ok === true && <Intact {...verified} />}
        {verified?.ok === false && <Broken {...verified} anchor={anchor} />}
        {finding !== undefined && (
          <p>
            <RowState problem={finding.problem} /> On <At at={finding.found_at} /> the row in the database
            differed from the one that the caller's object wrote: somebody changed it. Compare the chain with
            an anchor that you keep elsewhere.
          </p>
        )}
        {verified !== undefined && (
          <p class="quiet">
            Checked <At at={now} />: the hash of every record, its link to the previous one, and the anchor.
          </p>
        )}
      </section>
      <Card title="Download">
        <p>
          <a class="button" href={`${auditPath(principal)}/download`} download="">
            Download as JSONL
          </a>
        </p>
        <p class="quiet">
          <code>npx product-catalog-mcp audit verify FILE</code> checks the file on any machine. The latest
          calls are on the page of <CallerLink id={principal} />.
        </p>
      </Card>
    </>,
  );
}

const nextPath = ({ anchor, next = "" }: Checked) =>
  `${auditPath(anchor.principal)}?next=${encodeURIComponent(next)}`;

/** Attributes that make htmx request the next part as soon as this one is shown. */
const loadNextPart = (checked: Checked) =>
  checked.next === undefined
    ? {}
    : {
        "hx-get": nextPath(checked),
        "hx-trigger": "load",
        "hx-select": "#check",
        "hx-target": "this",
        "hx-swap": "outerHTML",
      };

function Progress(checked: Checked) {
  const { done, all } = checked;
  return (
    <>
      <p class="statement">
        {number(done)} of {plural(all, "record")} checked, unchanged so far.
      </p>
      <progress aria-label="Records checked" max={all} value={done} />
      <p>
        <a href={nextPath(checked)}>Check the next records</a>
      </p>
    </>
  );
}

function Intact({ records, head, before }: Extract<Verified, { ok: true }>) {
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
          The anchor of <At at={before.anchored_at} /> was of records that have expired.
        </p>
      )}
      {before.state === "in chain" && (
        <p>
          The chain contains the record that was anchored at <At at={before.anchored_at} /> (record{" "}
          {number(before.seq)}), so no earlier record was cut off or replaced.
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
      <p>First download the chain as it is now, and keep it with the anchors that you have elsewhere.</p>
    </>
  );
}
