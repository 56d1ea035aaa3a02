import { UriTemplate } from "@modelcontextprotocol/server";
import { PNG } from "./media.ts";

const TEMPLATE = "test://template/{id}/data";
const pattern = new UriTemplate(TEMPLATE);

const fixed = new Map([
  [
    "test://static-text",
    { mimeType: "text/plain", text: "This is the content of the static text resource." },
  ],
  ["test://static-binary", { mimeType: PNG.mimeType, blob: PNG.data }],
  ["test://watched-resource", { mimeType: "text/plain", text: "Watched resource content." }],
]);

export const resources = [...fixed].map(([uri, { mimeType }]) => ({
  uri,
  name: uri.replace("test://", ""),
  description: "A fixture of the suite",
  mimeType,
}));

export const resourceTemplates = [
  {
    uriTemplate: TEMPLATE,
    name: "template",
    description: "A fixture of the suite",
    mimeType: "application/json",
  },
];

/** Returns the resource at a URI; undefined if there is none. */
export function readResource(
  uri: string,
): { mimeType: string; text: string } | { mimeType: string; blob: string } | undefined {
  const id = pattern.match(uri)?.["id"];
  if (typeof id !== "string") return fixed.get(uri);
  const value = { id, templateTest: true, data: `Data for ID: ${id}` };
  return { mimeType: "application/json", text: JSON.stringify(value) };
}
