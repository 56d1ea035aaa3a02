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

/** What the commands do their work with. */
interface Admin {
  list: (path: string, asked: PageOptions & Query, columns: Columns) => Promise<void>;
  revoke: (kind: "signing-keys", id: string) => Promise<void>;
  call: (method: string, path: string, body: object) => Promise<unknown>;
  show: (made: { id: string; secret?: string | undefined }) => void;
}

const jwkSchema = z.looseObject({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string() });
const createdSchema = z.object({ id: z.string(), secret: z.string().optional() });

export function addSigningKeyCommands(program: Command, { list, revoke, call, show }: Admin): void {
  const keys = program.command("signing-keys").description("what services sign their requests with");
  withPages(
    keys
      .command("list")
      .description("list signing keys, the newest first; their secrets are kept nowhere")
      .option("--user <id>", "of one user"),
  ).action(({ user, ...page }: PageOptions & { user?: string }) =>
    list("/signing-keys", { ...page, user }, SIGNING_KEYS),
  );
  keys
    .command("create")
    .description("make a signing key, and show its secret or private key once")
    .requiredOption("--user <id>", "whose key")
    .requiredOption("--label <label>", "what it is for")
    .addOption(
      new Option("--algorithm <name>", "what it signs with")
        .choices(SIGNATURE_ALGORITHMS)
        .default("hmac-sha256"),
    )
    .option("--public-key <file>", "the public half of an Ed25519 key of your own: PEM, JWK or base64url")
    .option("--days <number>", "days until it expires", keyDays)
    .option("--out <file>", "write the secret or private key there, for you alone to read")
    .action(async (options: CreateOptions) => show(await create(options, call)));
  keys
    .command("revoke")
    .description("refuse what is signed with a key from now on")
    .argument("<id>", "the key's id", idInPath)
    .action((id: string) => revoke("signing-keys", id));
}

async function create(options: CreateOptions, call: Admin["call"]) {
  const { user, label, algorithm, days, out } = options;
  if (options.publicKey !== undefined && algorithm !== "ed25519") {
    throw new Error("--public-key is of an Ed25519 key: add --algorithm ed25519.");
  }
  if (options.publicKey !== undefined && out !== undefined) {
    throw new Error("There is nothing to write to --out: the private key of --public-key is yours already.");
  }
  const pair = algorithm === "ed25519" ? await ed25519(options.publicKey) : undefined;
  // Opened first: a secret that is made and can't be written would be lost.
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
      ? "is there already, and a key in it would be lost"
      : "can't be written: is its folder there?";
    throw new Error(`${file} ${reason}. Name another file.`, { cause: error });
  }
}

/** A key's public half, and its private one where it is made here: the server never sees that. */
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
    throw new Error("That is a private key: keep it, and give the public one.");
  if (trimmed.startsWith("-----")) return rawOf(publicKeyOf(file, trimmed));
  if (trimmed.startsWith("{")) return parseJsonAs(jwkSchema, trimmed, file, "the JWK of an Ed25519 key").x;
  return trimmed;
}

function publicKeyOf(file: string, pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (error) {
    throw new Error(`${file} is not a public key in PEM: it is cut off, or another thing.`, { cause: error });
  }
}

/** The 32 bytes of an Ed25519 public key, in base64url. */
function rawOf(key: KeyObject): string {
  const { x } = key.export({ format: "jwk" });
  if (key.asymmetricKeyType !== "ed25519" || x === undefined) throw new Error("It is not an Ed25519 key.");
  return x;
}
