import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import * as z from "zod";

/** The contents of an account, which tests may plant and read. */
export interface Account {
  databases: Map<string, { uuid: string; tables: string[] }>;
  /** Ids of KV namespaces by title. */
  stores: Map<string, string>;
  secrets: Map<string, string>;
  versions: Version[];
  /** Hashes of uploaded files. */
  assets: Set<string>;
}

export interface Version {
  id: string;
  bindings: Binding[];
}
const bindingSchema = z.looseObject({ name: z.string(), type: z.string() });
type Binding = z.output<typeof bindingSchema>;
const metadataSchema = z.looseObject({
  bindings: z.array(bindingSchema),
  keep_bindings: z.array(z.string()).default([]),
});

const manifestSchema = z.object({ manifest: z.record(z.string(), z.object({ hash: z.string() })) });

const formOf = (body: Buffer, { headers }: IncomingMessage) =>
  new Response(Uint8Array.from(body), {
    headers: { "content-type": headers["content-type"] ?? "" },
  }).formData();

/** An error answer with the API's own codes. */
export class Refused extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
export const notFound = (code: number, what: string) => new Refused(404, code, `${what} not found`);

export const ACCOUNT = { id: "0123456789abcdef0123456789abcdef", name: "Test account" };
const WORKER = "product-catalog-mcp";

export type Handler = (match: string[], body: Buffer, request: IncomingMessage) => unknown;
export type Route = [method: string, path: RegExp, handler: Handler];

/** Returns the API's answers about one account; paths are relative to it. */
export function routesOf({ databases, stores, secrets, versions, assets }: Account): Route[] {
  let onSubdomain = false;
  const isThere = () => versions.length > 0;
  const worker = () => {
    const latest = versions.at(-1);
    if (latest === undefined) throw notFound(10007, "This Worker was");
    return latest;
  };
  const addVersion = (bindings: Binding[]) => {
    const version = { id: randomUUID(), bindings };
    versions.push(version);
    return version;
  };
  const listed = (version: Version) => ({
    id: version.id,
    number: versions.indexOf(version) + 1,
    metadata: { created_on: "2026-11-01T00:00:00Z", author_email: "ops@example.com", source: "wrangler" },
    annotations: {},
    resources: { bindings: version.bindings, script: {}, script_runtime: {} },
  });
  const upload = async (body: Buffer, request: IncomingMessage) => {
    const form = await formOf(body, request);
    const { bindings, keep_bindings } = metadataSchema.parse(
      JSON.parse(z.string().parse(form.get("metadata"))),
    );
    const before = versions.at(-1)?.bindings ?? [];
    const names = new Set(bindings.map(({ name }) => name));
    const kept = before.filter(({ name, type }) => keep_bindings.includes(type) && !names.has(name));
    const own = bindings.map((binding) =>
      binding.type === "inherit" ? (before.find(({ name }) => name === binding.name) ?? binding) : binding,
    );
    return addVersion([...own, ...kept]);
  };

  return [
    ["GET", /^\/user\/tokens\/verify$/, () => ({ id: "t", status: "active" })],
    ["GET", /^\/user$/, () => ({ id: "u", email: "ops@example.com" })],
    ["GET", /^\/accounts$/, () => [ACCOUNT]],
    ["GET", /^\/memberships$/, () => [{ id: "m", account: ACCOUNT }]],
    ["GET", /^\/d1\/database$/, () => [...databases].map(([name, { uuid }]) => ({ name, uuid }))],
    [
      "POST",
      /^\/d1\/database$/,
      (_, body) => {
        const { name } = z.object({ name: z.string() }).parse(JSON.parse(body.toString()));
        if (databases.has(name)) throw new Refused(400, 7502, "database already exists");
        const uuid = randomUUID();
        databases.set(name, { uuid, tables: [] });
        return { name, uuid };
      },
    ],
    [
      "GET",
      /^\/d1\/database\/([^/]+)$/,
      ([wanted = ""]) => {
        const found = [...databases].find(([name, { uuid }]) => name === wanted || uuid === wanted);
        if (found === undefined) throw notFound(7404, "The database was");
        return { name: found[0], uuid: found[1].uuid };
      },
    ],
    [
      "POST",
      /^\/d1\/database\/([^/]+)\/query$/,
      ([wanted = ""]) => {
        const found = [...databases.values()].find(({ uuid }) => uuid === wanted);
        return [{ success: true, meta: {}, results: (found?.tables ?? []).map((name) => ({ name })) }];
      },
    ],
    ["GET", /^\/storage\/kv\/namespaces$/, () => [...stores].map(([title, id]) => ({ title, id }))],
    [
      "POST",
      /^\/storage\/kv\/namespaces$/,
      (_, body) => {
        const { title } = z.object({ title: z.string() }).parse(JSON.parse(body.toString()));
        if (stores.has(title))
          throw new Refused(400, 10014, "a namespace with this account ID and title already exists");
        const id = randomUUID().replaceAll("-", "");
        stores.set(title, id);
        return { id, title };
      },
    ],
    [
      "GET",
      /^\/workers\/services\/([^/]+)$/,
      () => {
        if (!isThere()) throw notFound(10090, "This service was");
        return { default_environment: { environment: "production", script: { tag: "t", tags: [] } } };
      },
    ],
    ["GET", /^\/workers\/scripts\/([^/]+)\/settings$/, () => ({ bindings: worker().bindings })],
    [
      "GET",
      /^\/workers\/scripts\/([^/]+)\/secrets$/,
      () => {
        worker();
        return [...secrets.keys()].map((name) => ({ name, type: "secret_text" }));
      },
    ],
    [
      "PUT",
      /^\/workers\/scripts\/([^/]+)\/secrets$/,
      (_, body) => {
        const { name, text } = z
          .object({ name: z.string(), text: z.string() })
          .parse(JSON.parse(body.toString()));
        secrets.set(name, text);
        addVersion([
          ...worker().bindings.filter((each) => each.name !== name),
          { name, type: "secret_text" },
        ]);
        return { name, type: "secret_text" };
      },
    ],
    [
      "GET",
      /^\/workers\/workers\/([^/]+)$/,
      () => ({ id: "w", name: WORKER, subdomain: { enabled: onSubdomain, previews_enabled: false } }),
    ],
    ["GET", /^\/workers\/subdomain$/, () => ({ subdomain: "example" })],
    [
      "POST",
      /^\/workers\/scripts\/([^/]+)\/subdomain$/,
      () => {
        onSubdomain = true;
        return { enabled: true, previews_enabled: false };
      },
    ],
    [
      "GET",
      /^\/workers\/scripts\/([^/]+)\/deployments$/,
      () => {
        const { id } = worker();
        return {
          deployments: [
            {
              id: randomUUID(),
              source: "wrangler",
              strategy: "percentage",
              author_email: "ops@example.com",
              created_on: "2026-11-01T00:00:00Z",
              annotations: {},
              versions: [{ version_id: id, percentage: 100 }],
            },
          ],
        };
      },
    ],
    ["POST", /^\/workers\/scripts\/([^/]+)\/deployments$/, () => ({ id: randomUUID() })],
    ["GET", /^\/workers\/scripts\/([^/]+)\/versions$/, () => ({ items: versions.map(listed).toReversed() })],
    [
      "GET",
      /^\/workers\/scripts\/([^/]+)\/versions\/([^/]+)$/,
      ([, id]) => {
        const version = versions.find((each) => each.id === id);
        if (version === undefined) throw notFound(10007, "This version was");
        return listed(version);
      },
    ],
    [
      "POST",
      /^\/workers\/scripts\/([^/]+)\/versions$/,
      async (_, body, request) => {
        worker();
        const { id } = await upload(body, request);
        return { id, startup_time_ms: 10, metadata: { has_preview: false } };
      },
    ],
    [
      "PUT",
      /^\/workers\/scripts\/([^/]+)$/,
      async (_, body, request) => {
        const { id } = await upload(body, request);
        return {
          id: WORKER,
          etag: "e",
          deployment_id: id,
          startup_time_ms: 10,
          available_on_subdomain: true,
          tag: "t",
        };
      },
    ],
    [
      "POST",
      /^\/workers\/scripts\/([^/]+)\/assets-upload-session$/,
      (_, body) => {
        const { manifest } = manifestSchema.parse(JSON.parse(body.toString()));
        const missing = Object.values(manifest).flatMap(({ hash }) => (assets.has(hash) ? [] : [hash]));
        return { jwt: "for the assets", buckets: missing.length === 0 ? [] : [[...new Set(missing)]] };
      },
    ],
    [
      "POST",
      /^\/workers\/assets\/upload$/,
      async (_, body, request) => {
        for (const hash of (await formOf(body, request)).keys()) assets.add(hash);
        return { jwt: "all are there" };
      },
    ],
    ["PATCH", /^\/workers\/scripts\/([^/]+)\/script-settings$/, () => ({})],
    ["GET", /^\/workers\/scripts\/([^/]+)\/schedules$/, () => ({ schedules: [] })],
  ];
}
