// signing-keys: manages the keys with which services sign requests (docs/signing.md).

import { type KeyObject, createPublicKey, generateKeyPairSync } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { Option } from "commander";
import * as z from "zod";
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from "../src/identity/signature-profile.ts";
import { adminCommand } from "./admin/console.ts";
import { KEY_END } from "./admin/lists.ts";
import { keyDays } from "./arguments.ts";
import { readText } from "./read-file.ts";

interface CreateOptions {
  user: string;
  label: string;
  algorithm: SignatureAlgorithm;
  publicKey?: string;
  days?: number;
  out?: string;
}

const createdSchema = z.object({ id: z.string(), secret: z.string().optional() });

const admin = adminCommand("signing-keys");
admin.program.description("Manage the keys with which services sign requests.");
admin.listing("/signing-keys", ["id", "user", "label", "algorithm", "last_used_at", KEY_END]);
admin.program
  .command("create")
  .description("Make a signing key, and show its secret or private key once.")
  .requiredOption("--user <id>", "the user of the key")
  .requiredOption("--label <label>", "the purpose of the key")
  .addOption(
    new Option("--algorithm <name>", "the signature algorithm")
      .choices(SIGNATURE_ALGORITHMS)
      .default("hmac-sha256"),
  )
  .option("--public-key <file>", "the public half of an Ed25519 key of your own, in PEM")
  .option("--days <number>", "days until it expires", keyDays)
  .option("--out <file>", "write the secret or private key to this new file, readable only by you")
  .action(async (options: CreateOptions) => admin.show(await create(options)));
admin.revoking("/signing-keys");

await admin.run();

async function create(options: CreateOptions): Promise<{ id: string; secret?: string | undefined }> {
  const { user, label, algorithm, days, out, publicKey } = options;
  if (publicKey !== undefined && algorithm !== "ed25519")
    throw new Error("--public-key needs an Ed25519 key. Add --algorithm ed25519.");
  if (publicKey !== undefined && out !== undefined)
    throw new Error(
      "--out has nothing to write, because you already have the private key of --public-key. Leave one of them out.",
    );
  const pair = algorithm === "ed25519" ? await ed25519(publicKey) : undefined;
  // The file is opened before the secret is made; a secret that cannot be written would be lost.
  const file = out === undefined ? undefined : await openNew(out);
  try {
    const made = createdSchema.parse(
      await admin.call("POST", "/signing-keys", {
        user,
        label,
        algorithm,
        expires_in_days: days,
        public_key: pair?.publicKey,
      }),
    );
    const secret = made.secret ?? pair?.privateKey;
    if (file === undefined) return { id: made.id, secret };
    await file.writeFile(`${secret}\n`);
    return { id: made.id };
  } catch (error) {
    if (out !== undefined) await rm(out);
    throw error;
  } finally {
    await file?.close();
  }
}

async function openNew(file: string): Promise<FileHandle> {
  try {
    return await open(file, "wx", 0o600);
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
    const reason = isThere
      ? "already exists, and its contents would be lost"
      : "cannot be written; its folder may be missing";
    throw new Error(`${file} ${reason}. Name another file.`, { cause: error });
  }
}

/** Reads or makes a public key. A private key is made here and never sent to the server. */
async function ed25519(publicKeyFile?: string): Promise<{ publicKey: string; privateKey?: string }> {
  if (publicKeyFile !== undefined)
    return { publicKey: readPublicKey(publicKeyFile, await readText(publicKeyFile)) };
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return {
    publicKey: rawOf(publicKey),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString().trim(),
  };
}

function readPublicKey(file: string, pem: string): string {
  if (pem.includes("PRIVATE"))
    throw new Error("That is a private key. Keep it secret, and give the public key.");
  try {
    return rawOf(createPublicKey(pem));
  } catch (error) {
    throw new Error(`${file} is not a complete Ed25519 public key in PEM.`, { cause: error });
  }
}

/** Returns the 32 bytes of an Ed25519 public key in base64url. */
function rawOf(key: KeyObject): string {
  const { x } = key.export({ format: "jwk" });
  if (key.asymmetricKeyType !== "ed25519" || x === undefined)
    throw new Error("The key is not an Ed25519 key.");
  return x;
}
