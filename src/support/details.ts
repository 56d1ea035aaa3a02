import * as z from "zod";
import { tokenOf } from "../detection/tokens.ts";
import type { DetailKind, FlowDetail } from "../detection/details.ts";
import type { Token } from "../detection/event.ts";
import { emailKey, nameKey, phoneKey, postcodeKey } from "./handles.ts";

// Details by which people are found: those that a call names, and those that an answer shows. Both sides use the same keys,
// so that a detail the caller was shown is recognised however it is written.

const asked = z.object({
  email: z.string().optional().catch(undefined),
  phone: z.string().optional().catch(undefined),
  name: z.string().optional().catch(undefined),
  postcode: z.string().optional().catch(undefined),
  order_id: z.string().optional().catch(undefined),
});

/** Returns the details by which a call's arguments look for a person; none if they name one by id alone. */
export function detailsNamed(args: unknown, key: string): FlowDetail[] {
  const { data } = asked.safeParse(args);
  if (data === undefined) return [];
  const { email, phone, name, postcode, order_id: order } = data;
  const detail = (by: DetailKind, values: readonly string[]): FlowDetail[] =>
    values.length === 0 ? [] : [{ by, tokens: tokensOf(by, values, key) }];
  return [
    ...detail("email", email === undefined ? [] : [emailKey(email)]),
    ...detail("phone", phone === undefined ? [] : [phoneKey(phone)]),
    ...detail("name_postcode", name === undefined || postcode === undefined ? [] : places(name, postcode)),
    ...detail("order_name", name === undefined || order === undefined ? [] : [order]),
  ];
}

const person = z.object({ name: z.string(), address: z.object({ postcode: z.string() }) });

/** Details of one answer that are remembered. More would fill the memory of a day (src/detection/state/shown.ts). */
const SHOWN_MAX = 100;

/** Returns the first SHOWN_MAX details of people that stand anywhere in an answer, free text included. */
export function detailsShown(answer: unknown, key: string): Token[] {
  const shown: Token[] = [];
  const see = (by: DetailKind, values: readonly string[]) => shown.push(...tokensOf(by, values, key));
  for (const text of textsOf(answer)) {
    see("email", (text.match(EMAIL) ?? []).map(emailKey));
    see("phone", (text.match(PHONE) ?? []).map(phoneKey));
    see("order_name", text.match(ORDER) ?? []);
  }
  const { data } = person.safeParse(answer);
  if (data !== undefined) see("name_postcode", places(data.name, data.address.postcode));
  return [...new Set(shown)].slice(0, SHOWN_MAX);
}

const EMAIL = /[^\s@<>()",;:]{1,64}@[^\s@<>()",;:]{1,190}\.\p{L}{2,24}/gu;
const PHONE = /\+?\d(?:[ ()./-]{0,2}\d){5,19}/g;
const ORDER = /\bO-[1-9]\d{0,14}\b/g;

/** A search by name and postcode may give any word of the name, so each word stands for it. */
const places = (name: string, postcode: string): string[] =>
  nameKey(name)
    .split(" ")
    .map((word) => `${word} ${postcodeKey(postcode)}`);

const tokensOf = (by: DetailKind, values: readonly string[], key: string): Token[] =>
  values.map((value) => tokenOf(`detail ${by}`, value, key));

function* textsOf(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "object" && value !== null)
    for (const each of Object.values(value)) yield* textsOf(each);
}
