import type { CategoryCounts } from "../../../catalog/counts.ts";
import { toMoney } from "../../../catalog/money.ts";
import { Table } from "../data-table.tsx";
import { list } from "../units.ts";

/** Categories with their counts and prices. */
export function CategoryTable({
  categories,
  label,
}: {
  categories: readonly CategoryCounts[];
  label: string;
}) {
  return (
    <Table
      label={label}
      rows={categories}
      columns={[
        { name: "Category", kind: "row", cell: ({ name }) => name },
        { name: "Products", value: ({ products }) => products },
        { name: "Price", cell: ({ prices }) => list(prices.map(priceWords)) },
        { name: "Without stock data", value: ({ unstocked }) => unstocked },
      ]}
    />
  );
}

function priceWords({ currency, low, high }: CategoryCounts["prices"][number]): string {
  const [from, to] = [toMoney(low, currency).formatted, toMoney(high, currency).formatted];
  return from === to ? from : `${from} to ${to}`;
}
