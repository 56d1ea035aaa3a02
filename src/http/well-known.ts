// Clients look for metadata at several addresses: the specifications insert the path of the resource or issuer, older
// clients append it or leave it out. All name this server's one resource and one issuer.

const RESOURCE_PATHS = [
  "/.well-known/oauth-protected-resource",
  "/.well-known/oauth-protected-resource/mcp",
  "/.well-known/oauth-protected-resource/mcp/",
  "/mcp/.well-known/oauth-protected-resource",
];

const ISSUER_PATHS = ["oauth-authorization-server", "openid-configuration"].flatMap((name) => [
  `/.well-known/${name}`,
  `/.well-known/${name}/mcp`,
  `/.well-known/${name}/mcp/`,
  `/mcp/.well-known/${name}`,
]);

/** Each path of the metadata, with the only one at which the OAuth library answers. */
export const METADATA_PATHS = {
  resource: { paths: RESOURCE_PATHS, servedAt: "/.well-known/oauth-protected-resource/mcp" },
  issuer: { paths: ISSUER_PATHS, servedAt: "/.well-known/oauth-authorization-server" },
};

/** The endpoint of shopping agents (docs/ucp.md). */
export const UCP_PATH = "/ucp/mcp";

/** Returns the same request for another path. */
export function atPath(request: Request, path: string): Request {
  return new Request(new URL(path, request.url), request);
}
