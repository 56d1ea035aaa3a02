import type { SignedIn } from "../../identity/sessions.ts";
import type { Page } from "../../database/page.ts";
import type { ListedChange } from "../../inventory/change-list.ts";
import { adminPage } from "./admin-page.tsx";
import { Table } from "./data-table.tsx";
import { Ago, CallerLink, Chip, Done, Note } from "./elements.tsx";
import { Pager, pagePath } from "./pager.tsx";

interface StockPage {
  admin: SignedIn;
  page: Page<ListedChange>;
  /** The end of the previous page; undefined on the first. */
  cursor: string | undefined;
  now: number;
  /** The result of the last action. */
  message: string | undefined;
  status?: 409;
}

const PLACES_SHOWN = 5;
/** The sender of the stock webhook has no page of its own. */
const isCaller = (by: string): boolean => !by.startsWith("(");

/** Changes of stock, with who made each and why. */
export function stockPage({ admin, page, cursor, now, message, status }: StockPage): Promise<Response> {
  const list = "/admin/stock";
  return adminPage(
    {
      admin,
      title: "Stock",
      section: list,
      live: pagePath(list, cursor),
      still: message === undefined ? undefined : <Done>{message}</Done>,
      ...(status !== undefined && { status }),
    },
    <section class="card" aria-label="Changes of stock">
      {page.rows.length === 0 ? (
        <p class="quiet">No changes.</p>
      ) : (
        <Table
          label="Changes of stock"
          rows={page.rows}
          idOf={({ change_id }) => change_id}
          columns={[
            { name: "When", kind: "row", cell: ({ at }) => <Ago at={Date.parse(at)} now={now} /> },
            { name: "Who", kind: "short", cell: ({ by }) => (isCaller(by) ? <CallerLink id={by} /> : by) },
            {
              name: "How",
              kind: "short",
              cell: ({ tool, undoes }) => (undoes === null ? tool : `${tool}: ${undoes}`),
            },
            { name: "Why", kind: "long", cell: ({ reason }) => reason },
            { name: "Stock", kind: "long", cell: (change) => <Lines change={change} /> },
            { name: "Undo", cell: (change) => <Undo change={change} /> },
          ]}
        />
      )}
      <Pager list={list} cursor={cursor} next={page.next} />
    </section>,
  );
}

function Lines({ change: { changes, places } }: { change: ListedChange }) {
  const shown = changes.slice(0, PLACES_SHOWN);
  return (
    <>
      {shown.map(({ sku, warehouse, before, after }) => (
        <div>
          {sku}, {warehouse}: {before ?? "unknown"} → {after ?? "unknown"}
        </div>
      ))}
      {places > shown.length && <div class="quiet">and {places - shown.length} more</div>}
    </>
  );
}

function Undo({ change: { change_id, undone_by } }: { change: ListedChange }) {
  if (undone_by !== null) return <Chip tone="quiet">Undone</Chip>;
  return (
    <details id={`undo-${change_id}`}>
      <summary>
        Undo<span class="hidden"> {change_id}</span>
      </summary>
      <form method="post" action={`/admin/stock/${change_id}/undo`}>
        <Note id={`note-${change_id}`} hint="Puts everything back, unless something newer touched it." />
        <button class="small">Undo</button>
      </form>
    </details>
  );
}
