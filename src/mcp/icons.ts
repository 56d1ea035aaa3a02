import type { Icon } from "@modelcontextprotocol/server";

// Icons of the server and its tools (MCP 2025-11-25 and 2026-07-28). They are files of public/assets, because clients take icons
// only from the server's own origin.

const SVG = { mimeType: "image/svg+xml", sizes: ["any"] };

/** Returns the server's icons: for light and dark themes, and for clients that show no SVG. */
export const serverIcons = (origin: string): Icon[] => [
  { src: `${origin}/assets/icon.svg`, ...SVG, theme: "light" },
  { src: `${origin}/assets/icon-dark.svg`, ...SVG, theme: "dark" },
  { src: `${origin}/assets/icon-512.png`, mimeType: "image/png", sizes: ["512x512"] },
];

/** Returns the icon of a tool whose scope is `scope`, which fits any theme. */
export const toolIcons = (origin: string, scope: string): Icon[] => [
  { src: `${origin}/assets/tool-${scope.split(":")[0]}.svg`, ...SVG },
];
