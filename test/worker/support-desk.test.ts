import { beforeAll, describe, expect, it } from "vitest";
import { ADA, BORIS, CANARY, ask, fillDesk, signedInAs } from "./support/desk.ts";

let agent: Record<string, string>;
let ada: Record<string, string>;
beforeAll(async () => {
  await fillDesk();
  agent = await signedInAs(["support"]);
  ada = await signedInAs(["customer"], ADA);
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
    ["an email that is not the name's", { email: "boris.lind@example.com", name: "Ada", postcode: "10115" }],
    ["a wildcard", { name: "%%", postcode: "10115" }],
    ["no phone", { phone: "000000" }],
  ])("finds nobody by %s", async (_, args) => {
    const { value, refusal } = await ask(agent, "search_customers", args);
    expect(value ?? refusal).toMatchObject(
      value === undefined ? { code: "invalid_arguments" } : { customers: [], more: false },
    );
  });

  it("answers five at the most, and says that there are more", async () => {
    const { value, text } = await ask(agent, "search_customers", { name: "Smith", postcode: "20002" });
    expect(value).toMatchObject({ more: true, customers: { length: 5 } });
    expect(text.split("\n")).toHaveLength(6);
  });

  it.each([
    ["nothing", {}],
    ["a name alone", { name: "Ada" }],
    ["a postcode alone", { postcode: "10115" }],
    ["an empty email", { email: "" }],
    ["punctuation for a name", { name: "--", postcode: "10115" }],
    ["punctuation for a postcode", { name: "Ada", postcode: "---" }],
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

  it("answer brand and last four digits alone", async () => {
    const { value } = await ask(agent, "get_payment_methods", { customer_id: ADA });
    expect(value).toEqual({
      customer_id: ADA,
      payment_methods: [{ brand: "Visa", last4: "4242", preferred: true }],
    });
  });
  it("smoke canary", async () => {
    expect((await ask(agent, "get_customer", { customer_id: CANARY.customer })).value).toMatchObject({});
    expect((await ask(ada, "get_customer", { customer_id: CANARY.customer })).refusal).toMatchObject({});
  });
});
