import { once } from "node:events";
import { type RequestListener, type Server, createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { Provider } from "oidc-provider";
import { TOKEN_EXCHANGE, issueAssertions } from "./id-jag.ts";

/** The claims about a person, beside `sub`. */
export type Person = Record<string, string | string[]>;

/** A client that signs people in at the provider, and takes its assertions to the catalog server. */
export interface Agent {
  clientId: string;
  secret: string;
  redirectUri: string;
  /** Its id at the catalog server, once it has registered there. */
  idAtServer: string | undefined;
}

interface ProviderOptions {
  port?: number;
  secret?: string;
  /** A key and a certificate for localhost, in PEM. Without them the provider is reached over http. */
  tls?: { key: string; cert: string };
  agent?: Agent;
}

export interface LocalProvider {
  /** The issuer, and the catalog server's client id and secret at it. */
  settings: { OIDC_ISSUER: string; OIDC_CLIENT_ID: string; OIDC_CLIENT_SECRET: string };
  /** People by the name that they sign in with; any password works. Read at every sign-in. */
  people: Map<string, Person>;
  /** Closes the port. */
  stop(): Promise<void>;
  /** Opens the port again. */
  start(): Promise<void>;
}

const SCOPE = "openid profile";
/** Lifetimes in seconds. All are set, because the library prints a notice for each default. */
const TTL_S = {
  AccessToken: 600,
  AuthorizationCode: 60,
  Grant: 86_400,
  IdToken: 600,
  Interaction: 3_600,
  Session: 86_400,
};

/**
 * Starts a real OpenID Connect provider with its own pages (oidc-provider), for trials and tests on this
 * machine, under a name that browsers treat as another site. It listens before the server that uses it, so
 * the callback is looked up at the first request.
 */
export async function startProvider(
  callback: () => string,
  { port = 0, secret = randomUUID(), tls, agent }: ProviderOptions = {},
): Promise<LocalProvider> {
  const people = new Map<string, Person>();
  let provider: Provider | undefined;
  let server: Server | undefined;
  let url = "";
  const client = { id: "product-catalog", secret };

  const start = async () => {
    const answer: RequestListener = (request, response) => {
      provider ??= quietly(() => createProvider(url, { client, callback: callback(), people, agent }));
      void provider.callback()(request, response);
    };
    server = (tls === undefined ? createServer(answer) : createTlsServer(tls, answer)).listen(
      url === "" ? port : Number(new URL(url).port),
      "127.0.0.1",
    );
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("No port");
    url = `${tls === undefined ? "http" : "https"}://localhost:${address.port}`;
  };
  const stop = async () => {
    const closed = server?.listening === true ? once(server, "close") : undefined;
    server?.close();
    server?.closeAllConnections();
    await closed;
  };
  await start();
  const settings = { OIDC_ISSUER: url, OIDC_CLIENT_ID: client.id, OIDC_CLIENT_SECRET: client.secret };
  return { settings, people, start, stop };
}

interface Registered {
  client: { id: string; secret: string };
  callback: string;
  people: Map<string, Person>;
  agent: Agent | undefined;
}

/**
 * The library warns about settings that are unsafe in production; a trial doesn't need that at each start.
 */
function quietly<T>(work: () => T): T {
  const { warn } = console;
  console.warn = (text: unknown, ...rest: unknown[]) => {
    if (!String(text).includes("oidc-provider WARNING:")) warn(text, ...rest);
  };
  try {
    return work();
  } finally {
    console.warn = warn;
  }
}

function createProvider(issuer: string, { client, callback, people, agent }: Registered): Provider {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const agents =
    agent === undefined
      ? []
      : [
          {
            client_id: agent.clientId,
            client_secret: agent.secret,
            redirect_uris: [agent.redirectUri],
            grant_types: ["authorization_code", TOKEN_EXCHANGE],
          },
        ];
  const provider = new Provider(issuer, {
    clients: [{ client_id: client.id, client_secret: client.secret, redirect_uris: [callback] }, ...agents],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "k1" }] },
    cookies: { keys: [randomUUID()] },
    claims: { openid: ["sub"], profile: ["name", "groups"] },
    pkce: { required: () => true },
    ttl: TTL_S,
    renderError: (ctx, { error, error_description }) => {
      ctx.type = "text/plain";
      ctx.body = `${error}: ${error_description ?? "the provider does not say why"}\n`;
    },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...people.get(sub) }) }),
    // Grants consent for everybody, like an app that the operator has approved: it reads only the identity.
    loadExistingGrant: async (ctx) => {
      const { accountId } = ctx.oidc.session ?? {};
      const clientId = ctx.oidc.client?.clientId;
      if (accountId === undefined || clientId === undefined) return undefined;
      const grant = new ctx.oidc.provider.Grant({ clientId, accountId });
      grant.addOIDCScope(SCOPE);
      await grant.save();
      return grant;
    },
  });
  if (agent !== undefined)
    issueAssertions(provider, { key: privateKey, people, idAtServer: () => agent.idAtServer });
  return provider;
}
