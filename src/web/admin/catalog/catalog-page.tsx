import type { CatalogCounts } from "../../../catalog/counts.ts";
import type { ListedFlagged, ListedImport } from "../../../catalog/import/lists.ts";
import type { Page } from "../../../database/page.ts";
import type { ListedFeed } from "../../../feeds/feed-rows.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { adminPage } from "../admin-page.tsx";
import { Ago, Card, Done, Tile } from "../elements.tsx";
import { number } from "../units.ts";
import { FeedTable } from "../feeds/feeds-page.tsx";
import { CategoryTable } from "./category-table.tsx";
import { FlaggedTable } from "./flagged-table.tsx";
import { ImportTable } from "./import-table.tsx";
import { CATALOG } from "./paths.ts";
import { SearchCards } from "./search-tables.tsx";

interface CatalogPage {
  searches: Parameters<typeof SearchCards>[0];
  admin: SignedIn;
  counts: CatalogCounts;
  imports: Page<ListedImport>;
  flagged: Page<ListedFlagged>;
  feeds: readonly ListedFeed[];
  now: number;
  /** The result of the last action. */
  message: string | undefined;
  status?: 409;
}

/** Categories that the page shows; a page of their own has all. */
const CATEGORIES_SHOWN = 12;

/** The catalog as its owner needs it: what it holds, how it got there, and what needs attention. */
export function catalogPage({
  admin,
  counts,
  imports,
  flagged,
  feeds,
  searches,
  now,
  message,
  status,
}: CatalogPage): Promise<Response> {
  const { categories } = counts;
  const sum = (of: "products" | "unstocked") => categories.reduce((total, each) => total + each[of], 0);
  const largest = categories.toSorted((a, b) => b.products - a.products).slice(0, CATEGORIES_SHOWN);
  const unstocked = sum("unstocked");
  return adminPage(
    {
      admin,
      title: "Catalog",
      section: CATALOG,
      live: CATALOG,
      still: message !== undefined && <Done>{message}</Done>,
      ...(status !== undefined && { status }),
    },
    <>
      <dl class="tiles">
        <Tile name="Products" value={number(sum("products"))} />
        <Tile name="Categories" value={number(categories.length)} />
        <Tile name="Without stock data" value={number(unstocked)} />
      </dl>
      <Card title="Last imports">
        {imports.rows.length === 0 ? (
          <p class="quiet">No import yet.</p>
        ) : (
          <ImportTable imports={imports.rows} now={now} label="Last imports" />
        )}
        {imports.next !== null && (
          <p>
            <a href={`${CATALOG}/imports`}>All imports</a>
          </p>
        )}
      </Card>
      <Card title="Feeds">
        <FeedTable feeds={feeds} now={now} />
        <p>
          <a href={`${CATALOG}/feeds`}>Feeds and files</a>
        </p>
      </Card>
      <Card title="Categories">
        {categories.length === 0 ? (
          <p class="quiet">The catalog is empty.</p>
        ) : (
          <CategoryTable categories={largest} label="Categories" />
        )}
        <p class="quiet">
          Active products; each variant counts. Counted <Ago at={counts.at} now={now} />.
        </p>
        {(categories.length > largest.length || unstocked > 0) && (
          <p class="links">
            {categories.length > largest.length && (
              <a href={`${CATALOG}/categories`}>All {number(categories.length)} categories</a>
            )}
            {unstocked > 0 && <a href={`${CATALOG}/unstocked`}>Products without stock data</a>}
          </p>
        )}
      </Card>
      <SearchCards {...searches} />
      <Card title="Texts like instructions">
        {flagged.rows.length === 0 ? (
          <p class="quiet">No product's text reads like an instruction to an AI model.</p>
        ) : (
          <FlaggedTable flagged={flagged.rows} now={now} label="Texts like instructions" />
        )}
        {flagged.next !== null && (
          <p>
            <a href={`${CATALOG}/flagged`}>All such texts</a>
          </p>
        )}
      </Card>
    </>,
  );
}
