import { UCP_PATH } from "../http/well-known.ts";
import { LOOKUP, SEARCH, VERSION } from "./protocol.ts";

const SITE = `https://ucp.dev/${VERSION}`;

/** Returns the profile of this server, for /.well-known/ucp. It signs nothing, so it has no keys. */
export const businessProfile = (origin: string) => ({
  ucp: {
    version: VERSION,
    services: {
      "dev.ucp.shopping": [
        {
          version: VERSION,
          spec: `${SITE}/specification/overview`,
          transport: "mcp",
          schema: `${SITE}/services/shopping/mcp.openrpc.json`,
          endpoint: `${origin}${UCP_PATH}`,
        },
      ],
    },
    capabilities: { [SEARCH]: [capability("search")], [LOOKUP]: [capability("lookup")] },
    payment_handlers: {},
  },
  keys: [],
});

const capability = (name: string) => ({
  version: VERSION,
  spec: `${SITE}/specification/shopping/catalog/${name}`,
  schema: `${SITE}/schemas/shopping/catalog_${name}.json`,
});

/** Seconds that agents may keep the profile; the protocol asks for 60 or more. */
const KEPT_S = 3_600;

export const profileResponse = (origin: string): Response =>
  Response.json(businessProfile(origin), {
    headers: { "Cache-Control": `public, max-age=${KEPT_S}`, "Access-Control-Allow-Origin": "*" },
  });
