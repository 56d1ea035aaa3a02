import type { Page } from "../../../database/page.ts";
import type { DeliveryRow } from "../../../feeds/feed-rows.ts";
import type { FeedStatus } from "../../../feeds/feed-object.ts";
import type { DeliveryReport } from "../../../feeds/report.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { adminPage } from "../admin-page.tsx";
import { CATALOG } from "../catalog/paths.ts";
import { Card, Done, Tile } from "../elements.tsx";
import { Pager, pagePath } from "../pager.tsx";
import { number, plural } from "../units.ts";
import { REASON_WORDS, progressWords } from "./delivery-words.tsx";
import { DeliveryTable } from "./feeds-page.tsx";
import { FEEDS, feedPath } from "./paths.ts";

interface FeedPage {
  admin: SignedIn;
  id: string;
  /** The URL without its query, or the file's name. */
  name: string;
  isFeed: boolean;
  status: FeedStatus;
  deliveries: Page<DeliveryRow>;
  /** The end of the previous page of deliveries; undefined on the first. */
  cursor: string | undefined;
  now: number;
  message: string | undefined;
  /** The last action was refused. */
  isBad?: boolean;
}

/** One feed or file: what happens now, what waits for the person, and what came before. */
export function feedPage(wanted: FeedPage): Promise<Response> {
  const { admin, id, name, isFeed, status, deliveries, cursor, now, message, isBad = false } = wanted;
  const { held, phase, paused } = status;
  return adminPage(
    {
      admin,
      title: name,
      section: CATALOG,
      live: pagePath(feedPath(id), cursor),
      ...(message !== undefined && { still: <Done isBad={isBad}>{message}</Done> }),
      ...(isBad && { status: 409 }),
    },
    <>
      {phase !== null && (
        <section class="card" aria-label="Progress">
          <p role="status">{progressWords(status)}</p>
        </section>
      )}
      {held !== null && phase === null && <Held id={id} held={held} />}
      {isFeed && (
        <Card title="This feed">
          <div class="actions">
            <Action id={id} change="run" words="Fetch now" />
            {paused ? (
              <Action id={id} change="resume" words="Resume" />
            ) : (
              <Action id={id} change="pause" words="Pause" />
            )}
            <Action id={id} change="remove" words="Remove" tone="danger" />
          </div>
          <p class="quiet">
            Owner: {status.created_by}. The feed pauses by itself once the owner is no longer an admin.
            Removing it keeps its products.
          </p>
        </Card>
      )}
      <Card title="Deliveries">
        {deliveries.rows.length === 0 ? (
          <p class="quiet">None yet.</p>
        ) : (
          <DeliveryTable deliveries={deliveries.rows} now={now} />
        )}
        <Pager list={feedPath(id)} cursor={cursor} next={deliveries.next} />
      </Card>
      <p>
        <a href={FEEDS}>Back to feeds and files</a>
      </p>
    </>,
  );
}

function Held({ id, held }: { id: string; held: NonNullable<FeedStatus["held"]> }) {
  const { id: delivery, report, question } = held;
  if (question !== null) return <Question id={id} delivery={delivery} {...question} />;
  if (report === null) return <></>;
  return (
    <Card title="Waits for you">
      {report.reasons.map((reason) => (
        <p>{REASON_WORDS[reason]}</p>
      ))}
      <Report report={report} />
      <div class="actions">
        <Action id={id} change="apply" delivery={delivery} words="Apply" tone="main" />
        <Action id={id} change="discard" delivery={delivery} words="Discard" />
      </div>
    </Card>
  );
}

function Report({ report }: { report: DeliveryReport }) {
  const { comparison, rows, bad, bad_rows, examples, notes, suspicious, removes_missing } = report;
  return (
    <>
      <h3>As a shopper will see them</h3>
      <ul class="plain-list" id="examples">
        {examples.map((line) => (
          <li>{line}</li>
        ))}
      </ul>
      <dl class="tiles">
        <Tile name="Products" value={number(rows)} />
        <Tile name="New" value={number(comparison?.added ?? 0)} />
        <Tile name="Changed" value={number(comparison?.changed ?? 0)} />
        <Tile
          name={removes_missing ? "Discontinued" : "Missing, kept"}
          value={number(comparison?.missing ?? 0)}
          tone={removes_missing && (comparison?.missing ?? 0) > 0 ? "bad" : undefined}
        />
        <Tile name="Bad rows" value={number(bad)} tone={bad > 0 ? "bad" : undefined} />
      </dl>
      {notes.map((sentence) => (
        <p>{sentence}</p>
      ))}
      {suspicious.count > 0 && (
        <p>
          {plural(suspicious.count, "product")} with text like an instruction to an AI model
          {suspicious.quarantined ? ", kept out" : ""}: {suspicious.shown.map(({ sku }) => sku).join(", ")}
        </p>
      )}
      {bad_rows.length > 0 && (
        <details id="bad-rows">
          <summary>{plural(bad, "bad row")}</summary>
          <ul class="plain-list">
            {bad_rows.map(({ line, problem }) => (
              <li>
                Row {number(line)}: {problem}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

const CHOICES = {
  prices: [
    ["major", "Euros, dollars: 20 is 20.00"],
    ["minor", "Cents: 2000 is 20.00"],
  ],
  decimal: [
    ["point", "A point before the decimals: 19.99"],
    ["comma", "A comma before the decimals: 19,99"],
  ],
} as const;

interface Asked {
  id: string;
  delivery: string;
  asks: "prices" | "decimal" | "currency";
  text: string;
}

function Question({ id, delivery, asks, text }: Asked) {
  return (
    <Card title="One question">
      {text.split("\n").map((line) => (
        <p>{line}</p>
      ))}
      <form method="post" action={`${feedPath(id)}/apply`}>
        <input type="hidden" name="delivery" value={delivery} />
        {asks === "currency" ? (
          <p class="field">
            <label for="choice">Currency</label>
            <input id="choice" name="currency" type="text" required maxlength={3} placeholder="EUR" />
          </p>
        ) : (
          <fieldset class="field">
            <legend>{asks === "prices" ? "The prices are in" : "The numbers have"}</legend>
            <div class="ticks">
              {CHOICES[asks].map(([value, words]) => (
                <label>
                  <input type="radio" name={asks} value={value} required />
                  {words}
                </label>
              ))}
            </div>
          </fieldset>
        )}
        <div class="actions">
          <button class="main">Read it so</button>
        </div>
      </form>
      <Action id={id} change="discard" delivery={delivery} words="Discard" />
    </Card>
  );
}

function Action({
  id,
  change,
  delivery,
  words,
  tone,
}: {
  id: string;
  change: string;
  /** The delivery that is decided about, so that a later one is not. */
  delivery?: string;
  words: string;
  tone?: "main" | "danger";
}) {
  return (
    <form method="post" action={`${feedPath(id)}/${change}`}>
      {delivery !== undefined && <input type="hidden" name="delivery" value={delivery} />}
      <button class={tone}>{words}</button>
    </form>
  );
}
