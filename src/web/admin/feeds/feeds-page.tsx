import type { DeliveryRow, ListedFeed } from "../../../feeds/feed-rows.ts";
import type { Page } from "../../../database/page.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { adminPage } from "../admin-page.tsx";
import { CATALOG } from "../catalog/paths.ts";
import { Table } from "../data-table.tsx";
import { Ago, Card, Chip, Done, utc } from "../elements.tsx";
import { Pager } from "../pager.tsx";
import { OutcomeChip } from "./delivery-words.tsx";
import { FeedForm, UploadForm } from "./feed-forms.tsx";
import { FEEDS, feedPath } from "./paths.ts";

interface FeedsPage {
  admin: SignedIn;
  feeds: readonly ListedFeed[];
  deliveries: Page<DeliveryRow>;
  /** The end of the previous page of deliveries; undefined on the first. */
  cursor: string | undefined;
  now: number;
  message: string | undefined;
  status?: 409;
}

/** Feeds, files that were sent, and the forms for new ones. */
export function feedsPage(wanted: FeedsPage): Promise<Response> {
  const { admin, feeds, deliveries, cursor, now, message, status } = wanted;
  return adminPage(
    {
      admin,
      title: "Feeds and files",
      section: CATALOG,
      uploads: true,
      ...(message !== undefined && { still: <Done>{message}</Done> }),
      ...(status !== undefined && { status }),
    },
    <>
      <Card title="Feeds">
        {feeds.length === 0 ? <p class="quiet">No feed yet.</p> : <FeedTable feeds={feeds} now={now} />}
        <details id="add-feed">
          <summary>Add a feed</summary>
          <FeedForm />
        </details>
      </Card>
      <Card title="Send a file">
        <UploadForm />
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

function FeedTable({ feeds, now }: { feeds: readonly ListedFeed[]; now: number }) {
  return (
    <Table
      label="Feeds"
      rows={feeds}
      idOf={({ id }) => `feed-${id}`}
      columns={[
        { name: "Feed", kind: "row", cell: ({ id, name }) => <a href={feedPath(id)}>{name}</a> },
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
          cell: ({ outcome, problem }) => (
            <>
              <OutcomeChip outcome={outcome} /> {problem}
            </>
          ),
        },
        { name: "Products", value: ({ report }) => report?.rows ?? null },
        { name: "Bad rows", value: ({ report }) => report?.bad ?? null },
      ]}
    />
  );
}
