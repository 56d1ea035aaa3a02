// signing-keys: manages the keys with which services sign requests (docs/signing.md).

import { createPublicKey } from "node:crypto";
import * as z from "zod";
import { adminCommand } from "./admin/console.ts";
import { KEY_END } from "./admin/lists.ts";
import { keyDays } from "./arguments.ts";
import { readText } from "./read-file.ts";

const createdSchema = z.object({ id: z.string(), secret: z.string().optional() });

const admin = adminCommand("signing-keys");
admin.program.description("Manage the keys with which services sign requests.");
admin.listing("/signing-keys", ["id", "user", "label", "algorithm", "last_used_at", KEY_END]);
admin.program
  .command("create")
  .description("Make an HMAC key and show its secret once, or add the public half of an Ed25519 key.")
  .requiredOption("--user <id>", "the user of the key")
  .requiredOption("--label <label>", "the purpose of the key")
  .option("--public-key <file>", "an Ed25519 public key in PEM, as openssl pkey -pubout writes it")
  .option("--days <number>", "days until it expires", keyDays)
  .action(async (options: { user: string; label: string; publicKey?: string; days?: number }) => {
    const { user, label, publicKey: file, days } = options;
    const made = await admin.call("POST", "/signing-keys", {
      user,
      label,
      algorithm: file === undefined ? "hmac-sha256" : "ed25519",
      expires_in_days: days,
      public_key: file === undefined ? undefined : readPublicKey(file, await readText(file)),
    });
    admin.show(createdSchema.parse(made));
  });
admin.revoking("/signing-keys");

await admin.run();

/** Returns the 32 bytes of an Ed25519 public key in base64url. */
function readPublicKey(file: string, pem: string): string {
  if (pem.includes("PRIVATE"))
    throw new Error(`${file} is a private key. Keep it secret, and give the public key.`);
  const { x, crv } = jwkOf(file, pem);
  if (crv !== "Ed25519" || x === undefined) throw new Error(`${file} is not an Ed25519 key.`);
  return x;
}

function jwkOf(file: string, pem: string) {
  try {
    return createPublicKey(pem).export({ format: "jwk" });
  } catch (error) {
    throw new Error(`${file} is not a public key in PEM.`, { cause: error });
  }
}
