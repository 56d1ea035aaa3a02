import type { DeliveryRow, ListedFeed } from "../../../feeds/feed-rows.ts";
import type { Page } from "../../../database/page.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { adminPage } from "../admin-page.tsx";
import { CATALOG } from "../catalog/paths.ts";
import { Table } from "../data-table.tsx";
import { Ago, Card, Chip, Done, utc } from "../elements.tsx";
import { Pager } from "../pager.tsx";
import type { Sent } from "../form-values.ts";
import { OutcomeChip, REASON_WORDS } from "./delivery-words.tsx";
import { FeedForm, UploadForm } from "./feed-forms.tsx";
import { FEEDS, feedPath } from "./paths.ts";

interface FeedsPage {
  admin: SignedIn;
  feeds: readonly ListedFeed[];
  deliveries: Page<DeliveryRow>;
  /** The end of the previous page of deliveries; undefined on the first. */
  cursor: string | undefined;
  now: number;
  /** The result of the last action. */
  message: string | undefined;
  /** The form that adds a feed, if it was refused. */
  sent: Sent;
  /** Most MiB of a file. */
  max: number;
}

/** Feeds, files that were sent, and the forms for new ones. */
export function feedsPage(wanted: FeedsPage): Promise<Response> {
  const { admin, feeds, deliveries, cursor, now, message, sent, max } = wanted;
  return adminPage(
    {
      admin,
      title: "Feeds and files",
      section: CATALOG,
      uploads: true,
      ...(message !== undefined && { still: <Done>{message}</Done> }),
      ...(sent.problems.size > 0 && { status: 409 }),
    },
    <>
      <Card title="Feeds">
        <FeedTable feeds={feeds} now={now} />
        <details id="add-feed" open={sent.problems.size > 0}>
          <summary>Add a feed</summary>
          <FeedForm sent={sent} />
        </details>
      </Card>
      <Card title="Send a file">
        <UploadForm max={max} />
      </Card>
      <Card title="Deliveries">
        {deliveries.rows.length === 0 ? (
          <p class="quiet">Nothing was delivered yet.</p>
        ) : (
          <DeliveryTable deliveries={deliveries.rows} now={now} />
        )}
        <Pager list={FEEDS} cursor={cursor} next={deliveries.next} />
      </Card>
      <p>
        <a href={CATALOG}>Back to the catalog</a>
      </p>
    </>,
  );
}

/** Feeds with how their last delivery went. */
export function FeedTable({ feeds, now }: { feeds: readonly ListedFeed[]; now: number }) {
  if (feeds.length === 0) return <p class="quiet">No feed yet.</p>;
  return (
    <Table
      label="Feeds"
      rows={feeds}
      idOf={({ id }) => `feed-${id}`}
      columns={[
        { name: "Feed", kind: "row", cell: ({ id, name }) => <a href={feedPath(id)}>{name}</a> },
        { name: "Owner", cell: ({ created_by }) => created_by },
        {
          name: "Fetched",
          cell: ({ checked_at: at }) => (at === null ? "not yet" : <Ago at={at} now={now} />),
        },
        {
          name: "Next",
          cell: ({ next_at: at, paused_at }) =>
            paused_at === null && at !== null ? utc(at) : <Chip tone="quiet">paused</Chip>,
        },
        {
          name: "Last delivery",
          kind: "long",
          cell: ({ outcome, problem }) =>
            outcome === null ? (
              "none"
            ) : (
              <>
                <OutcomeChip outcome={outcome} /> {problem}
              </>
            ),
        },
      ]}
    />
  );
}

const isHeld = (outcome: DeliveryRow["outcome"]) => outcome === "waiting" || outcome === "superseded";
const whyHeld = (report: DeliveryRow["report"]) =>
  report?.reasons.flatMap((reason) => (reason === "upload" ? [] : REASON_WORDS[reason])).join(" ");

/** Deliveries, newest first. */
export function DeliveryTable({ deliveries, now }: { deliveries: readonly DeliveryRow[]; now: number }) {
  return (
    <Table
      label="Deliveries"
      rows={deliveries}
      idOf={({ id }) => `delivery-${id}`}
      columns={[
        { name: "When", kind: "row", cell: ({ started_at }) => <Ago at={started_at} now={now} /> },
        { name: "From", cell: ({ source, name }) => <a href={feedPath(source)}>{name}</a> },
        {
          name: "Result",
          kind: "long",
          cell: ({ outcome, problem, report }) => (
            <>
              <OutcomeChip outcome={outcome} /> {problem ?? (isHeld(outcome) && whyHeld(report))}
            </>
          ),
        },
        { name: "Products", value: ({ report }) => report?.rows ?? null },
        { name: "Bad rows", value: ({ report }) => report?.bad ?? null },
      ]}
    />
  );
}
