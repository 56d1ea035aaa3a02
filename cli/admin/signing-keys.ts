import { type KeyObject, createPublicKey, generateKeyPairSync } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { type Command, Option } from "commander";
import * as z from "zod";
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from "../../src/identity/signature-profile.ts";
import { idInPath, keyDays } from "../arguments.ts";
import { parseJsonAs, readText } from "../read-file.ts";
import { type Columns, SIGNING_KEYS } from "./lists.ts";
import { type PageOptions, type Query, withPages } from "./pages.ts";

interface CreateOptions {
  user: string;
  label: string;
  algorithm: SignatureAlgorithm;
  publicKey?: string;
  days?: number;
  out?: string;
}

/** The calls and output that these commands use. */
interface Admin {
  list: (path: string, asked: PageOptions & Query, columns: Columns) => Promise<void>;
  revoke: (kind: "signing-keys", id: string) => Promise<void>;
  call: (method: string, path: string, body: object) => Promise<unknown>;
  show: (made: { id: string; secret?: string | undefined }) => void;
}

const jwkSchema = z.looseObject({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string() });
const createdSchema = z.object({ id: z.string(), secret: z.string().optional() });

export function addSigningKeyCommands(program: Command, { list, revoke, call, show }: Admin): void {
  const keys = program
    .command("signing-keys")
    .description("Manage the keys with which services sign requests.");
  withPages(
    keys
      .command("list")
      .description("List signing keys, newest first. Secrets are not stored.")
      .option("--user <id>", "only this user's keys"),
  ).action(({ user, ...page }: PageOptions & { user?: string }) =>
    list("/signing-keys", { ...page, user }, SIGNING_KEYS),
  );
  keys
    .command("create")
    .description("Make a signing key, and show its secret or private key once.")
    .requiredOption("--user <id>", "the user of the key")
    .requiredOption("--label <label>", "the purpose of the key")
    .addOption(
      new Option("--algorithm <name>", "the signature algorithm")
        .choices(SIGNATURE_ALGORITHMS)
        .default("hmac-sha256"),
    )
    .option("--public-key <file>", "the public half of an Ed25519 key of your own: PEM, JWK or base64url")
    .option("--days <number>", "days until it expires", keyDays)
    .option("--out <file>", "write the secret or private key to this new file, readable only by you")
    .action(async (options: CreateOptions) => show(await create(options, call)));
  keys
    .command("revoke")
    .description("Refuse requests signed with a key from now on.")
    .argument("<id>", "the key's id", idInPath)
    .action((id: string) => revoke("signing-keys", id));
}

async function create(options: CreateOptions, call: Admin["call"]) {
  const { user, label, algorithm, days, out } = options;
  if (options.publicKey !== undefined && algorithm !== "ed25519") {
    throw new Error("--public-key needs an Ed25519 key. Add --algorithm ed25519.");
  }
  if (options.publicKey !== undefined && out !== undefined) {
    throw new Error(
      "--out has nothing to write, because you already have the private key of --public-key. Leave one of them out.",
    );
  }
  const pair = algorithm === "ed25519" ? await ed25519(options.publicKey) : undefined;
  // The file is opened before the secret is made; a secret that cannot be written would be lost.
  const file = out === undefined ? undefined : await openNew(out);
  try {
    const made = createdSchema.parse(
      await call("POST", "/signing-keys", {
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

function readPublicKey(file: string, text: string): string {
  const trimmed = text.trim();
  if (/PRIVATE|"d"\s*:/.test(trimmed))
    throw new Error("That is a private key. Keep it secret, and give the public key.");
  if (trimmed.startsWith("-----")) return rawOf(publicKeyOf(file, trimmed));
  if (trimmed.startsWith("{")) return parseJsonAs(jwkSchema, trimmed, file, "the JWK of an Ed25519 key").x;
  return trimmed;
}

function publicKeyOf(file: string, pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (error) {
    throw new Error(`${file} is not a complete public key in PEM.`, { cause: error });
  }
}

/** Returns the 32 bytes of an Ed25519 public key in base64url. */
function rawOf(key: KeyObject): string {
  const { x } = key.export({ format: "jwk" });
  if (key.asymmetricKeyType !== "ed25519" || x === undefined)
    throw new Error("The key is not an Ed25519 key.");
  return x;
}
