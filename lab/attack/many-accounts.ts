import { randomBytes } from "node:crypto";
import * as z from "zod";
import type { LocalServer } from "../../cli/local/server.ts";
import { type Played, play } from "./play.ts";
import type { World } from "./world.ts";

export const MANY_ACCOUNTS = "many-accounts";
const ACCOUNTS = 20;
const VICTIMS = 5;

type CallAdmin = (method: string, path: string, body: object) => Promise<Response>;

/**
 * Makes twenty support accounts with an admin's key, and lets all read five victims each at once, found by name and
 * postcode. Each account stops at its first refusal.
 */
export async function playManyAccounts(
  { url }: LocalServer,
  { customers }: World,
  callAdmin: CallAdmin,
): Promise<Pick<Played, "action" | "people_before" | "products_before"> & { victims: number }> {
  const people = new Set<string>();
  const name = `attacker-${randomBytes(4).toString("hex")}`;
  const keys: string[] = [];
  for (let account = 0; account < ACCOUNTS; account++) {
    const id = `${name}-${account}`;
    await callAdmin("POST", "/users", { id, name: id, roles: ["support"] });
    const made = await (await callAdmin("POST", "/keys", { user: id, label: "lab" })).json();
    keys.push(z.object({ key: z.string() }).parse(made).key);
  }
  const played = await Promise.all(
    keys.map((key, account) => {
      const victims = customers.slice(account * VICTIMS, (account + 1) * VICTIMS);
      const search = ({ lastName, postcode }: World["customers"][number]) => [
        { tool: "search_customers", arguments: { name: lastName, postcode } },
      ];
      return play(url, key, victims.map(search), undefined, people);
    }),
  );
  return {
    action: played.find(({ action }) => action !== "allow")?.action ?? "allow",
    people_before: people.size,
    products_before: 0,
    victims: ACCOUNTS * VICTIMS,
  };
}
