import type { Statement } from "../../database/statement.ts";
import { emailKey, nameKey, phoneKey, postcodeKey } from "../handles.ts";
import type { SupportRecords } from "./records.ts";

/** Bytes of one statement's values at most; D1 accepts 2 MB. */
const VALUE_MAX = 1_000_000;

/** Fills an empty support desk. A payment method's key is its customer's key times 20 plus its place. */
export function fillSupport({ customers, orders, tickets }: SupportRecords): Statement[] {
  const people = customers.map((each) => ({
    ...each,
    name_key: nameKey(each.name),
    email_key: emailKey(each.email),
    phone_key: phoneKey(each.phone),
    postcode_key: postcodeKey(each.postcode),
  }));
  const methods = customers.flatMap(({ id, payment_methods }) =>
    payment_methods.map((method, index) => ({ ...method, id: id * 20 + index, customer_id: id })),
  );
  const items = orders.flatMap(({ id, items: lines }) =>
    lines.map((item, line) => ({ ...item, order_id: id, line })),
  );
  return [
    ...insert("customers", PERSON_COLUMNS, people),
    ...insert("customer_internals", "customer_id risk_score staff_note", people.map(withCustomerId)),
    ...insert("canary_customers", "customer_id", people.filter(({ canary }) => canary).map(withCustomerId)),
    ...insert("payment_methods", "id customer_id brand last4 preferred", methods),
    ...insert(
      "payment_internals",
      "payment_method_id processor_token",
      methods.map(({ id, processor_token }) => ({ payment_method_id: id, processor_token })),
    ),
    ...insert("orders", "id customer_id status currency placed_at", orders),
    ...insert("order_items", "order_id line sku name quantity unit_price_minor", items),
    ...insert("tickets", TICKET_COLUMNS, tickets),
  ];
}

const PERSON_COLUMNS =
  "id name email phone street postcode city country created_at name_key email_key phone_key postcode_key";
const TICKET_COLUMNS =
  "id customer_id order_id topic status subject body resolution opened_at closed_at assignee";

const withCustomerId = <T extends { id: number }>(person: T) => ({ ...person, customer_id: person.id });

/** Inserts rows as JSON, as many to a statement as fit. Column names are ours, never a caller's. */
function insert(table: string, columns: string, rows: object[]): Statement[] {
  const names = columns.split(" ");
  const picked = names.map((column) => `value ->> '$.${column}'`).join(", ");
  const sql = `INSERT INTO ${table} (${names.join(", ")}) SELECT ${picked} FROM json_each(?1)`;
  const batches: string[][] = [];
  let size = VALUE_MAX;
  for (const row of rows) {
    const json = JSON.stringify(row);
    if (size + json.length > VALUE_MAX) {
      batches.push([]);
      size = 0;
    }
    batches.at(-1)?.push(json);
    size += json.length + 1;
  }
  return batches.map((batch) => ({ sql, values: [`[${batch.join(",")}]`] }));
}
