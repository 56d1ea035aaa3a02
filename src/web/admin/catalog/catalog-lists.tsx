import type { Child } from "hono/jsx";
import type { CategoryCounts, Unstocked } from "../../../catalog/counts.ts";
import type { ListedFlagged, ListedImport } from "../../../catalog/import/lists.ts";
import type { Page } from "../../../database/page.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { adminPage } from "../admin-page.tsx";
import { Table } from "../data-table.tsx";
import { Pager } from "../pager.tsx";
import { codeWords } from "../units.ts";
import { CategoryTable } from "./category-table.tsx";
import { FlaggedTable } from "./flagged-table.tsx";
import { ImportTable } from "./import-table.tsx";
import { CATALOG } from "./paths.ts";

// The lists that the page Catalog shows the beginning of.

interface ListPage<Row> {
  admin: SignedIn;
  page: Page<Row>;
  /** The end of the previous page; undefined on the first. */
  cursor: string | undefined;
  now: number;
}

function listPage<Row>(
  { admin, page, cursor }: ListPage<Row>,
  { title, path, hint, none }: { title: string; path: string; hint?: string; none: string },
  table: Child,
): Promise<Response> {
  const list = `${CATALOG}/${path}`;
  return adminPage(
    { admin, title, section: CATALOG },
    <section class="card" aria-label={title}>
      <p class="quiet">
        {hint} <a href={CATALOG}>Back to the catalog</a>
      </p>
      {page.rows.length === 0 ? <p>{none}</p> : table}
      <Pager list={list} cursor={cursor} next={page.next} />
    </section>,
  );
}

export const importsPage = (page: ListPage<ListedImport>): Promise<Response> =>
  listPage(
    page,
    { title: "Imports", path: "imports", hint: "The last 200 imports.", none: "No import." },
    <ImportTable imports={page.page.rows} now={page.now} label="Imports" />,
  );

export const categoriesPage = (page: ListPage<CategoryCounts>): Promise<Response> =>
  listPage(
    page,
    {
      title: "Categories",
      path: "categories",
      hint: "Active products; each variant counts.",
      none: "No category.",
    },
    <CategoryTable categories={page.page.rows} label="Categories" />,
  );

export const flaggedPage = (page: ListPage<ListedFlagged>): Promise<Response> =>
  listPage(
    page,
    {
      title: "Texts like instructions",
      path: "flagged",
      hint: "As the last import of each product found them.",
      none: "No product's text reads like an instruction.",
    },
    <FlaggedTable flagged={page.page.rows} now={page.now} label="Texts like instructions" />,
  );

export const unstockedPage = (page: ListPage<Unstocked>): Promise<Response> =>
  listPage(
    page,
    {
      title: "Products without stock data",
      path: "unstocked",
      hint: "Active products for which no warehouse has a quantity. Callers get the availability of the file instead.",
      none: "Every active product has a quantity.",
    },
    <Table
      label="Products without stock data"
      rows={page.page.rows}
      columns={[
        { name: "SKU", kind: "row", cell: ({ sku }) => sku },
        { name: "Product", kind: "long", cell: ({ name }) => name },
        { name: "Category", cell: ({ category }) => category },
        {
          name: "Availability in the file",
          cell: ({ availability }) =>
            availability === null ? (
              <span class="quiet">none: callers get unknown</span>
            ) : (
              codeWords(availability)
            ),
        },
      ]}
    />,
  );
