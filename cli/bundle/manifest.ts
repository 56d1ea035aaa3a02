import manifest from "../../package.json" with { type: "json" };
import { tools } from "../../src/tools/registry.ts";

export interface BundleOptions {
  /** The server's address, which the person who installs the bundle may change. */
  url?: string | undefined;
  /** The address of a privacy policy; Claude's directory asks for one. */
  privacyPolicy?: string | undefined;
}

/** Where the program and the icon are in the bundle. */
export const PATHS = { program: "server/index.mjs", icon: "icon.png" };

const LONG = `Answers from a live product catalog: what there is, what it costs and what is in stock.

Ask the operator of your catalog for its address and an access key. Your role there decides what Claude may do: everybody can search, customers see their own orders, and staff see more. Every call is checked and recorded.`;

/** The manifest of a bundle for Claude Desktop (MCPB 0.3), which carries MCP to a deployed server. */
export const manifestOf = ({ url, privacyPolicy }: BundleOptions) => ({
  manifest_version: "0.3",
  name: "product-catalog",
  display_name: "Product catalog",
  version: manifest.version,
  description: "Prices, stock and products from your live catalog",
  long_description: LONG,
  author: { name: manifest.name },
  icon: PATHS.icon,
  server: {
    type: "node",
    entry_point: PATHS.program,
    mcp_config: {
      command: "node",
      args: [`\${__dirname}/${PATHS.program}`],
      env: { CATALOG_URL: "${user_config.url}", CATALOG_ACCESS_KEY: "${user_config.key}" },
    },
  },
  // Those that every role has; the server lists the others for those who may use them.
  tools: tools
    .filter(({ scope }) => scope === "catalog:read")
    .map(({ name, definition }) => ({ name, description: definition.title })),
  tools_generated: true,
  prompts_generated: true,
  keywords: ["catalog", "products", "prices", "stock", "shop"],
  license: manifest.license,
  ...(privacyPolicy !== undefined && { privacy_policies: [privacyPolicy] }),
  compatibility: { platforms: ["darwin", "win32", "linux"], runtimes: { node: ">=20.3.0" } },
  user_config: {
    url: {
      type: "string",
      title: "Address",
      description: "The address of the catalog server, such as https://YOUR-HOST/mcp",
      required: true,
      ...(url !== undefined && { default: url }),
    },
    key: {
      type: "string",
      title: "Access key",
      description: "An access key of that server. It begins with pcm_ and is kept in your system's keychain.",
      required: true,
      sensitive: true,
    },
  },
});
