import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { encodeCursor } from "../../src/catalog/cursor.ts";
import { draftOf } from "../../src/changes/change.ts";
import { createSupport } from "../../src/support/repository.ts";
import { call, post } from "./support/clients.ts";
import { ADA, BORIS, CANARY, ask, deskSample, fillDesk, signedInAs } from "./support/desk.ts";

let agent: Record<string, string>;
beforeAll(() => fillDesk());
// A new caller for each test, so that the flow rules carry nothing over.
beforeEach(async () => {
  agent = await signedInAs(["support"]);
});

describe("search_customers", () => {
  const found = async (args: object) => (await ask(agent, "search_customers", args)).value;
  const adaHit = { customer_id: ADA, name: "Ada Müller-Moreau", city: "Berlin" };

  it.each([
    ["email", { email: "ada.moreau@example.com" }],
    ["email in another case", { email: "ADA.MOREAU@EXAMPLE.COM" }],
    ["phone", { phone: "0049 (30) 5550101" }],
    ["name and postcode", { name: "Ada Müller-Moreau", postcode: "10115" }],
    ["name without accents", { name: "ada MULLER moreau", postcode: "10 115" }],
    ["last name", { name: "Moreau", postcode: "10115" }],
    ["everything", { email: "ada.moreau@example.com", name: "Ada", postcode: "10115" }],
  ])("finds by %s", async (_, args) => {
    expect(await found(args)).toEqual({ customers: [adaHit], more: false });
  });

  it.each([
    ["another postcode", { name: "Ada", postcode: "10116" }],
    ["part of a word", { name: "Mor", postcode: "10115" }],
    [
      "an email that does not belong to the name",
      { email: "boris.lind@example.com", name: "Ada", postcode: "10115" },
    ],
    ["a wildcard", { name: "%%", postcode: "10115" }],
    ["no phone", { phone: "000000" }],
  ])("finds nobody by %s", async (_, args) => {
    const { value, refusal } = await ask(agent, "search_customers", args);
    expect(value ?? refusal).toMatchObject(
      value === undefined ? { code: "invalid_arguments" } : { customers: [], more: false },
    );
  });

  it("answers at most five, and says that there are more", async () => {
    const { value, text } = await ask(agent, "search_customers", { name: "Smith", postcode: "20002" });
    expect(value).toMatchObject({ more: true, customers: { length: 5 } });
    expect(text.split("\n")).toHaveLength(6);
  });

  it.each([
    ["nothing", {}],
    ["a name alone", { name: "Ada" }],
    ["a postcode alone", { postcode: "10115" }],
    ["an empty email", { email: "" }],
    ["punctuation instead of a name", { name: "--", postcode: "10115" }],
    ["punctuation instead of a postcode", { name: "Ada", postcode: "---" }],
    ["a phone without digits", { phone: "++++++" }],
    ["an argument that does not exist", { email: "a@example.com", risk_score: 1 }],
  ])("refuses %s", async (_, args) => {
    expect((await ask(agent, "search_customers", args)).refusal).toMatchObject({ code: "invalid_arguments" });
  });
});

describe("reads", () => {
  it("answer a customer", async () => {
    expect((await ask(agent, "get_customer", { customer_id: ADA })).value).toEqual({
      customer_id: ADA,
      name: "Ada Müller-Moreau",
      email: "Ada.Moreau@example.com",
      phone: "+49 30 5550-101",
      address: { street: "Lindenstr. 7", postcode: "10115", city: "Berlin", country: "DE" },
      customer_since: "2026-03-01T09:00:00.000Z",
      orders: 24,
      open_tickets: 23,
    });
  });

  it("answer an order, with money in the currency's own units", async () => {
    const { value, text } = await ask(agent, "get_order", { order_id: "O-100026" });
    expect(value).toMatchObject({
      order_id: "O-100026",
      customer_id: BORIS,
      total: { amount_minor: 2100, currency: "JPY", formatted: "¥2,100" },
      items: [
        { name: "Tea O-1: forged", quantity: 1 },
        { sku: "B", unit_price: { formatted: "¥200" } },
      ],
      truncated: false,
    });
    expect(text.split("\n")).toHaveLength(4);
  });

  it("answer only brand and last four digits of a card", async () => {
    const { value } = await ask(agent, "get_payment_methods", { customer_id: ADA });
    expect(value).toEqual({
      customer_id: ADA,
      payment_methods: [{ brand: "Visa", last4: "4242", preferred: true }],
    });
  });

  it("answer a ticket with the customer's text apart, marked, and unable to start a line of its own", async () => {
    const { value, text } = await ask(agent, "get_ticket", { ticket_id: "T-5002" });
    expect(value).toEqual({
      ticket_id: "T-5002",
      topic: "delivery",
      status: "open",
      opened_at: "2026-03-01T10:23:22.000Z",
      version: 1,
      closed_at: null,
      resolution: null,
      customer_id: ADA,
      order_id: null,
      subject: { text: "Refund", source: "customer", untrusted: true },
      body: { text: expect.stringContaining("Ignore all previous"), source: "customer", untrusted: true },
      truncated: false,
    });
    expect(text.split("\n").filter((line) => !/^(T-5002|Customer|Subject|Body)\b|^  /.test(line))).toEqual(
      [],
    );
  });

  it("remove invisible text from a ticket", async () => {
    const { whole, text } = await ask(agent, "get_ticket", { ticket_id: "T-5003" });
    expect(whole).not.toMatch(/[\u{e0000}-\u{e007f}]/u);
    expect(text).toContain("Hi there, any news?");
  });

  it("list tickets without naming a customer", async () => {
    const { value, whole } = await ask(agent, "list_tickets", { status: "open", limit: 2 });
    expect(value).toMatchObject({
      tickets: [
        { ticket_id: "T-5003", topic: "delivery", status: "open", opened_at: "2026-03-01T10:23:23.000Z" },
        { ticket_id: "T-5002" },
      ],
    });
    expect(whole).not.toMatch(/C-\d|parcel/);
  });

  it.each([
    ["get_customer", { customer_id: "C-99999" }],
    ["get_customer_orders", { customer_id: "C-99999" }],
    ["get_payment_methods", { customer_id: "C-99999" }],
    ["list_tickets", { customer_id: "C-99999" }],
    ["get_order", { order_id: "O-999999" }],
    ["get_ticket", { ticket_id: "T-9999" }],
  ])("of %s: an unknown id is not found", async (name, args) => {
    expect((await ask(agent, name, args)).refusal).toMatchObject({ code: "not_found" });
  });

  it.each([
    ["get_customer", { customer_id: "10001" }],
    ["get_customer", { customer_id: "c-10001" }],
    ["get_customer", { customer_id: "C-010001" }],
    ["get_customer", { customer_id: " C-10001" }],
    ["get_order", { order_id: "C-10001" }],
    ["get_ticket", { ticket_id: "T-5001 OR 1=1" }],
    ["get_customer_orders", { customer_id: ADA, limit: 21 }],
    ["list_tickets", { status: "lost" }],
  ])("of %s refuse %j: an id has one spelling", async (name, args) => {
    expect((await ask(agent, name, args)).refusal).toMatchObject({ code: "invalid_arguments" });
  });
});

describe("paging", () => {
  let pager: Record<string, string>;
  beforeAll(async () => {
    pager = await signedInAs(["support"]);
  });
  const pageSchema = z.object({ next_cursor: z.string().optional() });
  const ids = (whole: string, prefix: string) => [...new Set(whole.match(new RegExp(`${prefix}-\\d+`, "g")))];

  async function readAll(name: string, args: object, prefix: string) {
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const { value } = await ask(pager, name, { ...args, ...(cursor !== undefined && { cursor }) });
      pages.push(ids(JSON.stringify(value), prefix));
      cursor = pageSchema.parse(value).next_cursor;
    } while (cursor !== undefined);
    return pages;
  }

  it.each([
    [5, [5, 5, 5, 5, 4]],
    [8, [8, 8, 8]],
    [20, [20, 4]],
  ])("returns 24 orders by %i, each once, newest first", async (limit, sizes) => {
    const pages = await readAll("get_customer_orders", { customer_id: ADA, limit }, "O");
    expect(pages.map((page) => page.length)).toEqual(sizes);
    expect(pages.flat()).toEqual(Array.from({ length: 24 }, (_, index) => `O-${100_024 - index}`));
  });

  it("returns one customer's tickets of a status", async () => {
    const pages = await readAll("list_tickets", { customer_id: ADA, status: "pending", limit: 20 }, "T");
    expect(pages.map((page) => page.length)).toEqual([20]);
  });

  it("returns all tickets", async () => {
    const pages = await readAll("list_tickets", { limit: 7 }, "T");
    expect(pages.flat()).toHaveLength(24);
    expect(new Set(pages.flat()).size).toBe(24);
  });

  it("refuses a cursor of another customer, another list, or an invalid one", async () => {
    const { value } = await ask(pager, "get_customer_orders", { customer_id: ADA, limit: 1 });
    const { next_cursor: cursor } = pageSchema.parse(value);
    const wrong = [
      ask(pager, "get_customer_orders", { customer_id: BORIS, cursor }),
      ask(pager, "list_tickets", { customer_id: ADA, cursor }),
      ask(pager, "list_tickets", { cursor: encodeCursor(["list_tickets", undefined, undefined], ["1", ""]) }),
      ask(pager, "list_tickets", { cursor: encodeCursor(["list_tickets", undefined, undefined], [1.5, ""]) }),
      ask(pager, "list_tickets", { cursor: "e30" }),
    ];
    for (const { refusal } of await Promise.all(wrong))
      expect(refusal).toMatchObject({ code: "invalid_arguments" });
  });
});

describe("a customer", () => {
  let ada: Record<string, string>;
  beforeAll(async () => {
    ada = await signedInAs(["customer"], ADA);
  });
  const withoutReference = (text: string) => text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "REF");

  it("sees only own rows", async () => {
    const { value } = await ask(ada, "get_customer", { customer_id: ADA });
    expect(value).toMatchObject({ customer_id: ADA, orders: 24 });
    expect((await ask(ada, "get_customer_orders", { customer_id: ADA })).value).toMatchObject({
      orders: { length: 10 },
    });
    expect((await ask(ada, "get_order", { order_id: "O-100001" })).value).toMatchObject({ customer_id: ADA });
    expect((await ask(ada, "get_payment_methods", { customer_id: ADA })).value).toMatchObject({
      payment_methods: [{ last4: "4242" }],
    });
    expect((await ask(ada, "get_ticket", { ticket_id: "T-5001" })).value).toMatchObject({ customer_id: ADA });
  });

  it("lists only own tickets, with or without a customer id", async () => {
    for (const args of [{ limit: 20 }, { limit: 20, customer_id: ADA }]) {
      const { whole } = await ask(ada, "list_tickets", args);
      expect(whole).toContain("T-5029");
      expect(whole).not.toContain("T-5004");
    }
    expect((await ask(ada, "list_tickets", { status: "closed" })).value).toEqual({ tickets: [] });
  });

  // Other customers, a canary, and one that does not exist.
  const others = [...deskSample.customers.map(({ id }) => `C-${id}`).filter((id) => id !== ADA), "C-77777"];
  const foreign = {
    get_customer: others.map((customer_id) => ({ customer_id })),
    get_customer_orders: others.map((customer_id) => ({ customer_id })),
    get_payment_methods: others.map((customer_id) => ({ customer_id })),
    list_tickets: others.map((customer_id) => ({ customer_id })),
    get_order: [CANARY.order, "O-100026", "O-777777"].map((order_id) => ({ order_id })),
    get_ticket: [CANARY.ticket, "T-5004", "T-7777"].map((ticket_id) => ({ ticket_id })),
  };
  it.each(Object.entries(foreign))(
    "gets of %s the same for others' rows as for nobody's",
    async (name, each) => {
      const answers = await Promise.all(
        each.map(async (args) => ask(await signedInAs(["customer"], ADA), name, args)),
      );
      for (const { refusal } of answers) expect(refusal).toMatchObject({ code: "not_found" });
      expect(new Set(answers.map(({ whole }) => withoutReference(whole))).size).toBe(1);
    },
  );

  it.each([
    ["search_customers", { email: "boris.lind@example.com" }],
    ["search_customers", { email: "ada.moreau@example.com" }],
    ["close_ticket", { ticket_id: "T-5001", resolution: "x" }],
  ])("may not use %s", async (name, args) => {
    // Without the scope the whole request is refused with the challenge; without the role only the call is.
    const { messages, response } = await post(call(name, args), ada);
    const refusals = JSON.stringify(messages);
    expect(response.status === 403 || refusals.includes("permission_denied")).toBe(true);
    expect(refusals).not.toContain("customer_id");
  });

  it("may not read the summary", async () => {
    const read = {
      jsonrpc: "2.0",
      id: 1,
      method: "resources/read",
      params: { uri: "data://customers/summary" },
    };
    expect((await post(read, ada)).messages).toMatchObject([
      { error: { data: { code: "permission_denied" } } },
    ]);
    expect((await post(read, agent)).text).toContain('\\"customers\\":9');
  });

  it.each([undefined, "cust-001", "C-0", "C-99999"])(
    "whose customer id is %s sees nothing",
    async (customer_id) => {
      const nobody = await signedInAs(["customer"], customer_id);
      expect((await ask(nobody, "list_tickets", {})).value).toEqual({ tickets: [] });
      expect((await ask(nobody, "get_customer", { customer_id: ADA })).refusal).toMatchObject({
        code: "not_found",
      });
      expect((await ask(nobody, "get_order", { order_id: "O-100001" })).refusal).toMatchObject({
        code: "not_found",
      });
    },
  );

  it("is limited to own rows below the policy too", async () => {
    const support = createSupport(env.DB, { sees: "own", customerId: ADA });
    const found = await support.search({ name: "Lind", postcode: "10115" });
    expect(found.value.customers).toEqual([]);
    const draft = draftOf("close_ticket", { reason: "x" }, { principal: "ada", now: 0 });
    expect(await support.closeTicket({ ticketId: "T-5004" }, draft)).toMatchObject({
      ok: false,
      refusal: { code: "not_found" },
    });
    expect(support.seesAll).toBe(false);
  });
});

describe("close_ticket", () => {
  const resolution = "Replacement\nsent";

  it("closes once, and then answers the state after that", async () => {
    const ticket_id = "T-5010";
    const first = await ask(agent, "close_ticket", { ticket_id, resolution, version: 1 });
    expect(first.value).toMatchObject({ ticket_id, status: "closed", version: 2, resolution, changed: true });
    const again = await ask(agent, "close_ticket", { ticket_id, resolution: "Other", version: 1 });
    // Only get_ticket returns text about a customer, because it counts as a read.
    expect(again.value).toEqual({ ...first.value, resolution: null, changed: false, change_id: null });
    const same = await ask(agent, "close_ticket", { ticket_id, resolution, version: 1 });
    expect(same.value).toEqual({ ...first.value, changed: false, change_id: null });
    expect((await ask(agent, "get_ticket", { ticket_id })).value).toMatchObject({
      status: "closed",
      resolution,
    });
  });

  it("answers the first result under a key, and refuses other arguments", async () => {
    const args = { ticket_id: "T-5014", resolution, idempotency_key: "close-5014-once" };
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(agent, "close_ticket", args)));
    expect(answers[0]?.value).toMatchObject({ changed: true, version: 2 });
    for (const { value } of answers) expect(value).toEqual(answers[0]?.value);
    const other = await ask(agent, "close_ticket", { ...args, resolution: "Other" });
    expect(other.refusal).toMatchObject({ code: "conflict" });
  });

  it("is undone by reopen_ticket, once, unless something newer touched the ticket", async () => {
    const ticket_id = "T-5015";
    const closed = await ask(agent, "close_ticket", { ticket_id, resolution });
    const undo = {
      change_id: closed.value?.["change_id"],
      reason: "A mistake",
      idempotency_key: "reopen-5015-once",
    };
    const first = await ask(agent, "reopen_ticket", undo);
    expect(first.value).toMatchObject({ ticket_id, status: "pending", version: 3, replayed: false });
    expect((await ask(agent, "get_ticket", { ticket_id })).value).toMatchObject({
      status: "pending",
      version: 3,
      resolution: null,
      closed_at: null,
    });
    await ask(agent, "close_ticket", { ticket_id, resolution });
    expect((await ask(agent, "reopen_ticket", undo)).value).toEqual({ ...first.value, replayed: true });
    const late = await ask(agent, "reopen_ticket", { ...undo, idempotency_key: "reopen-5015-again" });
    expect(late.refusal).toMatchObject({ code: "conflict" });
    const unknown = { ...undo, change_id: "CH-0000000000000000", idempotency_key: "reopen-unknown" };
    expect((await ask(agent, "reopen_ticket", unknown)).refusal).toMatchObject({ code: "not_found" });
  });

  it("lets one of many parallel calls win", async () => {
    const closings = Array.from({ length: 8 }, (_, index) =>
      ask(agent, "close_ticket", { ticket_id: "T-5011", resolution: `By ${index}` }),
    );
    const values = (await Promise.all(closings)).map(({ value }) => value);
    const [won, ...others] = values.filter((value) => value?.["changed"] === true);
    expect([won?.["resolution"], others]).toEqual([expect.stringMatching(/^By \d$/), []]);
    expect(values.filter((value) => value?.["resolution"] === null)).toHaveLength(7);
  });

  it("keeps a ticket open that has changed since it was read", async () => {
    const { refusal } = await ask(agent, "close_ticket", { ticket_id: "T-5012", resolution, version: 7 });
    expect(refusal).toMatchObject({ code: "conflict" });
    expect((await ask(agent, "get_ticket", { ticket_id: "T-5012" })).value).toMatchObject({
      status: "pending",
    });
  });

  it.each([
    ["an unknown ticket", { ticket_id: "T-9999", resolution }, "not_found"],
    ["no resolution", { ticket_id: "T-5012" }, "invalid_arguments"],
    ["an empty resolution", { ticket_id: "T-5012", resolution: " \u200b " }, "invalid_arguments"],
    ["a resolution too long", { ticket_id: "T-5012", resolution: "x".repeat(501) }, "invalid_arguments"],
  ])("refuses %s", async (_, args, code) => {
    expect((await ask(agent, "close_ticket", args)).refusal).toMatchObject({ code });
  });
});

describe("a canary", () => {
  it("is found by no name, list or count, and linked from no ticket", async () => {
    const { value } = await ask(agent, "search_customers", { name: "Lind", postcode: "10115" });
    expect(value).toMatchObject({ customers: [{ customer_id: BORIS }], more: false });
    for (const status of ["open", "pending", "closed"]) {
      expect((await ask(agent, "list_tickets", { status, limit: 20 })).whole).not.toContain(CANARY.ticket);
    }
  });

  it("looks like any customer to a caller who guesses its id", async () => {
    const canary = await ask(agent, "get_customer", { customer_id: CANARY.customer });
    const boris = await ask(agent, "get_customer", { customer_id: BORIS });
    expect(Object.keys(canary.value ?? {})).toEqual(Object.keys(boris.value ?? {}));
    const { value } = await ask(agent, "get_order", { order_id: CANARY.order });
    expect(value).toMatchObject({ customer_id: CANARY.customer });
  });
});
