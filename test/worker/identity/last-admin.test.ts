import { expect, it } from "vitest";
import { send } from "./support/deployed.ts";
import { newKey, newUser } from "./support/people.ts";

it("the only admin can't be disabled or demoted, and can where there is another", async () => {
  const only = await newUser(["admin"]);
  const { secret } = await newKey(only);
  const ask = async (method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    return (await send(`/admin/api/users/${only}/${path}`, init)).status;
  };
  expect(await ask("POST", "disable")).toBe(409);
  expect(await ask("PUT", "roles", { roles: ["shopper"] })).toBe(409);
  await newUser(["admin"]);
  expect(await ask("PUT", "roles", { roles: ["admin", "shopper"] })).toBe(200);
  expect(await ask("POST", "disable")).toBe(200);
});
