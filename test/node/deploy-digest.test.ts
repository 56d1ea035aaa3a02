import { createHash } from "node:crypto";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { addFolder } from "../../cli/deploy/project.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-digest-"));
  await cp("public", folder, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

async function digest(): Promise<string> {
  const hash = createHash("sha256");
  await addFolder(hash, folder);
  return hash.digest("hex");
}

// npm run deploy deploys nothing while the digest stays the same.
it("the digest of a deployment changes with every file of public/", async () => {
  const digests = [await digest(), await digest()];
  expect(digests[0]).toBe(digests[1]);
  for (const file of ["cards.html", "install.html", "server-card.json", "assets/site.css"]) {
    await writeFile(join(folder, file), "changed");
    digests.push(await digest());
  }
  expect(new Set(digests).size).toBe(5);
});
